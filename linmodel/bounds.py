"""Bounds of the gradient flow, one function a statement: hypotheses checked, states batched.

Every function takes a state or a batch of states and returns arrays of its shape (or floats).
Rates and times are for the loss with factor 1/2; times are step size x step. The ids (F5, F8, ...)
are those of the ledger: `python -m proofs_check show F5`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize.elementwise import find_root

from linmodel.arguments import typed
from linmodel.assumptions import (
    arrays,
    fraction,
    require,
    require_one_dip,
    require_standing,
    require_strengths,
)
from linmodel.conserved import conserved
from linmodel.errors import real, refuse
from linmodel.formulas import signal_border
from linmodel.problem import Array, OpposingSignals, State


class Limit(NamedTuple):
    """Where the flow ends (F5)."""

    c: Array
    epsilon: Array
    opposing_curvature: Array
    sharpness: Array


class Range(NamedTuple):
    """A proved lower and upper bound."""

    lower: Array
    upper: Array


@typed
def limit_c_squared(kappa: ArrayLike, beta_norm: ArrayLike) -> Array:
    """F5: c_inf^2 = (kappa + sqrt(kappa^2 + 4 B^2)) / 2, the positive root of x - B^2/x = kappa.

    For kappa < 0 as 2 B^2 / (sqrt(kappa^2 + 4 B^2) - kappa), so that nothing cancels.
    """
    kappa, b_norm = np.asarray(kappa, dtype=float), np.asarray(beta_norm, dtype=float)
    root = np.hypot(kappa, 2 * b_norm) + np.abs(kappa)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(kappa >= 0, root / 2, 2 * b_norm**2 / root)


@typed
def limit(problem: OpposingSignals, start: State) -> Limit:
    """F5: (c_inf, B / c_inf, alpha c_inf^2, max(alpha c_inf^2, c_inf^2 + B^2 / c_inf^2)).

    Raises InvalidInput outside the standing hypotheses.
    """
    require_standing(problem, start)
    square = limit_c_squared(conserved(start), problem.beta_norm)
    c = np.sqrt(square)
    epsilon = problem.beta_norm / c
    curvature = problem.alpha * square
    return Limit(c, epsilon, curvature, np.maximum(curvature, square + epsilon**2))


@typed
def growth_ceiling(problem: OpposingSignals, start: State, times: ArrayLike) -> Array:
    """F8: alpha c(t)^2 <= alpha (c0^2 + epsilon0^2) e^(2 B t). Shape: times, then the batch's.

    For every start and every alpha >= 0. Raises InvalidInput on times < 0.
    """
    t = np.asarray(times, dtype=float)
    if not (t >= 0).all():
        refuse("times", times, "numbers >= 0")
    c, epsilon, _, _ = arrays(start)
    return problem.alpha * np.multiply.outer(np.exp(2 * problem.beta_norm * t), c**2 + epsilon**2)


@typed
def curvature_ceiling(problem: OpposingSignals, epsilon: ArrayLike) -> Array:
    """F9, S6 upper: alpha c^2 <= alpha B^2 / epsilon^2 along the flow.

    Under the standing hypotheses; of the opposing curvature, not of lambda_max.
    Raises InvalidInput unless epsilon > 0.
    """
    require_strengths(problem)
    value = np.asarray(epsilon, dtype=float)
    require(value > 0, "epsilon > 0", value)
    return problem.alpha * (problem.beta_norm / value) ** 2


@typed
def curvature_floor(problem: OpposingSignals, epsilon: ArrayLike, delta: ArrayLike) -> Array:
    """F9, S6 lower: alpha c^2 >= (1 - delta)^2 alpha B^2 / epsilon^2 from `floor_time` on.

    Raises InvalidInput unless epsilon > 0 and 0 < delta < 1.
    """
    return (1 - fraction("delta", np.asarray(delta))) ** 2 * curvature_ceiling(problem, epsilon)


@typed
def floor_time(problem: OpposingSignals, start: State, delta: ArrayLike) -> Array:
    """F9, S7: a time from which c epsilon >= (1 - delta) B for ever.

    `dip_time_ceiling` + log(1/delta) / c_min^2: after the dip v = B - c epsilon obeys
    v' = -c' epsilon - c^2 v <= -c_min^2 v. Raises InvalidInput unless 0 < delta < 1.
    """
    wait = -np.log(fraction("delta", np.asarray(delta)))
    with np.errstate(divide="ignore"):
        return dip_time_ceiling(problem, start) + wait / dip_floor(problem, start)


@typed
def dip_floor(problem: OpposingSignals, start: State) -> Array:
    """F7: c(t)^2 >= this for all t >= 0; alpha times it is below the dip of the opposing curvature.

    The largest of
    - kappa + b^2 n0^2 / ((b - epsilon0)^2 + n0^2), b = B / c0; it becomes c0^2 - o0^2 where
      epsilon0 b >= epsilon0^2 + n0^2. (Up to the dip c <= c0, so d epsilon/d tau >= b - epsilon;
      least value of kappa + epsilon^2 + n^2 over z = e^(-tau).)
    - (min of B x / (x^2 + n0^2 + alpha o0^2) over x from epsilon0 to |b0|)^2: c' = 0 at
      the dip.
    Both are capped at c0^2. Raises InvalidInput outside F4's hypotheses (alpha > 1/2).
    """
    require_one_dip(problem, start)
    c, epsilon, n, o = arrays(start)
    b = problem.beta_norm / c
    slack = b - epsilon
    # z < 1: the minimum lies inside, at e^(-tau) = b slack / (slack^2 + n^2).
    inside = epsilon * slack < n**2
    fallen = (b * n) ** 2 / (slack**2 + n**2)
    slow = np.where(inside, conserved(start) + fallen, (c - o) * (c + o))
    drag = n**2 + problem.alpha * o**2
    far = np.sqrt(epsilon**2 + n**2 + o**2)
    with np.errstate(invalid="ignore"):
        slaved = problem.beta_norm * np.fmin(epsilon / (epsilon**2 + drag), far / (far**2 + drag))
    return np.minimum(np.fmax(slow, np.nan_to_num(slaved) ** 2), c**2)


@typed
def dip_ceiling(problem: OpposingSignals, start: State) -> Array:
    """F7: c(t1)^2 <= this, where c0 > |o0|; else c0^2.

    From c^2 = kappa + epsilon^2 + n^2 + o^2 with epsilon <= epsilon0 + B tau / sqrt(floor), at the
    intrinsic time tau = log(max(alpha o0^2 / (c0^2 - o0^2), 1)) / (2 alpha): c0^2 - o0^2 plus
    O(B log(alpha) / alpha). Raises InvalidInput outside F4's hypotheses (alpha > 1/2).
    """
    require_one_dip(problem, start)
    c, epsilon, n, o = arrays(start)
    kept = (c - np.abs(o)) * (c + np.abs(o))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(kept > 0, problem.alpha * o**2 / kept, 1.0)
        tau = np.log(np.maximum(ratio, 1.0)) / (2 * problem.alpha)
        risen = np.where(tau > 0, problem.beta_norm * tau / np.sqrt(dip_floor(problem, start)), 0.0)
    fast = o**2 * np.exp(-2 * problem.alpha * tau)
    value = kept + risen * (2 * epsilon + risen) + n**2 * np.expm1(-2 * tau) + fast
    return np.where(kept > 0, np.minimum(value, c**2), c**2)


@typed
def dip_time_ceiling(problem: OpposingSignals, start: State) -> Array:
    """F4: t1 <= tau1 / c_min^2, c_min^2 from `dip_floor`, tau1 the root >= 0 of

        n0^2 e^(-tau) + alpha o0^2 e^(-(2 alpha - 1) tau) = s (b - s e^(-tau)),

    b = B / c0, s = b - epsilon0. (c' < 0 iff r = epsilon (B - c epsilon) / (c M) < 1,
    M = n^2 + alpha o^2, and while r < 1: d log(r)/d tau >= d log(epsilon / M)/d tau - 1,
    d epsilon/d tau >= b - epsilon.)

    Raises InvalidInput outside F4's hypotheses (alpha > 1/2).
    """
    require_one_dip(problem, start)
    c, epsilon, n, o = arrays(start)
    alpha, b = problem.alpha, problem.beta_norm / c
    slack = b - epsilon

    def falling(tau: Array, slack: Array, epsilon: Array, n: Array, o: Array) -> Array:
        drag = n**2 * np.exp(-tau) + alpha * o**2 * np.exp(-(2 * alpha - 1) * tau)
        return drag - slack * (epsilon - slack * np.expm1(-tau))

    slowest = min(1.0, 2 * alpha - 1)  # rate at which the drag falls
    late = np.log(2 * np.maximum(2 * (n**2 + alpha * o**2) / (slack * b), 1.0)) / slowest
    found = find_root(falling, (np.zeros(c.shape), late), args=(slack, epsilon, n, o))
    high = np.where(falling(np.zeros(c.shape), slack, epsilon, n, o) > 0, found.bracket[1], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(high > 0, high / dip_floor(problem, start), 0.0)


@typed
def crosses_edge(problem: OpposingSignals, start: State, step_size: float) -> Array:
    """F10: does alpha c^2 cross 2/eta on its way up? 1 yes (once), 0 never, NaN undecided.

    Exactly: iff alpha c(t1)^2 < 2/eta < alpha c_inf^2. c(t1) is only bounded here; where NaN comes
    back, `linmodel.envelope` or `gradient_flow(..., step_size=eta)` decides.
    Raises InvalidInput outside the standing hypotheses or when step_size <= 0.
    """
    level = 2 / (real("step_size", step_size, above=0) * problem.alpha)
    top = limit(problem, start).c ** 2
    surely = (dip_ceiling(problem, start) < level) & (level < top)
    never = (level >= top) | (level <= dip_floor(problem, start))
    return np.select([surely, never], [1.0, 0.0], np.nan)


@typed
def stable_minimum(
    problem: OpposingSignals, epsilon: ArrayLike, step_size: float
) -> NDArray[np.bool_]:
    """G2: is the minimum (c = B / epsilon, epsilon, 0, 0) linearly stable for descent?

    max(alpha c^2, c^2 + epsilon^2) <= 2/eta. Raises InvalidInput: epsilon = 0, step_size <= 0.
    """
    level = 2 / real("step_size", step_size, above=0)
    return minimum_sharpness(problem, epsilon) <= level


@typed
def minimum_sharpness(problem: OpposingSignals, epsilon: ArrayLike) -> Array:
    """F5, G2: lambda_max = max(alpha c^2, c^2 + epsilon^2) at c = B / epsilon, n = o = 0."""
    value = np.asarray(epsilon, dtype=float)
    require(value != 0, "|epsilon| > 0", np.abs(value))
    square = (problem.beta_norm / value) ** 2
    return np.maximum(problem.alpha * square, square + value**2)


@typed
def largest_stable_step(problem: OpposingSignals) -> float:
    """G3: eta* = 2 sqrt(alpha - 1) / (alpha B) for alpha >= 2, 1/B below.

    No minimum is stable above it. Any alpha >= 0. Raises InvalidInput when beta_norm = 0.
    """
    alpha, b_norm = problem.alpha, real("beta_norm", problem.beta_norm, above=0)
    return 1 / b_norm if alpha <= 2 else 2 * float(np.sqrt(alpha - 1)) / (alpha * b_norm)


@typed
def sharpness_range(problem: OpposingSignals, state: State) -> Range:
    """H2: bounds of lambda_max at any state, from the opposing part of the (c, o) block.

    block = alpha/2 (c^2 + o^2 + sqrt((c^2 - o^2)^2 + 16 c^2 o^2));
    block <= lambda_max <= block + max(|b|^2, c^2) + |2 c b - beta|.
    """
    c, epsilon, n, o = arrays(state)
    spread = np.hypot((c - o) * (c + o), 4 * c * o)
    block = problem.alpha / 2 * (c**2 + o**2 + spread)
    rest = signal_border(problem.beta_norm, c, epsilon, n)
    return Range(block, block + np.maximum(epsilon**2 + n**2, c**2) + rest)


@typed
def sharpness_without_outliers(problem: OpposingSignals, start: State) -> Array:
    """G5: final sharpness c_inf^2 + B^2 / c_inf^2 with alpha = 0 and kappa without its o0^2.

    Needs B > 0, c0 > 0, epsilon0 >= 0, c0 epsilon0 < B; the problem's alpha is not used.
    """
    c, epsilon, n, _ = start
    bare = State(c, epsilon, n, np.zeros(start.shape))
    without = OpposingSignals(alpha=1.0, beta_norm=problem.beta_norm)
    square = limit(without, bare).c ** 2
    return square + problem.beta_norm**2 / square


@typed
def winning_side(problem: OpposingSignals, start: State) -> Array:
    """F12: the sign of c at the end of the flow; NaN where the closed forms do not decide.

    For epsilon0 >= 0 it is +1 (F1). For epsilon0 < 0, with q = B / (B + c0 |epsilon0|) and
    rho = sqrt(B^2 + kappa^2/4):
    +1 if kappa + n0^2 q^2 + o0^2 q^(2 alpha) > 0: epsilon reaches 0 while c > 0, then F1-F5 hold;
    -1 if c0 (rho + kappa/2) < B |epsilon0| and alpha >= 1: c reaches 0 while epsilon < 0, then
    F1-F5 hold of -s; +1 if > and alpha <= 1. At alpha = 1 this decides: 0 with equality (the
    separatrix).

    Raises InvalidInput unless alpha > 0, B > 0, c0 > 0, c0 epsilon0 < B.
    """
    require_strengths(problem)
    c, epsilon, n, o = arrays(start)
    require(c > 0, "c0 > 0", c)
    require(c * epsilon < problem.beta_norm, "c0 epsilon0 < beta_norm", c * epsilon)
    kappa, b_norm = conserved(start), problem.beta_norm
    behind = np.maximum(-epsilon, 0.0)
    q = b_norm / (b_norm + c * behind)
    stays = kappa + (n * q) ** 2 + o**2 * q ** (2 * problem.alpha) > 0
    # rho + kappa/2 = c_inf^2 (F5), without cancellation.
    push = c * limit_c_squared(kappa, b_norm) - b_norm * behind
    if problem.alpha == 1:
        return np.where(behind == 0, 1.0, np.sign(push))
    right = (behind == 0) | stays | ((push > 0) & (problem.alpha < 1))
    return np.select([right, (push < 0) & (problem.alpha > 1)], [1.0, -1.0], np.nan)
