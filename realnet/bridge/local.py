"""One run: read the edge off its curve; beyond the curve, go on at the slope of its end."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from linmodel.problem import Array
from realnet.bridge.curve import Curve, rise_times

# Share of the window, at its end, whose slope is carried on; and its fewest points.
SHARE, FEWEST_POINTS = 0.15, 3
# A level is never reached where it lies more than this many times as far above the end as a slope
# that goes on falling as it fell would still rise (in logarithms).
MOST_REST = 2.0


@dataclass(frozen=True)
class LocalExponential:
    """Sharpness beyond the curve: last x exp(slope (t - T)).

    end    T, the curve's last time
    last   sharpness there
    slope  of ln sharpness over the last 15% of the window, by least squares [1/time]
    rest   how far ln sharpness still rises if the slope goes on falling by the same factor as from
           the 15% before to the last; infinite where it has not fallen
    """

    end: float
    last: float
    slope: float
    rest: float

    def times(self, levels: Array) -> Array:
        """When each level is reached: T + ln(level/last) / slope; NaN where it never is."""
        above = np.log(np.asarray(levels) / self.last)
        if self.slope <= 0:
            return np.full(len(above), np.nan)
        return np.where(above > MOST_REST * self.rest, np.nan, self.end + above / self.slope)


def local_exponential(curve: Curve) -> LocalExponential:
    """The end of `curve`, as an exponential."""
    width = SHARE * (curve.span - curve.start)
    count = max(FEWEST_POINTS, int((curve.time >= curve.span - width).sum()))
    slope = _slope(curve, np.arange(len(curve.time) - count, len(curve.time)))
    before = np.flatnonzero(np.abs(curve.time - curve.span + 1.5 * width) <= width / 2)
    rest = np.inf
    if len(before) >= FEWEST_POINTS and 0 < slope < (earlier := _slope(curve, before)):
        rest = slope * width / math.log(earlier / slope)
    return LocalExponential(curve.span, float(curve.sharpness[-1]), slope, rest)


def _slope(curve: Curve, chosen: np.ndarray) -> float:
    return float(np.polyfit(curve.time[chosen], np.log(curve.sharpness[chosen]), 1)[0])


def edge_times(curve: Curve, levels: Array) -> tuple[Array, np.ndarray]:
    """When sharpness first rises through each level, NaN where it never does; and which of these
    are read inside the curve (the others are carried on beyond it)."""
    read = rise_times(curve, levels)
    inside = np.isfinite(read)
    above = np.asarray(levels) > curve.sharpness.max()
    beyond = np.where(above, local_exponential(curve).times(levels), np.nan)
    return np.where(inside, read, beyond), inside
