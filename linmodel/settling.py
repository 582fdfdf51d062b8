"""G4e, G4f, G4g: starts and steps from which descent is proved to settle, or to diverge.

With u = eta alpha c^2, y = eta alpha epsilon^2, w = eta (alpha o^2 + n^2) and b = eta alpha B, all
that descent does depends on alpha and b. As long as w stays small, u - (1+s) y falls at each step,
which bounds u by U0 once and for all; and while w grows (u > 2) it falls enough to bound w.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linmodel.arguments import typed
from linmodel.assumptions import arrays, require, require_standing
from linmodel.problem import Array, OpposingSignals, State

HIGHEST_WEIGHT = 0.3  # W of G4e and G4f
WEIGHTS = (0.3, 0.2, 0.1, 0.03, 0.01)  # W to try in G4e: any of them will do
SLACK = 1e-9  # every inequality must hold by so much, relative: more than rounding can add up to
HALVINGS = 60


class Settling(NamedTuple):
    """What is proved of a run of descent: arrays of the shape of start and step sizes together.

    proved   does it converge to a minimum, c epsilon = B and n = o = 0, by G4e or G4f?
    floor    at every step eta alpha c^2 >= floor (NaN where nothing is proved)
    ceiling  and <= ceiling
    weight   and eta (alpha o^2 + n^2) <= weight
    """

    proved: NDArray[np.bool_]
    floor: Array
    ceiling: Array
    weight: Array


class _Scaled(NamedTuple):
    alpha: float
    b: Array
    u: Array
    y: Array
    w: Array
    z: Array  # eta alpha n^2


@typed
def settles(problem: OpposingSignals, start: State, step_size: ArrayLike) -> Settling:
    """G4e, G4f: from which of these starts, with which step sizes, does descent surely settle?

    start, step_size  broadcast together. `proved` is False where the theorems do not reach (which
                      says nothing of the run). Floating point, each inequality by a margin of 1e-9.
    G4f asks that descent stays below the edge; G4e lets it be thrown as long as U0, about eta alpha
    c_inf^2, is below some 2.5, and n0 small: 32 eta alpha n0^2 is at most 4 or so.

    Raises InvalidInput outside the standing hypotheses of F1, or unless step_size > 0 and finite.
    """
    require_standing(problem, start)
    eta = np.asarray(step_size, dtype=float)
    require((eta > 0) & np.isfinite(eta), "step_size > 0 and finite", eta)
    c, epsilon, n, o, eta = np.broadcast_arrays(*arrays(start), eta)
    gain = eta * problem.alpha
    with np.errstate(all="ignore"):  # what overflows compares as False: not proved
        opposing = gain * o**2
        state = _Scaled(problem.alpha, gain * problem.beta_norm, gain * c**2, gain * epsilon**2,
                        opposing + eta * n**2, gain * n**2)  # fmt: skip
        best = _below(state, opposing)
        for weight in WEIGHTS:
            best = _better(best, _through(state, weight))
    return best


@typed
def diverges(problem: OpposingSignals, state: State, step_size: ArrayLike) -> NDArray[np.bool_]:
    """G4g: from which of these states, of any signs, does descent with these step sizes diverge?

    u = eta alpha c^2 and v = eta alpha o^2 above 2, and eta B^2 <= 2 (min(u, v) - 2) c^2. False
    says nothing. Floating point, each inequality by a relative margin of 1e-9.

    Raises InvalidInput unless step_size > 0 and finite, and alpha > 0.
    """
    eta = np.asarray(step_size, dtype=float)
    require((eta > 0) & np.isfinite(eta), "step_size > 0 and finite", eta)
    require(np.asarray(problem.alpha > 0), "alpha > 0", np.asarray(problem.alpha))
    c, _, _, o = arrays(state)
    with np.errstate(all="ignore"):  # what overflows is inf, and large enough
        gain = eta * problem.alpha
        excess = np.minimum(gain * c**2, gain * o**2) * (1 - SLACK) - 2
        pull = eta * problem.beta_norm**2 <= 2 * excess * c**2 * (1 - SLACK)
    return np.asarray((excess > 0) & pull)


def _below(at: _Scaled, opposing: Array) -> Settling:
    """G4f: the floor depends on U0, which depends on the floor: tried at fractions of u0."""
    best = _nothing(at.u)
    for fraction in (0.9, 0.5, 0.2, 0.05):
        floor = fraction * at.u
        ceiling = _ceiling(at, floor)
        left = at.u - 2 * opposing / (2 - ceiling) - 2 * at.z / (2 - ceiling / at.alpha)
        proved = (ceiling < 2 - SLACK) & (left * (1 - SLACK) >= floor) & _slow(at, floor, ceiling)
        proved &= at.w <= HIGHEST_WEIGHT * (1 - SLACK)
        best = _better(best, _given(proved, floor, ceiling, at.w * (1 + SLACK)))
    return best


def _through(at: _Scaled, weight: float) -> Settling:
    """G4e with W = weight."""
    opposing = at.w - at.z / at.alpha
    least = np.minimum((4 - at.u - opposing) ** 2 * (at.u - opposing), (2 - weight) ** 3)
    # n's share, 32 z/(2 - U0/alpha), with U0 <= alpha: at most 32 z, which needs no U0.
    floor = _floor((least - 32 * at.z) * (1 - SLACK))
    ceiling = _ceiling(at, floor)
    over = np.maximum(ceiling - 2, 0)
    gamma = 4 * (1 - weight / 2) / (4 + (1 + _extra(at, floor)) * at.b**2)
    allowed = 4 * gamma * weight * (1 - SLACK)
    proved = (at.w <= weight * (1 - SLACK)) & (opposing < at.u * (1 - SLACK))
    proved &= (at.u <= 2 * (1 - SLACK)) & (over <= 1) & _slow(at, floor, ceiling)
    proved &= (1 + over) ** 2 * (4 * gamma * at.w + over**2) <= allowed
    return _given(proved, floor, ceiling, np.full_like(at.u, weight))


def _floor(value: Array) -> Array:
    """m in (0, 4/3] with m (4-m)^2 <= value, by halving from below; 0 where value <= 0."""
    low, high = np.zeros_like(value), np.full_like(value, 4 / 3)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        fits = middle * (4 - middle) ** 2 <= value
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    return low


def _extra(at: _Scaled, floor: Array) -> Array:
    """s = b^2 / (8 alpha m)."""
    return np.asarray(at.b**2 / (8 * at.alpha * floor))


def _ceiling(at: _Scaled, floor: Array) -> Array:
    """U0: the positive root of U^2 - (u0 - (1+s) y0) U = (1+s) b^2, rounded up."""
    stretch = 1 + _extra(at, floor)
    k = at.u - stretch * at.y
    root = np.hypot(k, 2 * np.sqrt(stretch) * at.b)
    # The form without a difference of nearly equal numbers.
    upper = np.where(k >= 0, (k + root) / 2, 2 * stretch * at.b**2 / (root - k))
    return np.asarray(upper * (1 + SLACK))


def _slow(at: _Scaled, floor: Array, ceiling: Array) -> NDArray[np.bool_]:
    """The step is small enough for (c, epsilon): c epsilon <= B for ever."""
    ends = np.maximum(floor + at.b**2 / floor, ceiling + at.b**2 / ceiling)
    small = ends + at.b**2 / (4 * at.alpha) <= at.alpha * (1 - SLACK)
    return np.asarray(small & (floor > 0))


def _nothing(like: Array) -> Settling:
    nan = np.full_like(like, np.nan)
    return Settling(np.zeros(like.shape, bool), nan, nan, nan)


def _given(proved: NDArray[np.bool_], *bounds: Array) -> Settling:
    low, high, weight = (np.where(proved, one, np.nan) for one in bounds)
    return Settling(np.asarray(proved), low, high, weight)


def _better(first: Settling, second: Settling) -> Settling:
    """The first where it proves something; else the second."""
    pairs = zip(first, second, strict=True)
    return Settling(*(np.where(first.proved, a, b) for a, b in pairs))
