"""G8: what steps of descent do to kappa, which the flow conserves."""

from __future__ import annotations

import numpy as np

from linmodel.arguments import typed
from linmodel.assumptions import arrays
from linmodel.errors import real
from linmodel.formulas import Values
from linmodel.problem import Array, OpposingSignals, State
from linmodel.reduction import Parameters


@typed
def kappa_change(problem: OpposingSignals, state: State, step_size: float) -> Array:
    """G8: kappa+ - kappa = eta^2 (c'^2 - epsilon'^2 - n'^2 - o'^2) over one step of descent.

    Shape of the state's batch. Exact: the terms linear in eta cancel (M6). It is <= 0 wherever
    kappa >= 0. Raises InvalidInput when step_size <= 0.
    """
    eta = real("step_size", step_size, above=0)
    c, epsilon, n, o = arrays(state)
    missing = problem.beta_norm - c * epsilon
    slope = epsilon * missing - c * (n**2 + problem.alpha * o**2)
    rest = (missing**2 + n**2 * c**2 + (problem.alpha * o * c) ** 2) * c**2
    return np.asarray(eta**2 * (slope**2 - rest))


@typed
def network_kappa(parameters: Parameters) -> float:
    """c^2 - |b|^2 - |b_o|^2 of the full network: kappa with all of b_o."""
    b, b_o = np.asarray(parameters.b), np.asarray(parameters.b_o)
    return float(parameters.c**2 - b @ b - b_o @ b_o)


@typed
def kappa_ceiling(kappa: Values, step_size: float, slope_norm: Values) -> Array:
    """G8: kappa+ <= (1 - eta^2 |g|^2) kappa, g the gradient of a step's loss in w = c b.

    For any loss of c (b.x), any data and batch. Raises InvalidInput when step_size <= 0.
    """
    eta = real("step_size", step_size, above=0)
    return np.asarray((1 - (eta * np.asarray(slope_norm)) ** 2) * np.asarray(kappa))
