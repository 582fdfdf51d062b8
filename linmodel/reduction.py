"""Exact reduction of the full network (c, b, b_o) to (c, epsilon, n, o), and back (M5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammainc

from linmodel.arguments import typed
from linmodel.errors import generator, integer, refuse
from linmodel.problem import Array, OpposingSignals, State, single


@dataclass(frozen=True)
class Parameters:
    """The full network f = c (b.x + b_o.x_o): c a number, b of shape (d1,), b_o of shape (d2,)."""

    c: float
    b: Array
    b_o: Array


@dataclass(frozen=True)
class Frame:
    """The directions in which a reduced state lives: what `expand` needs to rebuild the network.

    beta_hat  (d1,) the unit vector beta / ||beta||
    n_hat     (d1,) unit vector of b's part across beta_hat, or zeros where that part is 0
    o_hat     (d2,) unit vector of P b_o (aligned: 1 / sqrt(d2)), or zeros where it is 0
    unmoved   (d2,) the part of b_o outside the support of the opposing covariance; never moves
    """

    beta_hat: Array
    n_hat: Array
    o_hat: Array
    unmoved: Array


@typed
def signal_direction(problem: OpposingSignals, beta: ArrayLike | None = None) -> Array:
    """beta / ||beta||; the first coordinate axis where beta is None.

    Raises InvalidInput when beta has the wrong shape or ||beta|| is not beta_norm.
    """
    if beta is None:
        return np.eye(1, problem.d1)[0]
    vector = np.asarray(beta, dtype=float)
    norm = float(np.linalg.norm(vector))
    if vector.shape != (problem.d1,) or norm == 0 or not np.isfinite(norm):
        refuse(
            "beta", f"an array of shape {vector.shape}, norm {norm:g}", f"({problem.d1},), not 0"
        )
    # A direction is enough where beta_norm = 0.
    if problem.beta_norm > 0 and not np.isclose(norm, problem.beta_norm, rtol=1e-9):
        refuse("||beta||", norm, f"beta_norm = {problem.beta_norm}", "Scale beta.")
    return vector / norm


@typed
def reduce(
    problem: OpposingSignals, parameters: Parameters, beta: ArrayLike | None = None
) -> tuple[State, Frame]:
    """Coordinates of the network: epsilon = beta_hat.b, n >= 0, o (>= 0 unless aligned). M5.

    Raises InvalidInput when shapes do not fit d1 and d2, or a value is not finite.
    """
    b, b_o = np.asarray(parameters.b, dtype=float), np.asarray(parameters.b_o, dtype=float)
    if b.shape != (problem.d1,) or b_o.shape != (problem.d2,):
        refuse("shapes of (b, b_o)", (b.shape, b_o.shape), f"({problem.d1},) and ({problem.d2},)")
    beta_hat = signal_direction(problem, beta)
    epsilon = float(beta_hat @ b)
    across = b - epsilon * beta_hat
    n, n_hat = _length_and_direction(across)
    if problem.support == "aligned":
        o_hat = np.full(problem.d2, problem.d2**-0.5)
        o = float(o_hat @ b_o)
        unmoved = b_o - o * o_hat
    else:
        o, o_hat = _length_and_direction(b_o)
        unmoved = np.zeros(problem.d2)
    return single(State(parameters.c, epsilon, n, o)), Frame(beta_hat, n_hat, o_hat, unmoved)


@typed
def expand(state: State, frame: Frame) -> Parameters:
    """The network whose coordinates in `frame` are `state`; the inverse of `reduce`."""
    c, epsilon, n, o = (float(np.asarray(value)) for value in single(state))
    b = epsilon * frame.beta_hat + n * frame.n_hat
    return Parameters(c, b, o * frame.o_hat + frame.unmoved)


@typed
def standard_parameters(problem: OpposingSignals, rng: int | np.random.Generator = 0) -> Parameters:
    """Standard initialisation: c = 1, b and b_o independent N(0, 1/d), d = d1 + d2 (section 3).

    rng  a seed or a Generator. Raises InvalidInput for a seed < 0.
    """
    rng = generator("rng", rng)
    scale = (problem.d1 + problem.d2) ** -0.5
    b = scale * rng.standard_normal(problem.d1)
    return Parameters(1.0, b, scale * rng.standard_normal(problem.d2))


@typed
def standard_state(problem: OpposingSignals, rng: int | np.random.Generator = 0) -> State:
    """One draw of the standard initialisation, reduced; beta along the first axis.

    rng  a seed or a Generator; epsilon < 0 for half of them: then F1-F5 do not apply

    Raises InvalidInput for a seed < 0.
    """
    return reduce(problem, standard_parameters(problem, rng))[0]


@typed
def probability_o_below_c(d1: int, d2: int) -> float:
    """F6: P(|o0| < c0 = 1) for b_o ~ N(0, I/d), d = d1 + d2, isotropic support: P(chi2_d2 < d).

    Raises InvalidInput unless d1 and d2 are whole numbers >= 1.
    """
    d1, d2 = integer("d1", d1, low=1), integer("d2", d2, low=1)
    return float(gammainc(d2 / 2, (d1 + d2) / 2))


def _length_and_direction(vector: Array) -> tuple[float, Array]:
    length = float(np.linalg.norm(vector))
    return length, (vector / length if length > 0 else np.zeros_like(vector))
