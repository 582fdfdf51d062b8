"""What single samples come to at a point, and how they stand to its top eigenvector."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from realnet.curvature.objective import flatten, full_precision
from realnet.signals.slopes import slopes
from realnet.training.task import Task


def outcomes(task: Task) -> dict[str, Tensor]:
    """loss and margin (label's output less the largest other) of every sample (token), (N,)."""
    losses, margins = [], []
    with task.still():
        for x, y in task.whole.chunks:
            outputs = task.model(x)
            losses.append(task.sample_loss(outputs, y).reshape(-1))
            margins.append(_margin(outputs, y))
    return {"loss": torch.cat(losses).double(), "margin": torch.cat(margins).double()}


def _margin(outputs: Tensor, labels: Tensor) -> Tensor:
    flat, own = outputs.reshape(-1, outputs.shape[-1]), labels.reshape(-1)
    mask = functional.one_hot(own, flat.shape[-1]).bool()
    return flat[mask] - flat.masked_fill(mask, -torch.inf).amax(-1)


def at_branch(task: Task, direction: Tensor) -> dict[str, list[float]]:
    """Of every sample (image), at the model's point, u = `direction` (its top eigenvector):

    branch_slope  g_i.u;  branch_gradient  |g_i|;  branch_loss  its loss
    branch_output  distance of its outputs from their mean over the samples
    planted        1 for planted members, 0 for others; only where some were planted
    """
    slope = slopes(task, direction)[0]
    with task.still():
        outputs = torch.cat([task.model(x) for x, _ in task.whole.chunks])
        apart = (outputs - outputs.mean(0)).norm(dim=-1)
    planted = task.members.get("opposing")
    known = {} if planted is None else {"planted": planted.double().tolist()}
    return known | {
        "branch_slope": slope.tolist(),
        "branch_gradient": gradient_norms(task).tolist(),
        "branch_loss": task.losses().double().tolist(),
        "branch_output": apart.double().tolist(),
    }


def gradient_norms(task: Task) -> Tensor:
    """|g_i| of every sample (token), (N,) float64: one backward pass a sample."""
    found = []
    for x, y in task.whole.chunks:
        with full_precision(task.device), torch.enable_grad():
            losses = task.flat_losses(x, y)
            for loss in losses:
                parts = torch.autograd.grad(loss, task.whole.params, retain_graph=True)
                found.append(flatten(parts).norm())
    return torch.stack(found).double()
