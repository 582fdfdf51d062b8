"""Every sample's own derivatives along a direction of the parameters, exact, none stored."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.func import functional_call, jvp
from torch.nn.attention import SDPBackend, sdpa_kernel

from realnet.curvature.objective import full_precision
from realnet.curvature.parameters import unflatten
from realnet.curvature.parts import sample_curvature
from realnet.signals.together import check_whole, statistics_kept
from realnet.training.task import Task

Tangent = dict[str, Tensor]
ROUNDINGS = 1e4  # that a mean of curvatures may be off; rules that do not hold are off by per cents


class Along(NamedTuple):
    """Of every sample (token), (N,) float64 each: g_i.u, u'H_i u and ||J_i u||."""

    slope: Tensor
    curvature: Tensor
    response: Tensor


def along(task: Task, direction: Tensor, curvature: float) -> Along:
    """Slopes, curvatures and responses along u = `direction` (flat, of norm 1).

    One forward-mode pass of second order: with outputs f, f', f'' along u the slope is l'(f) f',
    the curvature f''l''(f)f' + l'(f) f''. torch's rules for normalisation layers hold to first
    order only, and some layers have none: `curvature` is u'Hu, H the Hessian of the mean loss, and
    where the mean over the samples is another number the curvatures are taken backwards.
    With batch norm in training mode the whole batch moves (see `realnet.signals.together`).
    """
    try:
        found = _over_chunks(task, direction, _second)
    except NotImplementedError:
        found = None
    if found is None or not _agree(found.curvature, curvature, task.whole.dtype):
        slope, response = slopes(task, direction)
        found = Along(slope, curvatures(task, direction), response)
    return found


def _agree(parts: Tensor, mean: float, dtype: torch.dtype) -> bool:
    scale = float(parts.abs().mean()) + abs(mean)
    return abs(float(parts.mean()) - mean) <= ROUNDINGS * torch.finfo(dtype).eps * scale


def slopes(task: Task, direction: Tensor) -> tuple[Tensor, Tensor]:
    """g_i.u and ||J_i u|| of every sample (token), (N,) float64 each; one forward-mode pass."""
    found = _over_chunks(task, direction, _first)
    return found.slope, found.response


def curvatures(task: Task, direction: Tensor) -> Tensor:
    """u'H_i u of every sample (token) along the unit vector u, (N,) float64, backwards."""
    check_whole(task)
    with statistics_kept(task.model):
        return sample_curvature(task.flat_losses, task.whole.params, direction, task.whole.chunks)


def _over_chunks(task: Task, direction: Tensor, order: Callable) -> Along:
    params = task.whole.params
    names = [name for name, p in task.model.named_parameters() if p.requires_grad]
    point = {name: p.detach() for name, p in zip(names, params, strict=True)}
    pieces = unflatten(direction.to(task.whole.dtype), params)
    tangent = dict(zip(names, pieces, strict=True))
    found = []
    with _forward_mode(task):
        for x, y in task.whole.chunks:

            def outputs(at: Tangent, x: Tensor = x) -> Any:
                return functional_call(task.model, at, (x,))

            def losses(out: Tensor, y: Tensor = y) -> Tensor:
                return task.sample_loss(out, y)

            found.append(order(outputs, losses, point, tangent))
    return Along(*(torch.cat(part).double().cpu() for part in zip(*found, strict=True)))


def _first(outputs: Callable, losses: Callable, point: Tangent, tangent: Tangent) -> Along:
    value, change = _forward(outputs, point, tangent)
    slope = _forward(losses, value, change)[1].reshape(-1)
    return Along(slope, torch.zeros_like(slope), _norms(change, slope))


def _second(outputs: Callable, losses: Callable, point: Tangent, tangent: Tangent) -> Along:
    def moved(at: Tangent) -> tuple[Tensor, Tensor]:
        return _forward(outputs, at, tangent)

    (value, change), (_, bend) = _forward(moved, point, tangent)

    def slope_at(out: Tensor) -> Tensor:
        return _forward(losses, out, change)[1]

    slope, straight = _forward(slope_at, value, change)
    bent = _forward(losses, value, bend)[1]
    slope = slope.reshape(-1)
    return Along(slope, (straight + bent).reshape(-1), _norms(change, slope))


def _forward(function: Callable, at: Any, tangent: Any) -> Any:
    """(value, derivative along the tangent)."""
    return jvp(function, (at,), (tangent,))


def _norms(change: Tensor, slope: Tensor) -> Tensor:
    return change.reshape(slope.numel(), -1).norm(dim=-1)


@contextmanager
def _forward_mode(task: Task) -> Iterator[None]:
    """No graphs, statistics kept, attention by its formula (fused kernels have no forward mode)."""
    check_whole(task)
    with (
        full_precision(task.device),
        torch.no_grad(),
        statistics_kept(task.model),
        sdpa_kernel(SDPBackend.MATH),
        warnings.catch_warnings(),
    ):
        # torch's own forward-mode rules are scripted on first use, which warns of itself.
        warnings.filterwarnings("ignore", "`torch.jit.script", DeprecationWarning)
        yield
