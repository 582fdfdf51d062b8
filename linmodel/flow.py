"""Gradient flow, exact to tolerance, with its events: the dip and the crossing of 2/eta."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike
from scipy.integrate import OdeSolution, solve_ivp
from scipy.optimize import brentq

from linmodel.arguments import typed
from linmodel.curves import trajectory
from linmodel.errors import FlowFailed, real
from linmodel.problem import Array, OpposingSignals, State, single
from linmodel.times import optional_step_size, time_grid

# About 0.3 s of the explicit method; flows that are not stiff need a tenth of it.
EXPLICIT_LIMIT = 30_000


@typed
def gradient_flow(
    problem: OpposingSignals,
    start: State,
    times: ArrayLike,
    *,
    rtol: float = 3e-14,
    atol: float = 1e-20,
    step_size: float | None = None,
) -> xr.Dataset:
    """State, loss and sharpness of s' = -grad L (factor 1/2) at `times`, from time 0.

    Integrates (c, epsilon, w), w = max(alpha, 1) tau with tau = int c^2 dt the intrinsic time (M7),
    so that n = n0 e^(-tau) and o = o0 e^(-alpha tau) keep all their digits however small they are,
    and a dead opposing signal is not stiff. By DOP853; where that would take too long (plateaus of
    o0 > c0 at large alpha, very late times) by LSODA with the analytic Jacobian, about ten times
    less accurate at the same tolerance.

    times      strictly increasing, >= 0; need not start at 0
    rtol, atol of the integrator, per step (atol relative to the start's size); the global error is
               usually 10 to 100 times larger
    step_size  eta: adds t_edge, the first time alpha c^2 rises through 2/eta (F10)

    t_dip is the first time alpha c^2 turns from falling to rising (F4; 0 if it rises from the
    start); both are NaN where there is none up to the last time.

    Raises InvalidInput (times, tolerances, step size, a batch of states), FlowFailed.
    """
    grid = time_grid(times)
    eta = optional_step_size(step_size)
    rtol, atol = real("rtol", rtol, low=2.3e-14), real("atol", atol, above=0)
    system = _System(problem, single(start))
    t_dip = t_edge = math.nan
    values = np.broadcast_to(system.initial, (grid.size, 3))
    if grid[-1] > 0 and not system.at_rest():
        values, t_dip, t_edge = _integrate(system, grid, rtol, atol, eta)
    dataset = trajectory(
        problem,
        start,
        grid,
        system.states(values),
        method="flow",
        t_dip=t_dip,
        t_edge=t_edge,
        rtol=rtol,
        atol=atol,
        step_size=eta,
    )
    dataset.attrs |= {"rtol": rtol, "atol": atol}
    if eta is not None:
        dataset.attrs |= {"step_size": eta, "two_over_eta": 2 / eta}
    return dataset


class _System:
    """The flow in (c, epsilon, w): right-hand side, Jacobian, events, and the way back to s."""

    def __init__(self, problem: OpposingSignals, start: State) -> None:
        c, epsilon, n, o = (float(np.asarray(value)) for value in start)
        self.alpha, self.b_norm = problem.alpha, problem.beta_norm
        self.fast = max(self.alpha, 1.0)
        self.n0, self.o0 = n, o
        self.initial = np.array([c, epsilon, 0.0])
        self.size = math.hypot(c, epsilon, n, o)

    def across(self, w: float) -> tuple[float, float]:
        """n^2 and alpha o^2 at intrinsic time w / max(alpha, 1)."""
        # A trial step may reach w < 0, where the exponentials overflow; it is rejected.
        w = max(w, -100.0 * self.fast / max(self.alpha, 1.0))
        n_square = self.n0**2 * math.exp(-2 * w / self.fast)
        return n_square, self.alpha * self.o0**2 * math.exp(-2 * w * self.alpha / self.fast)

    def rate(self, _t: float, y: Array) -> list[float]:
        """(c', epsilon', w')."""
        c, epsilon, w = y
        n_square, opposing = self.across(w)
        residual = self.b_norm - c * epsilon
        return [
            epsilon * residual - c * (n_square + opposing),
            c * residual,
            self.fast * c * c,
        ]

    def jacobian(self, _t: float, y: Array) -> list[list[float]]:
        """Derivatives of `rate` by (c, epsilon, w)."""
        c, epsilon, w = y
        n_square, opposing = self.across(w)
        decay = 2 * c * (n_square + self.alpha * opposing) / self.fast
        return [
            [-(epsilon**2) - n_square - opposing, self.b_norm - 2 * c * epsilon, decay],
            [self.b_norm - 2 * c * epsilon, -(c**2), 0.0],
            [2 * self.fast * c, 0.0, 0.0],
        ]

    def slope(self, y: Array) -> float:
        """c c', half the slope of c^2."""
        return y[0] * self.rate(0.0, y)[0]

    def at_rest(self) -> bool:
        """c and epsilon have velocity 0 and c = 0 or n = o = 0: the start is an equilibrium."""
        still = self.rate(0.0, self.initial)
        c = self.initial[0]
        return still[0] == 0 and still[1] == 0 and (c == 0 or self.n0 == self.alpha * self.o0 == 0)

    def states(self, values: Array) -> State:
        """(c, epsilon, n, o) of rows (c, epsilon, w)."""
        c, epsilon, w = values.T
        return State(
            c,
            epsilon,
            self.n0 * np.exp(-w / self.fast),
            self.o0 * np.exp(-w * (self.alpha / self.fast)),
        )


class _Stiff(Exception):
    """The explicit method has used up its evaluations."""


class _Counted:
    """A right-hand side that raises `_Stiff` after EXPLICIT_LIMIT evaluations."""

    def __init__(self, function: Callable[[float, Array], list[float]]) -> None:
        self.function = function
        self.left = EXPLICIT_LIMIT

    def __call__(self, t: float, y: Array) -> list[float]:
        self.left -= 1
        if self.left < 0:
            raise _Stiff
        return self.function(t, y)


def _integrate(
    system: _System, grid: Array, rtol: float, atol: float, eta: float | None
) -> tuple[Array, float, float]:
    settings = {
        "t_span": (0.0, grid[-1]),
        "y0": system.initial,
        "dense_output": True,
        "rtol": rtol,
        "atol": atol * np.array([system.size, system.size, 1.0]),
    }
    # Trial steps that overflow are rejected; they need no warning.
    with np.errstate(over="ignore", invalid="ignore"):
        try:
            solution = solve_ivp(_Counted(system.rate), method="DOP853", **settings)
        except _Stiff:
            solution = solve_ivp(system.rate, method="LSODA", jac=system.jacobian, **settings)
    if not solution.success:
        raise FlowFailed(
            f"the integrator stopped before time {grid[-1]:g} ({solution.message});"
            f" rtol = {rtol:g}, atol = {atol:g}: try rtol = {10 * rtol:g}."
        )
    t_edge = math.nan
    if eta is not None:
        t_edge = next(_rises(solution.sol, lambda y: system.alpha * y[0] ** 2 - 2 / eta), math.nan)
    return solution.sol(grid).T, _dip(system, solution.sol, 1e3 * rtol), t_edge


def _dip(system: _System, path: OdeSolution, noise: float) -> float:
    """First minimum of alpha c^2, NaN unless the curve then rises by more than relative `noise`.

    Where c approaches its limit from above, rounding makes c c' change sign without any dip.
    """
    if system.alpha == 0:
        return math.nan
    if system.slope(system.initial) > 0:
        return 0.0
    for time in _rises(path, system.slope):
        later = path(path.ts[path.ts >= time])[0] ** 2
        if later.max() > path(time)[0] ** 2 * (1 + noise):
            return float(time)
    return math.nan


def _rises(path: OdeSolution, function: Callable[[Array], float]) -> Iterator[float]:
    """Times at which `function` of the solution changes from <= 0 to > 0, in order.

    Both ends of a step are evaluated on that step's own polynomial, so that a sign change is a
    root of it even where `function` is down to rounding.
    """
    for begin, end, piece in zip(path.ts, path.ts[1:], path.interpolants, strict=False):
        if function(piece(begin)) <= 0 < function(piece(end)):
            yield brentq(lambda t, piece=piece: function(piece(t)), begin, end, xtol=1e-300)
