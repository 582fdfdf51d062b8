"""G11: weight decay mu, that is the loss L + mu/2 (c^2 + |b|^2 + |b_o|^2)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from linmodel.arguments import typed
from linmodel.bounds import limit_c_squared
from linmodel.errors import real, refuse
from linmodel.problem import Array, OpposingSignals


class DecayedMinimum(NamedTuple):
    """The minimum with c > 0 (c = epsilon, n = o = 0), and the decayed loss's spectrum there."""

    c: float
    epsilon: float
    opposing_curvature: float
    sharpness: float


@typed
def kappa_decayed(kappa: ArrayLike, decay: float, times: ArrayLike) -> Array:
    """G11: kappa e^(-2 mu t) along the flow with weight decay. Shape: times, then kappa's.

    Raises InvalidInput when decay < 0.
    """
    mu = real("decay", decay, low=0)
    return np.multiply.outer(np.exp(-2 * mu * np.asarray(times, float)), np.asarray(kappa, float))


@typed
def decayed_minimum(problem: OpposingSignals, decay: float) -> DecayedMinimum:
    """G11: c^2 = epsilon^2 = B - mu for 0 < mu < B; curvature on P b_o alpha (B - mu) + mu.

    Sharpness max(alpha (B - mu) + mu, 2 (B - mu), B) of the decayed loss. Descent is linearly
    stable there iff it is at most 2/eta. Raises InvalidInput unless 0 < decay < beta_norm: from
    B on the only minimum is 0.
    """
    mu = real("decay", decay, above=0)
    if mu >= problem.beta_norm:
        refuse("decay", decay, f"below beta_norm = {problem.beta_norm:g}",
               "From there on the only minimum is c = 0.")  # fmt: skip
    square = float(limit_c_squared(0.0, problem.beta_norm - mu))
    curvature = problem.alpha * square + mu
    top = max(curvature, 2 * square, problem.beta_norm)
    return DecayedMinimum(square**0.5, square**0.5, curvature, top)
