"""What a forecast's number is worth, in words."""

from __future__ import annotations

import numpy as np

from linmodel.problem import Array

INSIDE = "inside the curve"
BEYOND = "beyond the curve"
EARLY = "too early: run it"
LATER = "not within 1.5 windows"
NEVER = "never"
NONE = "no forecast"
MEANINGS = {
    INSIDE: "the small-step run passes this sharpness: its time is read off",
    BEYOND: "above all that the small-step run reached: its end is carried on",
    EARLY: "sharpness begins above the edge, or is there within 15 steps, which no rule forecasts",
    LATER: "later than half a window after the small run's end, or never: it cannot say which",
    NEVER: "sharpness falls or has flattened below the edge; of fits: not within 10 windows",
    NONE: "this rule cannot say: it does not describe the curve, or stops where the curve does",
}
# Steps within which an edge is forecast by nothing.
EARLIEST = 15
# How far beyond the start of the window a crossing is looked for, in windows.
HORIZON = 10.0


def statuses(times: Array, inside: np.ndarray, early: np.ndarray, end: float) -> np.ndarray:
    """The status of each edge time (NaN: never reached, infinite: later than a rule tells), given
    which are read inside the curve, which are too early, and the last time that counts."""
    found = np.where(inside, INSIDE, BEYOND).astype(object)
    with np.errstate(invalid="ignore"):
        found[~(times <= end)] = NEVER
    found[np.isinf(times)] = LATER
    found[early] = EARLY
    return found
