"""The toy's flow as a family of curves: parameters, bounds, and a fast evaluation.

The curve of sharpness against time depends on alpha, B, the initial state and two scales:
    sharpness_real(t) = sharpness_scale * sharpness_toy(t / time_scale).
M10 (s -> r s, B -> r^2 B, t -> t/r^2, Hessian -> r^2 Hessian) makes one of them redundant: c0 = 1
is fixed, as in the standard initialisation. The initial norms are those that it has on average,
|b0|^2 + |b_o0|^2 = 1 and o0^2 = k / (1 + k), so kappa = 0; `aligned_share` is epsilon0 / |b0|.
"""

from __future__ import annotations

import math
import warnings

import numpy as np
from scipy.integrate import odeint

from linmodel.landscape import sharpness
from linmodel.problem import Array, OpposingSignals, State

PARAMETERS = ("alpha", "beta_norm", "k", "aligned_share", "sharpness_scale", "time_scale")
LONG_NAMES = {
    "alpha": ("magnitude of the opposing signal, alpha", "1"),
    "beta_norm": ("strength of the signal, B (at c0 = 1)", "1"),
    "k": ("pervasiveness of the opposing signal, k", "1"),
    "aligned_share": ("epsilon0 / |b0|, share of b along beta at the start", "1"),
    "sharpness_scale": ("real sharpness per unit of toy sharpness", "curvature"),
    "time_scale": ("real time per unit of toy time", "step size x step"),
}
# The toy's own parameters; the two scales' bounds depend on the curve.
BOUNDS = {
    "alpha": (1.0, 1e6),
    "beta_norm": (0.05, 1e3),
    "k": (1e-3, 1e3),
    "aligned_share": (1e-5, 0.999),
}
RTOL = 1e-9


def start_of(k: float, aligned_share: float) -> State:
    """Standard initial state with typical norms: c0 = 1, |b0|^2 = 1/(1+k), o0^2 = k/(1+k)."""
    length = (1 + k) ** -0.5
    across = math.sqrt(max(0.0, 1 - aligned_share**2))
    return State(1.0, aligned_share * length, across * length, math.sqrt(k / (1 + k)))


def drawn_start(k: float, aligned_share: float, d1: int, rng: np.random.Generator) -> State:
    """As `start_of`, with the norms of n and o drawn from the standard initialisation's law."""
    typical = start_of(k, aligned_share)
    d2 = max(1, round(k * d1))
    n_square = rng.chisquare(max(1, d1 - 1)) / (d1 + d2)
    return State(
        1.0, typical.epsilon, math.sqrt(n_square), math.sqrt(rng.chisquare(d2) / (d1 + d2))
    )


def toy_sharpness(alpha: float, beta_norm: float, start: State, times: Array) -> Array:
    """Sharpness along the gradient flow at toy `times` (increasing, >= 0), shape (n,).

    Integrates (epsilon, tau), tau = int c^2 dt, with n, o and c^2 explicit (M7). Needs c0 > 0 and
    epsilon0 >= 0 (F1). Relative accuracy near 1e-6: `gradient_flow` is the slow, exact twin. NaN
    where the integrator fails.
    """
    c0, epsilon0, n0, o0 = (float(np.asarray(value)) for value in start)
    fast = max(alpha, 1.0)
    kappa = (c0 - o0) * (c0 + o0) - epsilon0**2 - n0**2

    def rate(y: Array, _t: float) -> tuple[float, float]:
        epsilon, tau = y[0], y[1] / fast
        across = n0 * n0 * math.exp(-2 * tau) + o0 * o0 * math.exp(-2 * alpha * tau)
        c_square = max(kappa + epsilon * epsilon + across, 0.0)
        c = math.sqrt(c_square)
        return c * (beta_norm - c * epsilon), fast * c_square

    grid = times if times[0] == 0 else np.concatenate([[0.0], times])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path, info = odeint(rate, (epsilon0, 0.0), grid, rtol=RTOL, atol=1e-10, full_output=True)
    if info["message"] != "Integration successful.":
        return np.full(len(times), np.nan)
    epsilon, w = path[len(grid) - len(times) :].T
    n, o = n0 * np.exp(-w / fast), o0 * np.exp(-w * (alpha / fast))
    c = np.sqrt(np.maximum(kappa + epsilon**2 + n**2 + o**2, 0.0))
    problem = OpposingSignals(alpha, beta_norm)
    return np.asarray(sharpness(problem, State(c, epsilon, n, o)))


def real_curve(parameters: dict[str, float], times: Array, start: State | None = None) -> Array:
    """The toy's sharpness in real units at real `times`; `start` replaces the typical state."""
    if start is None:
        start = start_of(parameters["k"], parameters["aligned_share"])
    scaled = times / parameters["time_scale"]
    curve = toy_sharpness(parameters["alpha"], parameters["beta_norm"], start, scaled)
    return parameters["sharpness_scale"] * curve


def final_sharpness(parameters: dict[str, float]) -> float:
    """F5 in real units: scale * max(alpha c^2, c^2 + B^2/c^2) at c^2 = c_inf^2 = B (kappa = 0)."""
    largest = max(parameters["alpha"], 2.0) * parameters["beta_norm"]
    return parameters["sharpness_scale"] * largest
