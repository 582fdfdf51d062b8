"""The exact solution M8: explicit in time where the opposing term is absent, or alpha = 1."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from linmodel.arguments import typed
from linmodel.curves import trajectory
from linmodel.errors import InvalidInput
from linmodel.problem import Array, OpposingSignals, State, single
from linmodel.times import time_grid


@typed
def closed_form(problem: OpposingSignals, start: State, times: ArrayLike) -> xr.Dataset:
    """Gradient flow in closed form (M8), as a Dataset like `gradient_flow`'s.

    Hypotheses, one of: o0 = 0; alpha = 1; beta_norm = 0 with epsilon0 = n0 = 0; alpha = 0.
    With Q = (b, c), kappa = c0^2 - |b0|^2 and F = [[-kappa/2 I, beta], [beta^T, kappa/2]]:
    Q(t) = e^(Ft) Q0 / sqrt(1 + int_0^t |e^(Fs) Q0|^2 ds).
    t_dip and t_edge are NaN: see `gradient_flow` for events.

    Raises InvalidInput outside the hypotheses (it names them), or on bad times.
    """
    grid = time_grid(times)
    c0, epsilon0, n0, o0 = (float(np.asarray(value)) for value in single(start))
    alpha, b_norm = problem.alpha, problem.beta_norm
    if o0 == 0 or alpha == 0:
        c, epsilon, (n,) = _solve(b_norm, c0, epsilon0, [n0], grid)
        o = np.full_like(grid, o0)
    elif alpha == 1:
        c, epsilon, (n, o) = _solve(b_norm, c0, epsilon0, [n0, o0], grid)
    elif b_norm == 0 and epsilon0 == 0 and n0 == 0:
        # With time counted as alpha t, o plays the part that n plays at alpha = 1.
        c, epsilon, (o,) = _solve(0.0, c0, 0.0, [o0], alpha * grid)
        n = np.zeros_like(grid)
    else:
        raise InvalidInput(
            f"no closed form for alpha = {alpha:g}, beta_norm = {b_norm:g},"
            f" epsilon0 = {epsilon0:g}, n0 = {n0:g}, o0 = {o0:g};"
            " M8 needs o0 = 0, or alpha = 1, or alpha = 0, or"
            " beta_norm = epsilon0 = n0 = 0. Use gradient_flow."
        )
    states = State(c, epsilon, n, o)
    nan = float("nan")
    return trajectory(problem, start, grid, states, method="closed_form", t_dip=nan, t_edge=nan)


def _solve(
    b_norm: float, c0: float, epsilon0: float, across0: list[float], t: Array
) -> tuple[Array, Array, list[Array]]:
    """(c, epsilon, components across beta) of Q' = F Q - 1/2 |Q|^2 Q.

    In F's eigenvectors (eigenvalues +-rho on the plane of beta and c, -kappa/2 across it) every
    term of 1 + int |e^(Fs) Q0|^2 is positive, so nothing cancels. Numerator and root are scaled by
    the largest exponential, so nothing overflows.
    """
    kappa = _kappa(c0, [epsilon0, *across0])
    rho = math.hypot(b_norm, kappa / 2)
    up_epsilon, up_c = _growing_direction(b_norm, kappa, rho)
    grow = up_epsilon * epsilon0 + up_c * c0
    fall = up_c * epsilon0 - up_epsilon * c0
    rate = rho if grow != 0 else max(0.0, -kappa / 2)
    across_square = sum(value**2 for value in across0)
    with np.errstate(over="ignore"):  # of exponents: e^(-inf) = 0 is right
        square = np.exp(-2 * rate * t)
        square += fall**2 * _integral(-2 * rho, t, 2 * rate)
        square += across_square * _integral(-kappa, t, 2 * rate)
        if grow != 0:  # else rate does not cover this term: 0 times an overflow
            square += grow**2 * _integral(2 * rho, t, 2 * rate)
        root = np.sqrt(square)
        rising = grow / root  # e^(rho t) is divided out: rate = rho where grow is not 0
        falling = fall * np.exp(-(rho + rate) * t) / root
        decay = np.exp(-(kappa / 2 + rate) * t) / root
    c = up_c * rising - up_epsilon * falling
    epsilon = up_epsilon * rising + up_c * falling
    return c, epsilon, [value * decay for value in across0]


def _kappa(c0: float, b0: list[float]) -> float:
    """c0^2 - |b0|^2 as a product of two factors: no digits lost when they are close."""
    length = math.hypot(*b0)
    return (c0 - length) * (c0 + length)


def _growing_direction(b_norm: float, kappa: float, rho: float) -> tuple[float, float]:
    """Unit eigenvector (epsilon, c) of F for +rho; no cancellation for either sign of kappa."""
    if rho == 0:
        return 1.0, 0.0
    vector = (b_norm, rho + kappa / 2) if kappa >= 0 else (rho - kappa / 2, b_norm)
    length = math.hypot(*vector)
    return vector[0] / length, vector[1] / length


def _integral(rate: float, t: Array, scale: float) -> Array:
    """e^(-scale t) int_0^t e^(rate s) ds, for scale >= max(rate, 0) without overflow."""
    if rate == 0:
        return t * np.exp(-scale * t)
    # Factor out the larger end so that expm1 always has a negative argument.
    end = max(rate, 0.0)
    return np.exp((end - scale) * t) * -np.expm1(-abs(rate) * t) / abs(rate)
