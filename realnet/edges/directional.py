"""Curvature along one direction: of the optimiser's next update, of a group's mean gradient."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from linmodel.errors import InvalidInput, refuse
from realnet.curvature.chunks import arguments
from realnet.curvature.parameters import flatten
from realnet.curvature.precision import derivatives_said, full_precision
from realnet.edges.point import Point
from realnet.edges.quantity import Measured


def along(point: Point, direction: Tensor) -> float:
    """d^T H d / |d|^2, one product."""
    size = float(direction.norm())
    if not size > 0:
        raise InvalidInput("the direction is zero: there is no curvature along it.")
    unit = direction / size
    return float((unit.double() * point.products(unit[None])[0].double()).sum())


@dataclass(frozen=True)
class AlongUpdate:
    """u^T H u / |u|^2, u the optimiser's next update.

    Threshold: 2 g^T u / (eta |u|^2), at which the quadratic model's loss neither rises nor falls
    over the step; descent (u = g): 2/eta (S13).
    """

    name = "update"
    definition = "curvature along the optimiser's next update u: u'Hu / |u|^2"
    unit = "1 / time"
    source = "Kwag et al. 2026, arXiv 2606.04212; Roulet et al. 2024, arXiv 2407.06183"

    def measure(self, point: Point) -> Measured:
        """more: cosine of update and gradient."""
        u, g = point.update, point.gradient
        inner, square = float(u.double() @ g.double()), float(u.double() @ u.double())
        value = along(point, u)
        threshold = None
        if point.optimizer is not None:
            eta = point.stepping.step_size
            threshold = 2 * inner / (eta * square) if eta else math.inf
        cosine = inner / (square**0.5 * float(g.norm()))
        return Measured(value, threshold, more={"cosine": cosine})


@dataclass(frozen=True)
class AlongGroup:
    """g_G^T H g_G / |g_G|^2, g_G the mean gradient of a group of samples. Threshold as `top`.

    group: loss_fn's arguments for the group's samples (a chunk).
    """

    group: Sequence[Any] = field(repr=False)
    label: str = "group"
    definition = "curvature along the mean gradient of a group of samples, under the whole loss"
    unit = "1 / time"
    source = "Kwag et al. 2026, arXiv 2606.04212"

    @property
    def name(self) -> str:
        return self.label

    def measure(self, point: Point) -> Measured:
        """more: norm of the group's gradient, its share along the gradient of the whole."""
        own, whole = gradient_of(point, self.group), point.gradient
        sizes = float(own.norm()), float(whole.norm())
        value = along(point, own)
        cosine = float(own.double() @ whole.double()) / (sizes[0] * sizes[1] or 1.0)
        more = {"gradient_norm": sizes[0], "cosine": cosine}
        return Measured(value, point.threshold(), more=more)


def gradient_of(point: Point, chunk: Any) -> Tensor:
    """The gradient (n,) of a chunk's mean loss."""
    params = point.objective.params
    with full_precision(point.objective.device), torch.enable_grad():
        loss, count = point.objective.loss(arguments(chunk))
        if not loss.requires_grad:
            refuse("the group's loss", "without gradient", "one that depends on the parameters")
        with derivatives_said():
            parts = torch.autograd.grad(loss, params, materialize_grads=True)
    return flatten(parts) / (count or 1.0)
