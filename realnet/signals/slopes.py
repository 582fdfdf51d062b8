"""Every sample's own derivatives along a direction of the parameters, exact, none stored."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call, jvp

from realnet.curvature.objective import full_precision, unflatten
from realnet.curvature.parts import sample_curvature
from realnet.training.task import Task


def slopes(task: Task, direction: Tensor) -> tuple[Tensor, Tensor]:
    """g_i.u and ||J_i u|| of every sample (token), (N,) float64 each; u = `direction`, flat.

    One forward-mode pass: the outputs' derivatives along u, and the loss's along those.
    """
    params = task.whole.params
    names = [name for name, p in task.model.named_parameters() if p.requires_grad]
    point = {name: p.detach() for name, p in zip(names, params, strict=True)}
    pieces = unflatten(direction.to(task.whole.dtype), params)
    tangent = dict(zip(names, pieces, strict=True))
    found = []
    with full_precision(task.device), torch.no_grad():
        for x, y in task.whole.chunks:

            def outputs(at: dict[str, Tensor], x: Tensor = x) -> Any:
                return functional_call(task.model, at, (x,))

            def losses(out: Tensor, y: Tensor = y) -> Tensor:
                return task.sample_loss(out, y)

            value, change = _forward(outputs, point, tangent)
            slope = _forward(losses, value, change)[1]
            response = change.reshape(slope.numel(), -1).norm(dim=-1)
            found.append((slope.reshape(-1), response))
    first, second = (torch.cat(parts).double().cpu() for parts in zip(*found, strict=True))
    return first, second


def curvatures(task: Task, direction: Tensor) -> Tensor:
    """u'H_i u of every sample (token) along the unit vector u, (N,) float64."""
    return sample_curvature(task.flat_losses, task.whole.params, direction, task.whole.chunks)


def _forward(function: Callable, at: Any, tangent: Any) -> Any:
    """(value, derivative along the tangent)."""
    with warnings.catch_warnings():
        # torch's own forward-mode rules are scripted on first use, which warns of itself.
        warnings.filterwarnings("ignore", "`torch.jit.script", DeprecationWarning)
        return jvp(function, (at,), (tangent,))
