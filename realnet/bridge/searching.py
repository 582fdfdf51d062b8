"""Bounded least squares on the logarithm of sharpness, from several starts, with a seed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np
from scipy.optimize import least_squares

from linmodel.errors import integer
from linmodel.problem import Array
from realnet.bridge.curve import Curve
from realnet.bridge.toy import BOUNDS, PARAMETERS, ToyParameters, flow_curves

MOST_EVALUATIONS = 150
# Of the logarithm of a parameter, for derivatives; the integrator's noise is near 1e-8.
DIFFERENCE = 1e-3
# Residual where the toy cannot be evaluated: far worse than any curve.
FAILED = 50.0
SCALE = PARAMETERS.index("sharpness_scale")

# (m, 6) parameters and (n,) times to (m, n) sharpness: the toy, or the spectrum toy.
Curves = Callable[[Array, Array], Array]
# (m, p) log parameters to (m, n) residuals of the logarithm of sharpness.
Residuals = Callable[[Array], Array]


@dataclass(frozen=True)
class Found:
    """One least squares solution: log parameters (p,), cost 1/2 sum r^2, Jacobian (n, p)."""

    point: Array
    cost: float
    jacobian: Array
    converged: bool


@dataclass(frozen=True)
class Search:
    """How much is searched: random starts, how many of them are refined, rounds of polishing, and
    evaluations of every refit of a profile."""

    starts: int = 300
    refined: int = 8
    rounds: int = 4
    refit: int = 30

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            integer(name, value, low=1)


FULL = Search()


@dataclass(frozen=True)
class Family:
    """The free parameters of the search: their names, and bounds of their logarithms."""

    names: tuple[str, ...]
    low: Array
    high: Array

    def table(self, points: Array) -> Array:
        """All six parameters at log points (m, p), shape (m, 6); with one scale only, time_scale =
        1 / sharpness_scale."""
        values = np.exp(points)
        if "time_scale" in self.names:
            return values
        return np.column_stack([values, 1 / values[:, -1]])

    def parameters(self, point: Array) -> ToyParameters:
        """The toy at a point."""
        return ToyParameters(*self.table(point[None])[0].tolist())

    def at_bound(self, point: Array) -> tuple[str, ...]:
        """Names of parameters that the search pushed to a bound: the curve does not limit them."""
        close = np.minimum(point - self.low, self.high - point) < 1e-3 * (self.high - self.low)
        return tuple(name for name, at in zip(self.names, close, strict=True) if at)


def family(curve: Curve, scales: int) -> Family:
    """Bounds for `curve`, with two free scales, or one (their product fixed to 1)."""
    names = PARAMETERS if scales == 2 else PARAMETERS[:-1]
    largest = float(curve.sharpness.max())
    bounds = BOUNDS | {
        "sharpness_scale": (1e-9 * largest, 1e3 * largest),
        "time_scale": (1e-6 * curve.span, 1e6 * curve.span),
    }
    low, high = np.log([bounds[name] for name in names]).T
    return Family(names, low, high)


def residuals(space: Family, curve: Curve, curves: Curves = flow_curves) -> Residuals:
    """log toy - log real at the curve's times, (m, n), as a function of log parameters (m, p)."""
    target = np.log(curve.sharpness)

    def function(points: Array) -> Array:
        with np.errstate(all="ignore"):
            difference = np.log(curves(space.table(points), curve.time)) - target
        return np.where(np.isfinite(difference), difference, FAILED)

    return function


def refine(
    function: Residuals, space: Family, start: Array, evaluations: int = MOST_EVALUATIONS
) -> Found:
    """Levenberg-Marquardt-like descent inside the bounds, from `start`."""

    def jacobian(point: Array) -> Array:
        # Step into the box.
        steps = np.where(point + DIFFERENCE > space.high, -DIFFERENCE, DIFFERENCE)
        base, *moved = function(point + np.vstack([0 * point, np.diag(steps)]))
        return (np.array(moved) - base).T / steps

    inside = np.clip(start, space.low + 1e-9, space.high - 1e-9)
    solution = least_squares(  # type: ignore[operator]
        lambda point: function(point[None])[0],
        inside,
        jac=jacobian,
        bounds=(space.low, space.high),
        max_nfev=evaluations,
        ftol=1e-7,
        xtol=1e-6,
        gtol=1e-9,
    )
    return Found(solution.x, float(solution.cost), solution.jac, solution.status > 0)


def search(
    curve: Curve, space: Family, seed: int, curves: Curves = flow_curves, much: Search = FULL
) -> list[Found]:
    """Solutions from the best of many random starts, best first."""
    rng = np.random.default_rng(seed)
    function = residuals(space, curve, curves)
    starts = _random_starts(space, curve, rng, curves, much.starts)
    costs = np.sum(function(starts) ** 2, axis=1)
    chosen = np.argsort(costs, kind="stable")[: much.refined]
    found = [refine(function, space, starts[i]) for i in chosen]
    found.sort(key=lambda each: each.cost)
    return [polish(function, space, found[0], much.rounds), *found[1:]]


def polish(function: Residuals, space: Family, found: Found, rounds: int) -> Found:
    """Go on from a solution that ran out of evaluations, until it converges or no longer gains.

    In a flat valley (a combination of parameters that the curve does not pin down) the point drifts
    while the cost stands still: a round that lowers the cost by less than 1% counts as converged.
    """
    for _ in range(rounds):
        if found.converged:
            break
        again = refine(function, space, found.point)
        still = again.cost > 0.99 * found.cost
        found = replace(again, converged=again.converged or still)
    return found


def _random_starts(
    space: Family, curve: Curve, rng: np.random.Generator, curves: Curves, count: int
) -> Array:
    """Log-uniform toy parameters, (count, p); scales such that the toy's rise fits the curve."""
    table = np.array([_random_toy(curve, rng) for _ in range(count)])
    if "time_scale" in space.names:
        shapes = curves(table, curve.time)
        offsets = np.mean(np.log(curve.sharpness) - np.log(shapes), axis=1)
        table[:, SCALE] = np.exp(np.where(np.isfinite(offsets), offsets, 0.0))
    else:
        table[:, SCALE] = 1 / table[:, -1]
        # With one scale, the amplitude is alpha's to fit.
        table[:, 0] = curve.sharpness.max() / (table[:, 1] * table[:, SCALE])
    return np.clip(np.log(table[:, : len(space.names)]), space.low, space.high)


def _random_toy(curve: Curve, rng: np.random.Generator) -> list[float]:
    """The six parameters, the scale of sharpness 1."""
    alpha, b_norm = _log_uniform(rng, 2, 1e4), _log_uniform(rng, 1, 300)
    k, share = _log_uniform(rng, 0.03, 100), _log_uniform(rng, 1e-3, 0.9)
    # The toy has settled at about 3 ln(100 B)/B; the window may end before or after that.
    settled = 3 * math.log(100 * b_norm) / b_norm
    return [alpha, b_norm, k, share, 1.0, curve.span / (settled * _log_uniform(rng, 0.1, 3))]


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high)))
