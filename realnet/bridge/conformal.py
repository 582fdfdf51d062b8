"""Intervals of an edge time: conformal over other networks, wider the further beyond the curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from linmodel.problem import Array
from realnet.bridge.curve import Curve
from realnet.bridge.local import FARTHEST

# Part of the time that a lag's error is at least, beside half of the lag.
LEAST_SPREAD = 0.002


@dataclass(frozen=True)
class Quantiles:
    """What other networks' errors were, at one level: a new network's lie below with that chance.

    far     of |ln(true/predicted)| / ln(predicted/T) beyond a curve
    late    of edge/reading - 1: what one run cannot see
    spread  of |true - predicted| / (lag/2 + 0.002 t) of two runs inside the curve
    """

    far: float
    late: float
    spread: float


def beyond(times: Array, curve: Curve) -> Array:
    """x = max(0, ln(t/T)), both counted from the curve's start; 0 inside the curve."""
    window = curve.span - curve.start
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.maximum(0.0, np.log((times - curve.start) / window))


def tolerance(times: Array, lag: Array, curve: Curve) -> Array:
    """lag/2 + 0.002 t: the scale of two runs' error inside the curve."""
    return np.abs(lag) / 2 + LEAST_SPREAD * (times - curve.start)


def interval(
    times: Array, lag: Array | None, curve: Curve, found: Quantiles
) -> tuple[Array, Array]:
    """Ends of the interval of each edge time: t - hypot(t (1 - e^(-q x)), g) and
    t + hypot(t (e^(q x) - 1), g) with t from the curve's start, q = far, g = spread x `tolerance`.

    lag None: one run, one-sided: nothing for the lag below, g = late x t above.
    Beyond the curve the lower end is not before the curve's, less g.
    Times that are infinite (not within 1.5 windows): from the lower end there, to infinity.
    """
    begin, later = curve.start, np.isinf(times)
    window = curve.span - begin
    after = np.where(later, FARTHEST * window, times - begin)
    far = found.far * beyond(begin + after, curve)
    lost = np.zeros(len(after)) if lag is None else lag
    about = found.spread * tolerance(begin + after, lost, curve)
    below, above = (np.zeros(len(after)), found.late * after) if lag is None else (about, about)
    low = after - np.hypot(-np.expm1(-far) * after, below)
    low = np.where(far > 0, np.maximum(low, window - below), low)
    high = after + np.hypot(np.expm1(far) * after, above)
    return begin + np.maximum(low, 0.0), np.where(later, np.inf, begin + high)
