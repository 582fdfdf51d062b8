"""Are Hessian products symmetric? Where they are not, they are not second derivatives, or noise.

u^T H v = v^T H u costs two inner products of n numbers. Of torch's own operations some have wrong
second derivatives (weight_norm; layer, batch and instance norm under a gradient in the loss), and
near zero a float32 loss has a Hessian of roundoff: neither is always seen by differences of
gradients, and they cannot look where the gradient jumps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from linmodel.errors import InvalidInput
from realnet.curvature.evaluated import Eigenpairs
from realnet.curvature.secant import dots

TELLS = 10.0  # an eigenvalue was off by up to 9 times what products differed by
ROUNDINGS = 100.0  # float32's epsilons of the eigenvalue: forty layers' products differed by 14


class Symmetric:
    """Products (m, n) -> (m, n), of unit vectors; `off` is the largest |u^T H v - v^T H u| seen.

    Of each two products, so that half of them cost nothing.
    """

    def __init__(self, products: Callable[[Tensor], Tensor]) -> None:
        self.products, self.off = products, 0.0
        self._before: tuple[Tensor, Tensor] | None = None

    def __call__(self, vectors: Tensor) -> Tensor:
        """H V by rows."""
        images = self.products(vectors)
        for v, image in zip(vectors, images, strict=True):
            self._look(v, image)
        return images

    def _look(self, v: Tensor, image: Tensor) -> None:
        if self._before is None:
            self._before = v.clone(), image.clone()  # both will be written over
            return
        u, its_image = self._before
        self.off = max(self.off, abs(float(dots(v[None], its_image) - dots(u[None], image))))
        self._before = None

    def told(self, pairs: Eigenpairs, tolerance: float) -> Eigenpairs:
        """The eigenpairs with TELLS x off in their errors; not converged where it is too much."""
        good = pairs.converged & (TELLS * self.off <= _allowed(pairs, tolerance))
        return replace(pairs, errors=pairs.errors + TELLS * self.off, converged=good)

    def refuse(self, pairs: Eigenpairs, tolerance: float) -> None:
        """Raises InvalidInput where that is more than the tolerance of the largest eigenvalue."""
        if TELLS * self.off > _allowed(pairs, tolerance):
            size = max(float(pairs.values.abs().max()), 1e-300)
            raise InvalidInput(
                f"Hessian-vector products are not symmetric, by {self.off / size:.2g} of the "
                f"eigenvalue, which may be off by {TELLS:g} times that (tolerance is "
                f"{tolerance:g}): the second derivatives are wrong, or rounding. torch's are wrong "
                "for weight_norm, and for layer, batch and instance norm under a gradient in the "
                "loss: write such an operation out. Where the loss is near zero, float32 is too "
                "short: track a copy in float64 (model.double())."
            )


def _allowed(pairs: Eigenpairs, tolerance: float) -> float:
    least = ROUNDINGS * torch.finfo(torch.float32).eps
    return max(tolerance, least) * float(pairs.values.abs().max())
