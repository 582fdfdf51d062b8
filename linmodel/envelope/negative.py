"""F11d: the envelope in intrinsic time for starts with epsilon0 < 0, up to the first zero of c.

Both curves are closed (M8): with rest = n0^2 + o0^2 from (c0, epsilon0) below, alpha = 1, and with
rest = n0^2 from (sqrt(c0^2 - o0^2), epsilon0) above, alpha = infinity.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike
from scipy.optimize.elementwise import find_root

from linmodel.arguments import typed
from linmodel.assumptions import require, require_strengths
from linmodel.conserved import conserved
from linmodel.curves import LABELS, MODEL, head
from linmodel.errors import InvalidInput
from linmodel.problem import Array, OpposingSignals, State, single
from linmodel.times import time_grid

SLACK = 1e-10
DOUBLINGS = 200


@dataclass(frozen=True)
class ClosedCurve:
    """The flow without an opposing signal from (c, epsilon, rest = r^2), epsilon of any sign."""

    c: float
    epsilon: float
    rest: float
    b_norm: float

    @cached_property
    def kappa(self) -> float:
        """c^2 - epsilon^2 - rest."""
        return (self.c - self.epsilon) * (self.c + self.epsilon) - self.rest

    @cached_property
    def rho(self) -> float:
        """sqrt(B^2 + kappa^2/4)."""
        return float(np.hypot(self.b_norm, self.kappa / 2))

    @cached_property
    def _parts(self) -> tuple[float, float, float, float]:
        """Unit eigenvector (u_e, u_c) for +rho, and the start along it and along (u_c, -u_e)."""
        half = abs(self.kappa) / 2
        u_e, u_c = self.b_norm, self.rho + half
        u_e, u_c = (u_e, u_c) if self.kappa >= 0 else (u_c, u_e)
        size = float(np.hypot(u_e, u_c))
        u_e, u_c = u_e / size, u_c / size
        return u_e, u_c, self.epsilon * u_e + self.c * u_c, self.epsilon * u_c - self.c * u_e

    def own_zero(self) -> float:
        """The time at which c reaches 0; inf where it does not."""
        u_e, u_c, up, down = self._parts
        return float(np.log(down * u_e / (up * u_c)) / (2 * self.rho)) if up < 0 else np.inf

    def at(self, t: Array) -> tuple[Array, Array]:
        """(epsilon, tau) at own times t >= 0."""
        u_e, u_c, up, down = self._parts
        gone = np.exp(-2 * self.rho * t)
        met = -np.expm1(-2 * self.rho * t) / (2 * self.rho)
        across = np.exp(-(2 * self.rho - abs(self.kappa)) * t)  # slower than `gone`
        across = _mean(abs(self.kappa), t) * (gone if self.kappa >= 0 else across)
        square = gone + (up**2 + down**2 * gone) * met + self.rest * across
        tau = (self.kappa / 2 + self.rho) * t + np.log(square) / 2
        return (up * u_e + down * u_c * gone) / np.sqrt(square), tau

    def epsilon_at(self, tau: Array) -> tuple[Array, float]:
        """epsilon at intrinsic times, NaN from the zero of c on; and that zero's tau."""
        end = self.own_zero()
        last = float(self.at(np.array(end))[1]) if np.isfinite(end) else np.inf
        inside = tau < last
        longest = end if np.isfinite(end) else self._long_enough(float(tau.max()))
        ends = np.zeros(tau.shape), np.full(tau.shape, longest)
        found = find_root(lambda t, wanted: self.at(t)[1] - wanted, ends, args=(tau,))
        return np.where(inside, self.at(found.x)[0], np.nan), last

    def _long_enough(self, tau: float) -> float:
        t = 1 / self.rho
        for _ in range(DOUBLINGS):
            if self.at(np.array(t))[1] >= tau:
                return t
            t *= 2
        raise InvalidInput("tau is not reached: the start lies on the line between the two sides "
                           "(F12); move it by a rounding, or ask for smaller tau.")  # fmt: skip


def _mean(rate: float, t: Array) -> Array:
    """(1 - e^(-rate t))/rate; t at rate = 0."""
    return np.asarray(-np.expm1(-rate * t) / rate if rate > 0 else t)


@typed
def envelope_negative(problem: OpposingSignals, start: State, tau: ArrayLike) -> xr.Dataset:
    """F11d: bounds of epsilon, c, alpha c^2 at intrinsic times tau = int c^2 dt, for epsilon0 < 0.

    NaN from the first zero of c of the two curves on (attribute tau_end, inf where there is none):
    there the flow's own c may be 0. Where epsilon has become positive the bounds go on to hold.

    Raises InvalidInput unless alpha >= 1, B > 0, epsilon0 < 0 and c0 > |o0|, or on bad times.
    """
    grid = time_grid(tau)
    require_strengths(problem)
    c, epsilon, n, o = (float(np.asarray(x)) for x in single(start))
    for holds, words, value in (
        (problem.alpha >= 1, "alpha >= 1", problem.alpha),
        (epsilon < 0, "epsilon0 < 0", epsilon),
        (c > abs(o), "c0 > |o0|", c - abs(o)),
    ):
        require(np.asarray(holds), words, np.asarray(value))
    below = ClosedCurve(c, epsilon, n**2 + o**2, problem.beta_norm)
    inner = float(np.sqrt((c - o) * (c + o)))
    above = ClosedCurve(inner, epsilon, n**2, problem.beta_norm)
    (low, first), (high, second) = below.epsilon_at(grid), above.epsilon_at(grid)
    kept = np.where(grid < min(first, second), 1.0, np.nan)
    room = SLACK * (c + abs(epsilon) + abs(n) + abs(o))
    low, high = (low - room) * kept, (high + room) * kept
    level = conserved(start) + n**2 * np.exp(-2 * grid) + o**2 * np.exp(-2 * problem.alpha * grid)
    near = np.where(low > 0, low, np.where(high < 0, high, 0.0 * kept))
    far = np.maximum(np.abs(low), np.abs(high))
    c_low, c_high = (np.sqrt(np.maximum(level + x**2, 0)) for x in (near, far))
    return _dataset(problem, start, grid, min(first, second), (low, high), (c_low, c_high))


def _dataset(
    problem: OpposingSignals,
    start: State,
    grid: Array,
    end: float,
    epsilon: tuple[Array, Array],
    c: tuple[Array, Array],
) -> xr.Dataset:
    curvature = (problem.alpha * c[0] ** 2, problem.alpha * c[1] ** 2)
    dataset = xr.Dataset(coords={"tau": grid})
    dataset.tau.attrs = {"long_name": "intrinsic time tau", "units": "1"}
    for name, pair in {"epsilon": epsilon, "c": c, "opposing_curvature": curvature}.items():
        text, units = LABELS[name]
        for side, value in zip(("lower", "upper"), pair, strict=True):
            attrs = {"long_name": f"{side} bound: {text}", "units": units}
            dataset[f"{name}_{side}"] = ("tau", value, attrs)
    dataset.attrs = head(
        "envelope_negative",
        f"{MODEL}: envelope for epsilon0 < 0 (F11d)",
        problem=problem.as_dict(),
        start=start.as_dict(),
        settings={},
    ) | {"tau_end": end}
    return dataset
