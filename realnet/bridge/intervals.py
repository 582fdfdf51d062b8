"""Intervals of an edge time: conformal over other networks, wider the further beyond the curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from linmodel.problem import Array
from realnet.bridge.curve import Curve

# Part of the time that a lag's error is at least, beside half of the lag.
LEAST_SPREAD = 0.002


@dataclass(frozen=True)
class Quantiles:
    """What other networks' errors were, at one level.

    low, high  (1 -+ level)/2 quantiles of ln(true/predicted) / ln(predicted/T) beyond a curve
    late       level quantile of edge/reading - 1: what one run cannot see
    spread     level quantile of |true - predicted| / (lag/2 + 0.002 t) of two runs inside the curve
    """

    low: float
    high: float
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
    """Ends of the interval of each edge time (from the curve's start: t e^(q x), and +- spread).

    lag None: one run, one-sided: from the reading itself to `late` beyond it.
    """
    begin, far = curve.start, beyond(times, curve)
    early = (times - begin) * np.exp(found.low * far)
    last = (times - begin) * np.exp(found.high * far)
    if lag is None:
        return begin + early, begin + last * (1 + found.late)
    about = found.spread * tolerance(times, lag, curve)
    return begin + np.maximum(early - about, 0.0), begin + last + about
