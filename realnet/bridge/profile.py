"""Profile likelihood: how far each parameter can go while the others make up for it.

The toy's valleys are long and bent (large alpha and a small sharpness scale are one curve): what is
local, derivatives or refits from the optimum, calls parameters certain that the curve leaves open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from linmodel.problem import Array
from realnet.bridge.blocks import block_length
from realnet.bridge.curve import Curve
from realnet.bridge.searching import (
    FULL,
    Family,
    Found,
    Residuals,
    Search,
    refine,
    residuals,
)

CHI_SQUARE = 3.84  # 95%, one degree of freedom
# First step away from the optimum, in logarithms, and the growth of the steps.
FIRST_STEP, GROWTH = 0.1, 3.0


@dataclass(frozen=True)
class Profile:
    """low, high (p,): 95% interval of each log parameter; a bound where nothing stops it earlier.

    points  (m, p) log parameters met on the way that describe the curve as well, to 95%
    """

    low: Array
    high: Array
    points: Array


def profile(curve: Curve, space: Family, best: Found, much: Search = FULL) -> Profile:
    """Walk from `best` along every free parameter, refitting the others.

    A point is as good where its cost exceeds the least by at most 1/2 chi^2 sigma^2 m, sigma^2 the
    residual variance, m the residuals' correlation length (`block_length`).
    """
    function = residuals(space, curve)
    residual = function(best.point[None])[0]
    count, free = len(residual), len(best.point)
    variance = 2 * best.cost / max(count - free, 1)
    most = best.cost + 0.5 * CHI_SQUARE * variance * block_length(residual - residual.mean())
    points = [best.point]
    ends = np.empty((2, free))
    for i in range(free):
        for j, sign in enumerate((-1.0, 1.0)):
            ends[j, i], passed = _walk(function, space, best, i, sign, most, much.refit)
            points += passed
    return Profile(ends[0], ends[1], np.array(points))


def _walk(
    function: Residuals,
    space: Family,
    best: Found,
    i: int,
    sign: float,
    most: float,
    evaluations: int,
) -> tuple[float, list[Array]]:
    """Where parameter `i` leaves the interval on one side, and the good points passed."""
    bound = space.high[i] if sign > 0 else space.low[i]
    room = abs(bound - best.point[i])
    point, before, excess = best.point, 0.0, 0.0
    passed: list[Array] = []
    step = FIRST_STEP
    while before < room:
        length = min(step, room)
        point, cost = _refit(function, space, point, i, best.point[i] + sign * length, evaluations)
        # The root of the excess is about linear in the distance.
        now, limit = (max(each - best.cost, 0.0) ** 0.5 for each in (cost, most))
        if cost > most:
            share = (limit - excess) / max(now - excess, 1e-300)
            return best.point[i] + sign * (before + share * (length - before)), passed
        passed.append(point)
        before, excess, step = length, now, GROWTH * step
    return float(bound), passed


def _refit(
    function: Residuals, space: Family, start: Array, i: int, value: float, evaluations: int
) -> tuple[Array, float]:
    """The best point with parameter `i` at `value`, from `start`; and its cost."""
    others = np.arange(len(start)) != i
    names = tuple(name for name, kept in zip(space.names, others, strict=True) if kept)
    part = Family(names, space.low[others], space.high[others])

    def whole(rest: Array) -> Array:
        return np.insert(rest, i, value, axis=-1)

    found = refine(lambda rest: function(whole(rest)), part, start[others], evaluations)
    return whole(found.point), found.cost
