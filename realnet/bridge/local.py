"""One run: read the edge off its curve; beyond the curve, go on from its end for half a window."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from linmodel.problem import Array
from realnet.bridge.curve import Curve, rise_times

# Share of the window, at its end, that the slope and its change are taken from; fewest points.
SHARE, FEWEST_POINTS = 0.35, 6
# Part of the change that is carried on: all of it follows noise, none of it is late where curves
# speed up and early where they saturate (both measured on the table's networks).
KEPT = 0.7
# Windows from the start that are forecast: of levels further off, few are reached as forecast.
FARTHEST = 1.5
# A level is never reached where it lies more than this many times as far above the end as a slope
# that goes on falling as it fell would still rise (in logarithms).
MOST_REST = 6.0


@dataclass(frozen=True)
class LocalExponential:
    """Sharpness beyond the curve, s = t - T after its end: an exponential whose slope changes.

    end    T, the curve's last time
    last   sharpness there
    slope  b of ln sharpness there [1/time]
    bend   c, how fast the slope changes there [1/time^2]

    c > 0: ln(sharpness/last) = b s + c s^2/2. c < 0: the slope falls exponentially,
    ln(sharpness/last) = rest (1 - exp(-b s/rest)) with rest = b^2/|c|.
    """

    end: float
    last: float
    slope: float
    bend: float

    @property
    def rest(self) -> float:
        """How far ln sharpness still rises, b^2/|c|: 0 where it falls, infinite where c >= 0."""
        if self.bend >= 0:
            return math.inf
        return self.slope**2 / -self.bend if self.slope > 0 else 0.0

    def times(self, levels: Array) -> Array:
        """When each level above `last` is reached; infinite where it is not."""
        above = np.log(np.asarray(levels) / self.last)
        with np.errstate(all="ignore"):
            if self.bend < 0 < self.slope:
                left = 1 - above / self.rest
                after = np.where(left > 0, -np.log(left) * self.rest / self.slope, np.inf)
            elif self.bend > 0:
                # The root of b s + c s^2/2 = above, in the form that loses no digits for c -> 0.
                root = np.sqrt(self.slope**2 + 2 * self.bend * above)
                after = (
                    2 * above / (self.slope + root)
                    if self.slope > 0
                    else ((root - self.slope) / self.bend)
                )
            else:
                after = above / self.slope if self.slope > 0 else np.full(len(above), np.inf)
        return self.end + after


def local_exponential(curve: Curve) -> LocalExponential:
    """The end of `curve`, carried on: c from a parabola through the last 35% of ln sharpness, 0.7
    of it kept; b by least squares with this c."""
    window = curve.span - curve.start
    count = int((curve.time >= curve.span - SHARE * window).sum())
    count = min(max(FEWEST_POINTS, count), len(curve.time))
    s, values = (curve.time[-count:] - curve.span) / window, np.log(curve.sharpness[-count:])
    half = KEPT * np.polyfit(s, values, 2)[0]
    slope = np.polyfit(s, values - half * s**2, 1)[0]
    last = float(curve.sharpness[-1])
    return LocalExponential(curve.span, last, float(slope) / window, 2 * float(half) / window**2)


def edge_times(curve: Curve, levels: Array) -> tuple[Array, np.ndarray]:
    """When sharpness first rises through each level; and which of these are read inside the curve
    (the others are carried on beyond it).

    Infinite: not within 1.5 windows. NaN: never, or the curve begins above the level.
    """
    levels = np.asarray(levels)
    read = rise_times(curve, levels)
    inside = np.isfinite(read)
    carried = local_exponential(curve)
    times = carried.times(levels)
    times = np.where(times > curve.start + FARTHEST * (curve.span - curve.start), np.inf, times)
    times[np.log(levels / carried.last) > MOST_REST * carried.rest] = np.nan
    times[levels <= curve.sharpness.max()] = np.nan
    return np.where(inside, read, times), inside
