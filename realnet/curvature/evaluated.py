"""What one evaluation of the curvature finds."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Curvature:
    """The k algebraically largest eigenpairs of the Hessian at one point, descending.

    values, residuals ||H v - lambda v||, errors (estimated) and converged: (k,); vectors: (k, n),
    rows, in the order of the parameters; loss; gradient (n,), of the same point, so that the
    training step need not compute it again; products: Hessian-vector products spent.
    """

    values: Tensor
    vectors: Tensor
    residuals: Tensor
    errors: Tensor
    converged: Tensor
    products: int
    loss: float
    gradient: Tensor

    @property
    def sharpness(self) -> float:
        """The largest eigenvalue (not the largest absolute value)."""
        return float(self.values[0])
