"""Are Hessian products symmetric? Where they are not, they are not second derivatives, or noise.

u^T H v = v^T H u costs nothing where both are in coordinates (`Measured.compare`). Of torch's own
operations some have wrong second derivatives (weight_norm; layer, batch and instance norm under a
gradient in the loss), and near zero a float32 loss has a Hessian of roundoff: neither is always
seen by differences of gradients, and they cannot look where the gradient jumps.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from linmodel.errors import InvalidInput
from realnet.curvature.evaluated import Eigenpairs

TELLS = 10.0  # an eigenvalue was off by up to 9 times what products differed by
ROUNDINGS = 100.0  # float32's epsilons of the eigenvalue: forty layers' products differed by 14


def told(pairs: Eigenpairs, tolerance: float) -> Eigenpairs:
    """The eigenpairs with TELLS x asymmetry in their errors; not converged where it is too much."""
    off = TELLS * pairs.asymmetry
    good = pairs.converged & (off <= _allowed(pairs, tolerance))
    return replace(pairs, errors=pairs.errors + off, converged=good)


def refuse_asymmetric(pairs: Eigenpairs, tolerance: float) -> None:
    """Raises InvalidInput where that is more than the tolerance of the largest eigenvalue."""
    if TELLS * pairs.asymmetry > _allowed(pairs, tolerance):
        size = max(float(pairs.values.abs().max()), 1e-300)
        raise InvalidInput(
            f"Hessian-vector products are not symmetric, by {pairs.asymmetry / size:.2g} of the "
            f"eigenvalue, which may be off by {TELLS:g} times that (tolerance is "
            f"{tolerance:g}): the second derivatives are wrong, or rounding. torch's are wrong "
            "for weight_norm, and for layer, batch and instance norm under a gradient in the "
            "loss: write such an operation out. Where the loss is near zero, float32 is too "
            "short: track a copy in float64 (model.double())."
        )


def _allowed(pairs: Eigenpairs, tolerance: float) -> float:
    least = ROUNDINGS * torch.finfo(torch.float32).eps
    return max(tolerance, least) * float(pairs.values.abs().max())
