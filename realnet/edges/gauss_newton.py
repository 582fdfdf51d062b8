"""The Gauss-Newton matrix, the Fisher matrix of cross-entropy, and what H has beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from linmodel.errors import refuse
from realnet.curvature.chunks import refuse_unfit
from realnet.curvature.objective import NotFinite, loss_and_count
from realnet.curvature.parameters import flatten, unflatten
from realnet.curvature.precision import derivatives_said, full_precision
from realnet.edges.point import Point
from realnet.edges.quantity import Measured
from realnet.edges.solving import bound, largest

SAME = 1e-4  # relative: loss_of(outputs) must be the tracked loss


@dataclass(frozen=True)
class GaussNewton:
    """Top eigenvalue of G = J^T (d^2 l / d f^2) J, and in more["rest"] that of H - G.

    outputs(*chunk) -> f, the network's outputs; loss_of(f, *chunk) -> the chunk's mean loss, or
    (sum, count), the tracked one. G is the Fisher matrix for cross-entropy, J^T J / N for 1/2
    squared error.
    """

    outputs: Callable[..., Tensor] = field(repr=False)
    loss_of: Callable[..., Tensor] = field(repr=False)
    k: int = 1
    name = "gauss_newton"
    definition = "largest eigenvalue of J' (d2 loss/d outputs2) J, J = d outputs/d parameters"
    unit = "1 / time"
    source = "Schraudolph 2002; Papyan 2019; Granziol 2020, arXiv 2006.09092"

    def measure(self, point: Point) -> Measured:
        """more: values (k,), vectors (k, n), rest (top eigenvalue of H - G), agreement of losses.
        Raises InvalidInput where loss_of(outputs) is not the tracked loss."""
        point.verify()
        for chunk, _ in point.objective.data:
            refuse_unfit("outputs", self.outputs, chunk)
            refuse_unfit("loss_of", self.loss_of, ("outputs", *chunk))
        own = replace(
            self, outputs=point.guarded(self.outputs), loss_of=point.guarded(self.loss_of)
        )
        total = own._same_loss(point)

        def products(rows: Tensor) -> Tensor:
            return own.products(point, rows, total)

        found = largest(point, self.name, products, self.k)
        rest = largest(point, "rest of H", lambda v: point.products(v) - products(v), 1)
        more: dict[str, float | Tensor] = {
            "values": found.values,
            "vectors": found.vectors,
            "rest": float(rest.values[0]),
        }
        converged = bool(found.converged.all()) and bool(rest.converged.all())
        threshold = point.threshold()
        missed = bound(found.missed + rest.missed)
        value = float(found.values[0])
        return Measured(value, threshold, converged=converged, missed=missed, more=more)

    def products(self, point: Point, vectors: Tensor, counts: float | None = None) -> Tensor:
        """G V by rows, (m, n): forward along V, times the loss's Hessian, backward.

        counts: all counts, where loss_of returns (sum, count).
        """
        objective = point.objective
        rows = vectors.to(objective.dtype)
        out = torch.zeros_like(rows)
        for chunk, weight in objective.data:
            with full_precision(objective.device), torch.enable_grad(), derivatives_said():
                outputs = self.outputs(*chunk)
                still = outputs.detach().requires_grad_()
                value, count = self._value(still, chunk)
                weight = weight if count is None else 1.0 / (counts or count)
                slope = _slope(value, still)
                for i, row in enumerate(rows):
                    out[i] += weight * self._product(outputs, still, slope, row, objective.params)
        if not bool(torch.isfinite(out).all()):
            raise NotFinite("a Gauss-Newton product is NaN or infinite.")
        return out

    def _product(
        self, outputs: Tensor, still: Tensor, slope: Tensor, row: Tensor, params: list[Tensor]
    ) -> Tensor:
        dummy = torch.zeros_like(outputs, requires_grad=True)
        back = torch.autograd.grad(
            outputs, params, dummy, create_graph=True, materialize_grads=True
        )
        (forward,) = torch.autograd.grad(
            back, dummy, unflatten(row, params), materialize_grads=True, retain_graph=True
        )
        bent = torch.zeros_like(still)
        if slope.requires_grad:
            (bent,) = torch.autograd.grad(
                slope, still, forward, retain_graph=True, materialize_grads=True
            )
        return flatten(
            torch.autograd.grad(outputs, params, bent, retain_graph=True, materialize_grads=True)
        )

    def _same_loss(self, point: Point) -> float | None:
        """All counts, or None. Raises InvalidInput where loss_of(outputs) is another loss."""
        total, counts, tracked = 0.0, 0.0, point.loss
        for chunk, weight in point.objective.data:
            with full_precision(point.objective.device), torch.enable_grad():
                outputs = self.outputs(*chunk)
                if not isinstance(outputs, Tensor) or not outputs.requires_grad:
                    allowed = "one tensor that depends on the parameters, not detached"
                    refuse("the result of outputs", type(outputs).__name__, allowed)
                still = outputs.detach().requires_grad_()
                value, count = self._value(still, chunk)
                _slope(value, still)
            total += float(value.detach()) * (weight if count is None else 1.0)
            counts += count or 0.0
        total /= counts or 1.0
        if abs(total - tracked) > SAME * max(abs(total), abs(tracked)):
            refuse("loss_of(outputs)", total, f"the tracked loss, {tracked:.6g}")
        return counts or None

    def _value(self, outputs: Tensor, chunk: tuple[Any, ...]) -> tuple[Tensor, float | None]:
        return loss_and_count("loss_of", self.loss_of(outputs, *chunk))


def _slope(value: Tensor, outputs: Tensor) -> Tensor:
    """d value / d outputs, with its graph."""
    slope = None
    if value.requires_grad:
        (slope,) = torch.autograd.grad(value, outputs, create_graph=True, allow_unused=True)
    if slope is None:
        allowed = "the loss of the outputs that it is given"
        refuse("loss_of's result", "of no share of its first argument", allowed)
    return slope
