"""Parts of the curvature: one layer's block of the Hessian, one sample's along a direction."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from linmodel.arguments import typed
from linmodel.errors import InvalidInput, refuse
from realnet.curvature.buffers import still
from realnet.curvature.chunks import Chunks
from realnet.curvature.evaluated import Curvature
from realnet.curvature.objective import LossFunction
from realnet.curvature.parameters import Parameters, as_parameters, unflatten
from realnet.curvature.precision import full_precision
from realnet.curvature.tracker import SharpnessTracker


@typed
def layer_sharpness(
    loss_fn: LossFunction, model: nn.Module, k: int = 1, **options: object
) -> dict[str, Curvature]:
    """The top k eigenpairs of each layer's diagonal block of the Hessian, by the layer's name.

    A layer is a module that owns trainable parameters. Options as `SharpnessTracker`.
    """
    found = {}
    for name, layer in model.named_modules():
        own = [p for p in layer.parameters(recurse=False) if p.requires_grad]
        if own:
            tracker = SharpnessTracker(loss_fn, own, k=k, **options)  # type: ignore[arg-type]
            found[name] = tracker.evaluate()
    if not found:
        raise InvalidInput("the model has no trainable parameters: it has no curvature.")
    return found


def sample_curvature(
    sample_losses: LossFunction,
    params: Parameters,
    direction: Tensor,
    chunks: Chunks | None = None,
) -> Tensor:
    """v^T H_i v for every sample i, v = direction / |direction|, shape (N,), float64.

    `sample_losses(*chunk)` gives the losses of the chunk's samples, shape (N,). `direction` is
    flat (n,), in the parameters' order, as `Curvature.vectors` has it. All samples of a chunk at
    once: with weights w, d/dw_i of v^T (sum_i w_i H_i) v. The mean over the samples is v^T H v.
    Raises InvalidInput: a zero direction, losses of another shape, buffers that move.
    """
    found = as_parameters(params)
    if direction.shape != (sum(p.numel() for p in found),) or not direction.norm() > 0:
        refuse("direction", tuple(direction.shape), "a nonzero flat vector, one entry a parameter")
    sample_losses = still(sample_losses, None, "Call model.eval() around it.")
    unit = unflatten((direction / direction.norm()).to(found[0]), found)
    parts = [_of_chunk(sample_losses, chunk, found, unit) for chunk in chunks or [()]]
    return torch.cat(parts)


def _of_chunk(
    sample_losses: LossFunction,
    chunk: tuple[Tensor, ...],
    params: list[Tensor],
    unit: list[Tensor],
) -> Tensor:
    with full_precision(params[0].device), torch.enable_grad():
        losses = sample_losses(*chunk)
        if losses.ndim != 1 or not losses.requires_grad:
            refuse(
                "sample_losses' result", tuple(losses.shape), "differentiable losses, shape (N,)"
            )
        weights = torch.ones_like(losses, requires_grad=True)
        slope = _along((weights * losses).sum(), params, unit)
        bend = _along(slope, params, unit)
        if not bend.requires_grad:
            return torch.zeros(len(losses), dtype=torch.float64)
        (curvature,) = torch.autograd.grad(bend, weights, materialize_grads=True)
    return curvature.double().cpu()


def _along(value: Tensor, params: list[Tensor], unit: list[Tensor]) -> Tensor:
    """The derivative of `value` along the unit direction, differentiable again."""
    parts = torch.autograd.grad(value, params, create_graph=True, materialize_grads=True)
    return torch.stack([(part * v).sum() for part, v in zip(parts, unit, strict=True)]).sum()
