"""One run: read the edge off its curve; beyond the curve, go on at the slope of its end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from linmodel.problem import Array
from realnet.bridge.curve import Curve, rise_times

# Share of the window, at its end, whose slope is carried on; and its fewest points.
SHARE, FEWEST_POINTS = 0.15, 3


@dataclass(frozen=True)
class LocalExponential:
    """Sharpness beyond the curve: last x exp(slope (t - T)).

    end    T, the curve's last time
    last   sharpness there
    slope  of ln sharpness over the last 15% of the window, by least squares [1/time]
    """

    end: float
    last: float
    slope: float

    def times(self, levels: Array) -> Array:
        """When each level is reached: T + ln(level/last) / slope; NaN where the slope is <= 0."""
        if self.slope <= 0:
            return np.full(len(levels), np.nan)
        return self.end + np.log(np.asarray(levels) / self.last) / self.slope


def local_exponential(curve: Curve) -> LocalExponential:
    """The end of `curve`, as an exponential."""
    begin = curve.span - SHARE * (curve.span - curve.start)
    count = max(FEWEST_POINTS, int((curve.time >= begin).sum()))
    slope = np.polyfit(curve.time[-count:] - curve.span, np.log(curve.sharpness[-count:]), 1)[0]
    return LocalExponential(curve.span, float(curve.sharpness[-1]), float(slope))


def edge_times(curve: Curve, levels: Array) -> tuple[Array, np.ndarray]:
    """When sharpness first rises through each level, NaN where it never does; and which of these
    are read inside the curve (the others are carried on beyond it)."""
    read = rise_times(curve, levels)
    inside = np.isfinite(read)
    above = np.asarray(levels) > curve.sharpness.max()
    beyond = np.where(above, local_exponential(curve).times(levels), np.nan)
    return np.where(inside, read, beyond), inside
