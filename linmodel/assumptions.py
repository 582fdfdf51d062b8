"""What the theorems assume of a start, checked: InvalidInput names the assumption that fails."""

from __future__ import annotations

from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from linmodel.arguments import typed
from linmodel.errors import InvalidInput, refuse
from linmodel.problem import Array, OpposingSignals, State


@typed
def arrays(state: State) -> tuple[Array, Array, Array, Array]:
    """c, epsilon, n, o as float64 arrays of the batch's common shape."""
    c, epsilon, n, o = np.broadcast_arrays(*(np.asarray(value, dtype=float) for value in state))
    return c, epsilon, n, o


@typed
def require_standing(problem: OpposingSignals, start: State) -> None:
    """Refuse a start outside the standing hypotheses of F1-F3 and F5.

    alpha > 0, B > 0, c0 > 0, epsilon0 >= 0, c0 epsilon0 < B (every state of a batch).
    For epsilon0 < 0 see `linmodel.bounds.winning_side`; a start with c0 < 0 is the mirror image
    (s -> -s) of one with c0 > 0.
    """
    require_strengths(problem)
    c, epsilon, _, _ = arrays(start)
    require(c > 0, "c0 > 0", c)
    require(epsilon >= 0, "epsilon0 >= 0", epsilon)
    require(c * epsilon < problem.beta_norm, "c0 epsilon0 < beta_norm", c * epsilon)


@typed
def require_one_dip(problem: OpposingSignals, start: State) -> None:
    """Refuse a start outside F4's hypotheses: the standing ones with alpha > 1/2."""
    if problem.alpha <= 0.5:
        _refuse("alpha > 1/2", problem.alpha)
    require_standing(problem, start)


@typed
def require_convex(problem: OpposingSignals, start: State) -> None:
    """Refuse a start outside F11's hypotheses: the standing ones with alpha >= 1."""
    if problem.alpha < 1:
        _refuse("alpha >= 1", problem.alpha)
    require_standing(problem, start)


@typed
def require_strengths(problem: OpposingSignals) -> None:
    """Refuse a problem with alpha = 0 or B = 0."""
    if problem.alpha <= 0:
        _refuse("alpha > 0", problem.alpha)
    if problem.beta_norm <= 0:
        _refuse("beta_norm > 0", problem.beta_norm)


@typed
def require(holds: NDArray[np.bool_], hypothesis: str, values: Array) -> None:
    """Refuse with `hypothesis` and the first value of the batch for which it fails."""
    failed = ~np.asarray(holds)
    if failed.any():
        _refuse(hypothesis, float(np.asarray(values)[failed].flat[0]))


@typed
def fraction(name: str, value: Array | float) -> Array:
    """`value` as an array with entries in (0, 1), or InvalidInput."""
    array = np.asarray(value, dtype=float)
    if not ((array > 0) & (array < 1)).all():
        refuse(name, value, "numbers in (0, 1)")
    return array


def _refuse(hypothesis: str, value: float) -> NoReturn:
    raise InvalidInput(f"the statement assumes {hypothesis}; here the left side is {value:g}.")
