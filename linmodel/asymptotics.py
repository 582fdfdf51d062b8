"""Large alpha: closed formulas for the dip's time and depth and for the time of crossing 2/eta.

Matched asymptotics in 1/alpha. With w^2 = c^2 - o^2 = kappa + epsilon^2 + n^2, slow, and
g = epsilon B/c - epsilon^2 - n^2, (log(o/c))' = -alpha w^2 - g: after a first layer of length
log(alpha)/alpha, o is gone (o0 < c0) or c is (o0 > c0). At the dip alpha o^2 = g.
- "kept", c0 > |o0|: then the flow without o, from slightly moved values: closed form.
- "plateau", |o0| > c0: c is led by epsilon B / (alpha o^2) for a time of order alpha; epsilon grows
  until o^2 = -kappa - epsilon^2 - n^2 is used up, then the flow without o from c = 0.
The error orders (F13) hold for fixed start, B and eta alpha; they are not uniform as o0 -> c0.
Times are step size x step, the loss has the factor 1/2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize.elementwise import find_root
from scipy.special import spence

from linmodel.arguments import typed
from linmodel.assumptions import arrays, require, require_one_dip
from linmodel.comparison import Comparison
from linmodel.conserved import conserved
from linmodel.errors import real
from linmodel.problem import Array, OpposingSignals, State


@dataclass(frozen=True)
class Dip:
    """Where alpha c^2 is least: time, and c^2 there. Arrays of the batch's shape."""

    time: Array
    c_squared: Array


@typed
def dip(problem: OpposingSignals, start: State) -> Dip:
    """F13: t1 and c(t1)^2 for large alpha.

    kept, with w^2 = c0^2 - o0^2, g = epsilon0 B/w - epsilon0^2 - n0^2 > 0, L = log(alpha o0^2/g):
        t1 = (L + log(w^2 / c0^2)) / (2 alpha w^2), relative error O(log(alpha)/alpha);
        c^2 = w^2 + (2 epsilon0 B I - (epsilon0^2 + n0^2) L + g) / alpha,
        I = log(2 w sqrt(alpha/g) |o0| / (c0 + w)) / w, error O(log(alpha)^2 / alpha^2).
    plateau, with m^2 = o0^2 - c0^2:
        t1 = log(alpha^3 m^7 c0 / (|o0| epsilon0 B^3 (1 + 2 epsilon0^2/m^2))) / (alpha m^2) and
        c^2 = (epsilon0 B / (alpha m^2))^2, relative errors O(log(alpha)/alpha).

    Raises InvalidInput unless the standing hypotheses hold, epsilon0 > 0, o0 not 0 or c0, and,
    where c0 > |o0|, g > 0 and L + log(w^2/c0^2) > 0 (else the dip is not in the first layer).
    """
    c, epsilon, n, o = _checked(problem, start)
    kept = _kept_dip(problem, c, epsilon, n, o)
    led = _plateau_dip(problem, c, epsilon, o)
    above = c > o
    return Dip(*(np.where(above, a, b) for a, b in zip(kept, led, strict=True)))


@typed
def edge_time(problem: OpposingSignals, start: State, step_size: float) -> Array:
    """F13: the time at which alpha c^2 rises through 2/eta, for large alpha; NaN where it does not.

    kept: the flow without o takes c^2 to 2 / (eta alpha), from
        epsilon0 + (B log(2 c0 / (c0 + w)) / w - epsilon0 log(c0/w)) / alpha,
        n0 (1 - log(c0/w) / alpha): error O(log(alpha)^2 / alpha^2).
    plateau, M^2 = o0^2 - c0^2 + epsilon0^2: alpha (M^2 log(M/epsilon0) - m^2/2) / B^2, its
    correction of order 1, and the flow without o from (0, M, n0): absolute error O(alpha^(-1/3)).

    Raises InvalidInput unless the standing hypotheses hold, epsilon0 > 0, o0 not 0 or c0.
    """
    level = 2 / (real("step_size", step_size, above=0) * problem.alpha)
    c, epsilon, n, o = _checked(problem, start)
    b_norm, alpha = problem.beta_norm, problem.alpha
    w = _root(c, o)
    lost = np.log(c / w)
    moved = epsilon + (b_norm * np.log(2 * c / (c + w)) / w - epsilon * lost) / alpha
    n_moved = n**2 * np.exp(-2 * lost / alpha)
    kappa = conserved(State(c, epsilon, n, o))
    c_moved = np.sqrt(np.maximum(kappa + moved**2 + n_moved, np.finfo(float).tiny))
    far = np.sqrt(_root(o, c) ** 2 + epsilon**2)
    above = c > o
    flow = Comparison(
        np.where(above, c_moved, 1e-12 * far),
        np.where(above, moved, far),
        np.where(above, n_moved, n**2),
        np.broadcast_to(b_norm, c.shape),
    )
    wait = np.where(above, 0.0, _plateau_length(problem, c, epsilon, n, o))
    return wait + _rise(flow, level)


def _checked(problem: OpposingSignals, start: State) -> tuple[Array, Array, Array, Array]:
    require_one_dip(problem, start)
    c, epsilon, n, o = arrays(start)
    require(epsilon > 0, "epsilon0 > 0", epsilon)
    require(o != 0, "|o0| > 0", np.abs(o))
    require(np.abs(o) != c, "|o0| - c0 not 0", np.abs(o) - c)
    return c, epsilon, np.abs(n), np.abs(o)


def _root(large: Array, small: Array) -> Array:
    """sqrt(large^2 - small^2), 1 where that is negative (the other branch is used there)."""
    square = (large - small) * (large + small)
    return np.sqrt(np.where(square > 0, square, 1.0))


def _kept_dip(
    problem: OpposingSignals, c: Array, epsilon: Array, n: Array, o: Array
) -> tuple[Array, Array]:
    alpha, b_norm, w, above = problem.alpha, problem.beta_norm, _root(c, o), c > o
    drive = epsilon * b_norm / w - epsilon**2 - n**2
    name = "epsilon0 B / sqrt(c0^2 - o0^2) > epsilon0^2 + n0^2"
    require((drive > 0) | ~above, name, drive)
    drive = np.where(above, drive, 1.0)
    long = np.log(alpha * o**2 / drive)
    wait = long + 2 * np.log(w / c)
    require((wait > 0) | ~above, "alpha large enough for a dip in the first layer", wait)
    inner = np.log(2 * w * np.sqrt(alpha / drive) * o / (c + w)) / w
    gain = 2 * epsilon * b_norm * inner - (epsilon**2 + n**2) * long + drive
    return wait / (2 * alpha * w**2), w**2 + gain / alpha


def _plateau_dip(
    problem: OpposingSignals, c: Array, epsilon: Array, o: Array
) -> tuple[Array, Array]:
    alpha, b_norm, m = problem.alpha, problem.beta_norm, _root(o, c)
    growth = 1 + 2 * epsilon**2 / m**2
    argument = alpha**3 * m**7 * c / (o * epsilon * b_norm**3 * growth)
    require((argument > 1) | (c > o), "alpha large enough for a plateau", argument)
    time = np.log(np.maximum(argument, 1.0)) / (alpha * m**2)
    return time, (epsilon * b_norm / (alpha * m**2)) ** 2


def _plateau_length(
    problem: OpposingSignals, c: Array, epsilon: Array, n: Array, o: Array
) -> Array:
    """Time until the slow curve c = epsilon B / (alpha o^2) has used up o, to order 1."""
    alpha, b_norm, m = problem.alpha, problem.beta_norm, _root(o, c)
    far = np.sqrt(m**2 + epsilon**2)
    rise = np.log(far / epsilon)
    # dt = (alpha o^2 + 2 epsilon^2 + n^2) / (B^2 epsilon) d epsilon on the slow curve, with
    # o^2 = M^2 - epsilon^2 + (n0^2 - n^2), n^2 = n0^2 (o / o0)^(2 / alpha).
    leading = far**2 * rise - m**2 / 2
    dilogarithm = spence(0.0) - spence(1 - (epsilon / far) ** 2)
    drift = 2 * np.log(far / o) * rise - dilogarithm / 2
    order_one = m**2 + n**2 * rise - n**2 * drift
    # The first layer moves epsilon before the slow curve begins.
    ratio = np.minimum(c / o, 1.0)
    jump = b_norm * np.arcsin(ratio) / m - epsilon * np.log(o / m)
    order_one = order_one - (far**2 / epsilon - epsilon) * jump
    return (alpha * leading + order_one) / b_norm**2


def _rise(flow: Comparison, level: float) -> Array:
    """Own time at which c^2 of a comparison flow rises through level; NaN where it does not."""
    rows = flow.c, flow.epsilon, flow.rest, flow.b_norm

    def slope(s: Array, *row: Array) -> Array:
        """Of the sign of c'."""
        at = Comparison(*row)
        c, epsilon = at.at(s)
        return epsilon * at.b_norm - c * (epsilon**2 + at.rest * np.exp(-2 * at.intrinsic(s)))

    def height(s: Array, *row: Array) -> Array:
        return Comparison(*row).at(s)[0] ** 2 - level

    begin, end = np.zeros(flow.c.shape), 60 / flow.rho
    falls = slope(begin, *rows) < 0
    dip = np.where(falls, find_root(slope, (begin, end), args=rows).bracket[0], begin)
    reaches = (height(dip, *rows) < 0) & (height(end, *rows) > 0)
    return np.where(reaches, find_root(height, (dip, end), args=rows).x, np.nan)
