"""The part of a run's sharpness curve that the toy's gradient flow can be held against."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import xarray as xr

from linmodel.errors import InvalidInput, refuse
from linmodel.problem import Array

FEWEST = 10
LEAST_RISE = 1.1


@dataclass(frozen=True)
class Curve:
    """Sharpness > 0 against time = step size x step, both of shape (n,), up to the edge.

    step_size  eta of the run, or None where the data set does not say
    used       (m,) which points of the run are in the curve
    """

    time: Array
    sharpness: Array
    used: np.ndarray
    step_size: float | None

    @property
    def span(self) -> float:
        """Last time of the curve."""
        return float(self.time[-1])


def curve_of(real: xr.Dataset) -> Curve:
    """The curve of `real` before its sharpness first rises through 2/eta (S1: descent is like the
    flow only until then); all of it where it never does or `step_size` is not in the attributes.

    Raises InvalidInput: no sharpness on time, NaN or values <= 0, times that do not increase, fewer
    than 10 points, or no rise by 10% after the curve's least value.
    """
    time, sharpness = _read(real)
    eta = real.attrs.get("step_size")
    eta = None if eta is None else float(eta)
    used = np.ones(len(time), dtype=bool)
    if eta is not None:
        edge = first_rise(sharpness, 2 / eta)
        if edge is not None:
            used[edge:] = False
    return checked(Curve(time[used], sharpness[used], used, eta))


def first_rise(values: Array, level: float) -> int | None:
    """Index of the first value >= level whose predecessor is below it; None where there is none."""
    rises = np.flatnonzero((values[:-1] < level) & (values[1:] >= level))
    return int(rises[0]) + 1 if rises.size else None


def rise_time(time: Array, values: Array, level: float) -> float:
    """Time of the first rise through `level`, by linear interpolation; NaN where there is none."""
    first = first_rise(values, level)
    if first is None:
        return math.nan
    share = (level - values[first - 1]) / (values[first] - values[first - 1])
    return float(time[first - 1] + share * (time[first] - time[first - 1]))


def checked(curve: Curve) -> Curve:
    """`curve` if it is long enough and rises; else InvalidInput."""
    count = len(curve.time)
    if count < FEWEST:
        refuse(
            "sharpness curve",
            f"{count} points before the edge of stability",
            f"at least {FEWEST} points",
            "Measure sharpness more often, train longer, or take a smaller step size.",
        )
    lowest = int(np.argmin(curve.sharpness))
    rise = float(curve.sharpness[lowest:].max() / curve.sharpness[lowest])
    if rise < LEAST_RISE:
        refuse(
            "sharpness curve",
            f"a curve that rises by a factor {rise:.3g} after its minimum",
            f"one that rises by {LEAST_RISE} or more",
            "There is no progressive sharpening to fit: train longer or take another run.",
        )
    return curve


def _read(real: xr.Dataset) -> tuple[Array, Array]:
    if "sharpness" not in real or real["sharpness"].dims != ("time",) or "time" not in real.coords:
        refuse("real run", sorted(map(str, real.variables)), "a Dataset with sharpness on time")
    time = np.asarray(real["time"].values, dtype=float)
    sharpness = np.asarray(real["sharpness"].values, dtype=float)
    for name, values in (("time", time), ("sharpness", sharpness)):
        bad = int((~np.isfinite(values)).sum())
        if bad:
            raise InvalidInput(
                f"{name} of the run has {bad} of {len(values)} values that are not finite; allowed:"
                " finite numbers. Cut the run before the first of them (a diverged run ends there)."
            )
    if (np.diff(time) <= 0).any() or (time < 0).any():
        refuse(
            "time of the run", "a grid that does not increase from >= 0", "increasing times >= 0"
        )
    if (sharpness <= 0).any():
        refuse(
            "sharpness of the run",
            f"a curve with the value {sharpness.min():g}",
            "values > 0 (the toy's sharpness always is)",
            "Cut the part with negative curvature.",
        )
    return time, sharpness
