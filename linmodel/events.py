"""Events of a curve known at points: its first dip, and its first rise through a level."""

from __future__ import annotations

import math

import numpy as np

from linmodel.problem import Array


def first_dip(curve: Array) -> int | None:
    """Index of the first local minimum that the curve leaves upwards; None where there is none."""
    rising = np.flatnonzero(np.diff(curve) > 0)
    return int(rising[0]) if rising.size else None


def first_rise(curve: Array, level: float) -> int | None:
    """Index of the first value >= level whose predecessor is below it; None where there is none."""
    rises = np.flatnonzero((curve[:-1] < level) & (curve[1:] >= level))
    return int(rises[0]) + 1 if rises.size else None


def event_times(time: Array, curve: Array, level: float) -> tuple[float, float]:
    """(t_dip, t_edge): `time` at the first dip and at the first rise; NaN where there is none."""
    places = (first_dip(curve), first_rise(curve, level))
    dip, edge = (math.nan if place is None else float(time[place]) for place in places)
    return dip, edge
