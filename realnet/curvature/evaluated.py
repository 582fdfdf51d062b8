"""What one evaluation of the curvature finds."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Eigenpairs:
    """values (k,) descending, vectors (k, n) as rows, residuals ||H v - lambda v|| (k,).

    `errors`: estimated eigenvalue errors (k,); `converged` (k,): within the tolerance asked and
    with the search for larger eigenvalues finished. Values and residuals are of the products
    themselves, in coordinates of an orthonormal basis, float64. `missed`: a bound on the
    probability that a larger eigenvalue was missed (module `assurance`); NaN: not asked.
    `asymmetry`: the largest |u^T H v - v^T H u| of unit vectors multiplied, beyond rounding.
    """

    values: Tensor
    vectors: Tensor
    residuals: Tensor
    errors: Tensor
    converged: Tensor
    products: int
    missed: float
    asymmetry: float


@dataclass(frozen=True, slots=True)
class Curvature:
    """The k algebraically largest eigenpairs of the Hessian at one point, descending.

    values, residuals ||H v - lambda v||, errors (estimated) and converged: (k,); vectors: (k, n),
    rows, in the order of the parameters; loss; gradient (n,), of the same point, so that the
    training step need not compute it again; products: Hessian-vector products spent.
    missed: a bound on the probability that an eigenvalue larger than the k-th was missed by more
    than the tolerance (module `assurance`); NaN where assurance="fast" did not ask.
    step: where products are differences of gradients, the h of (g(w + h v) - g(w - h v)) / 2 h,
    |v| = 1, else NaN; doubt (k,): by how much that may put the eigenvalues off (`difference`),
    also in `errors`. Such products were not verified by second derivatives.
    Printed, it is a sentence.
    """

    values: Tensor
    vectors: Tensor
    residuals: Tensor
    errors: Tensor
    converged: Tensor
    products: int
    loss: float
    gradient: Tensor
    missed: float = math.nan
    step: float = math.nan
    doubt: Tensor | None = None

    def __str__(self) -> str:
        converged = "converged" if bool(self.converged.all()) else "not converged"
        values = ", ".join(f"{value:.6g}" for value in self.values.tolist())
        return (
            f"{values} ({converged}, {self.products} products, estimated error "
            f"{float(self.errors.max()):.2g}{said(self.missed)}{self._differences()})"
        )

    def _differences(self) -> str:
        if self.doubt is None:
            return ""
        return f"; {differences(self.step, float(self.doubt.max()))}"

    @property
    def sharpness(self) -> float:
        """The largest eigenvalue (not the largest absolute value)."""
        return float(self.values[0])


def said(missed: float) -> str:
    """The bound in words; "" where there is none."""
    if math.isnan(missed):
        return ""
    if missed >= 1:
        return "; how probable it is that a larger one was missed is not known"
    return f"; a larger one was missed with a probability of at most {missed:.1g}"


def differences(step: float, doubt: float) -> str:
    """That products are differences of gradients, and what that means, in words."""
    return (
        f"products are differences of gradients at a step of {step:.2g}, off by at most "
        f"{doubt:.2g}, not verified by second derivatives"
    )
