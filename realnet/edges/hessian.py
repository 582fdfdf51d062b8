"""Eigenvalues of the Hessian: the largest, the most negative, the largest in absolute value."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from realnet.curvature.evaluated import Eigenpairs
from realnet.edges.point import Point
from realnet.edges.quantity import Measured
from realnet.edges.solving import bound, largest, smallest

FAR = 0.5  # of the other end's value: a Ritz value nearer than that may be of a crowd beyond it


@dataclass(frozen=True)
class Top:
    """The tracker's own k largest eigenvalues. Threshold: descent 2/eta, heavy ball
    2 (1 + m)/eta, Nesterov 2 (1 + m)/((1 + 2m) eta), SAM's (S3, G9, G10)."""

    name = "sharpness"
    definition = "largest eigenvalue of the Hessian of the loss over all data (sharpness)"
    unit = "1 / time"
    source = "Cohen et al. 2021, arXiv 2103.00065"

    def measure(self, point: Point) -> Measured:
        """more: values (k,), vectors (k, n), residuals, errors."""
        found = point.curvature
        return Measured(
            found.sharpness,
            point.threshold(),
            converged=_all(found),
            missed=bound(found.missed),
            more=_parts(found),
            step=None if found.doubt is None else found.step,
            doubt=None if found.doubt is None else float(found.doubt.max()),
        )


@dataclass(frozen=True)
class MostNegative:
    """The k algebraically smallest eigenvalues: those of -H, turned around. No threshold."""

    k: int = 1
    name = "negative"
    definition = "smallest eigenvalue of the Hessian of the loss over all data"
    unit = "1 / time"
    source = "Cohen et al. 2021, arXiv 2103.00065"

    def measure(self, point: Point) -> Measured:
        """more: values (k,) ascending, vectors (k, n)."""
        found = smallest(point, self.name, self.k)
        more = _parts(found) | {"values": -found.values}
        good, missed = _all(found), bound(found.missed)
        return Measured(-float(found.values[0]), converged=good, missed=missed, more=more)


@dataclass(frozen=True)
class LargestMagnitude:
    """The k eigenvalues of largest absolute value, signs kept: of the k most extreme on each
    side. No threshold: descent is unstable by the positive ones only."""

    k: int = 1
    name = "magnitude"
    definition = "eigenvalue of the Hessian that is largest in absolute value, with its sign"
    unit = "1 / time"
    source = "Yao et al. 2020 (PyHessian), arXiv 1912.07145"

    def measure(self, point: Point) -> Measured:
        """more: values (k,) by falling absolute value, vectors (k, n)."""
        up = largest(point, "magnitude up", point.products, self.k)
        level = FAR * float(up.values[-1])  # what is by far smaller is not among the k
        down = smallest(point, "magnitude down", self.k, level)
        values = torch.cat([up.values, -down.values])
        order = values.abs().argsort(descending=True)[: min(self.k, point.objective.n)]
        vectors = torch.cat([up.vectors, down.vectors])[order.to(up.vectors.device)]
        more = {"values": values[order], "vectors": vectors}
        missed = bound(up.missed + down.missed)
        good = _all(up) and _all(down)  # what is left out is known to be smaller
        return Measured(float(values[order][0]), converged=good, missed=missed, more=more)


def _all(found: Eigenpairs) -> bool:
    return bool(found.converged.all())


def _parts(found: Eigenpairs) -> dict:
    return {
        "values": found.values,
        "vectors": found.vectors,
        "residuals": found.residuals,
        "errors": found.errors,
    }
