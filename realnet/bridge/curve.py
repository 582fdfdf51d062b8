"""The part of a run's sharpness curve that the toy, and a forecast, can be held against."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from linmodel.arguments import typed
from linmodel.errors import InvalidInput, refuse
from linmodel.errors import real as number
from linmodel.events import first_rise
from linmodel.problem import Array
from realnet.bridge.threshold import own_edge

# Points that a fit of six parameters needs, and a forecast.
FEWEST, FEWEST_READ = 10, 8
LEAST_RISE = 1.1
# Share of the window that may pass without a point.
LARGEST_GAP = 0.25
# A curve falls for good where the median of its last tenth lies this far below the maximum, in
# logarithms, or this many standard deviations of its noise.
FALL, FALL_NOISE = 0.03, 6.0


@dataclass(frozen=True)
class Curve:
    """Sharpness > 0 against time = step size x step, both of shape (n,), up to the edge.

    step_size  eta of the run, or None where the data set does not say
    used       (m,) which points of the run are in the curve
    left_out   why the rest is not, in words; empty where all are
    """

    time: Array
    sharpness: Array
    used: np.ndarray
    step_size: float | None
    left_out: str = ""

    @property
    def start(self) -> float:
        """First time of the curve."""
        return float(self.time[0])

    @property
    def span(self) -> float:
        """Last time of the curve."""
        return float(self.time[-1])

    def first(self, count: int) -> Curve:
        """The first `count` points."""
        used = self.used & (np.cumsum(self.used) <= count)
        return replace(self, time=self.time[:count], sharpness=self.sharpness[:count], used=used)


def measured(real: xr.Dataset, name: str = "sharpness curve") -> Curve:
    """All of `real` before its sharpness first rises through its own edge, 2/eta under descent
    (S1: it is like the flow only until then); all of it where it never does or where `step_size` is
    not in the attributes.

    Raises InvalidInput: no sharpness on time, NaN or values <= 0, times that do not increase, a bad
    step size, fewer than 8 points, a quarter of the window without a point, no rise by 10%.
    """
    time, sharpness = _read(real)
    eta = step_size_of(real)
    used, why = np.ones(len(time), dtype=bool), ""
    level = own_edge(real, eta)
    edge = None if level is None else first_rise(sharpness, level)
    if edge is not None:
        used[edge:] = False
        why = f"from time {time[edge]:.4g} on sharpness is beyond the run's own edge of stability"
    curve = Curve(time[used], sharpness[used], used, eta, why)
    _enough(curve, FEWEST_READ, name)
    _gapless(curve, name)
    _rising(curve, name)
    return curve


@typed
def curve_of(real: xr.Dataset) -> Curve:
    """What the toy's flow is fitted to: `measured`, up to the maximum where the curve then falls
    for good (networks under cross-entropy: no rise of the toy's ends so).

    Raises InvalidInput as `measured`, and for fewer than 10 points.
    """
    return checked(until_the_fall(measured(real)))


def rise_time(time: Array, values: Array, level: float) -> float:
    """Time of the first rise through `level`, by linear interpolation; NaN where there is none."""
    first = first_rise(values, level)
    if first is None:
        return math.nan
    share = (level - values[first - 1]) / (values[first] - values[first - 1])
    return float(time[first - 1] + share * (time[first] - time[first - 1]))


def rise_times(curve: Curve, levels: Array) -> Array:
    """`rise_time` through each level."""
    return np.array([rise_time(curve.time, curve.sharpness, level) for level in levels])


def checked(curve: Curve) -> Curve:
    """`curve` if it is long enough for a fit and rises; else InvalidInput."""
    _enough(curve, FEWEST, "sharpness curve")
    _rising(curve, "sharpness curve")
    return curve


def log_noise(sharpness: Array) -> float:
    """Standard deviation of the point-to-point noise of log sharpness.

    Second differences cancel a smooth curve and leave 6 times the variance of white noise; the
    median (0.6745 standard deviations) ignores the few points where the curve itself bends.
    """
    bends = np.abs(np.diff(np.log(sharpness), n=2))
    return float(np.median(bends)) / 0.6745 / math.sqrt(6)


def step_size_of(real: xr.Dataset) -> float | None:
    """The run's attribute `step_size`, None where it has none. Raises InvalidInput: not one
    number > 0."""
    given = real.attrs.get("step_size")
    if given is None:
        return None
    if np.size(given) != 1:
        refuse("attribute step_size of the run", given, "one number > 0", "Or leave it out.")
    return number("attribute step_size of the run", np.ravel(given)[0], above=0)


def rise(sharpness: Array) -> tuple[float, int]:
    """Largest ratio of a value to an earlier one, and the index of the highest value that the
    curve has risen to by 10% or more (the last index where there is none)."""
    ratio = sharpness / np.minimum.accumulate(sharpness)
    risen = np.where(ratio >= LEAST_RISE, sharpness, -np.inf)
    top = int(np.argmax(risen)) if np.isfinite(risen).any() else len(sharpness) - 1
    return float(ratio.max()), top


def until_the_fall(curve: Curve) -> Curve:
    """`curve` up to its maximum, where it falls for good after it; else all of it."""
    _, top = rise(curve.sharpness)
    count = len(curve.time)
    if count - 1 - top < 2:
        return curve
    last = np.log(curve.sharpness[-max(3, count // 10) :])
    fallen = math.log(curve.sharpness[top]) - float(np.median(last))
    if fallen < max(FALL, FALL_NOISE * log_noise(curve.sharpness)):
        return curve
    why = f"after its maximum at time {curve.time[top]:.4g} sharpness falls for good"
    return replace(curve.first(top + 1), left_out=why)


def _enough(curve: Curve, fewest: int, name: str) -> None:
    if len(curve.time) < fewest:
        why = f", because {curve.left_out}" if curve.left_out else ""
        refuse(
            name,
            f"{len(curve.time)} points{why}",
            f"at least {fewest} points",
            "Measure sharpness more often, train longer, or take a smaller step size.",
        )


def _gapless(curve: Curve, name: str) -> None:
    steps = np.diff(curve.time)
    widest = int(np.argmax(steps))
    if steps[widest] > LARGEST_GAP * (curve.span - curve.start):
        low, high = curve.time[widest], curve.time[widest + 1]
        refuse(
            name,
            f"no point between times {low:.4g} and {high:.4g}",
            f"no gap longer than {LARGEST_GAP:.0%} of the window",
            "Measure sharpness there, or cut the curve before the gap.",
        )


def _rising(curve: Curve, name: str) -> None:
    largest, _ = rise(curve.sharpness)
    if largest < LEAST_RISE:
        refuse(
            name,
            f"a curve that rises by a factor {largest:.3g} at most",
            f"one that rises by {LEAST_RISE} or more",
            "There is no progressive sharpening to describe: train longer or take another run.",
        )


def _read(real: xr.Dataset) -> tuple[Array, Array]:
    if "sharpness" not in real or real["sharpness"].dims != ("time",) or "time" not in real.coords:
        refuse("real run", sorted(map(str, real.variables)), "a Dataset with sharpness on time")
    for name in ("time", "sharpness"):
        if real[name].dtype.kind not in "iuf":
            kind = "dates" if real[name].dtype.kind in "mM" else str(real[name].dtype)
            refuse(f"{name} of the run", kind, "numbers", "Time is step size x step.")
    time = np.asarray(real["time"].values, dtype=float)
    sharpness = np.asarray(real["sharpness"].values, dtype=float)
    for name, values in (("time", time), ("sharpness", sharpness)):
        bad = int((~np.isfinite(values)).sum())
        if bad:
            raise InvalidInput(
                f"{name} of the run has {bad} of {len(values)} values that are not finite; allowed:"
                " finite numbers. Leave out rows without a value; cut a diverged run before them."
            )
    if (time < 0).any():
        refuse(
            "time of the run",
            f"negative at first, {time.min():g}",
            "times >= 0: step size x step, counted from the start of training",
        )
    if (np.diff(time) <= 0).any():
        at = int(np.argmax(np.diff(time) <= 0))
        refuse(
            "time of the run",
            f"{time[at + 1]:g} after {time[at]:g}",
            "times that increase",
            "Sort the rows, and keep one of those that share a time.",
        )
    if (sharpness <= 0).any():
        refuse(
            "sharpness of the run",
            f"a curve with the value {sharpness.min():g}",
            "values > 0 (the toy's sharpness always is)",
            "Cut the part with negative curvature.",
        )
    return time, sharpness
