"""Instability and intervals: the stated numbers of the experiments. No torch."""

from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from linmodel.errors import refuse
from linmodel.problem import Array

INSTABILITY = {
    "share_rising": "share of steps on which the loss rises by more than 1e-4 of its whole fall",
    "largest_rise": "largest rise of the loss in one step",
    "total_rise": "sum of all rises of the loss",
}
LEVEL = 0.95
# Rises below this share of the loss's whole fall (first less least) are not counted: rounding at
# convergence is not unrest, and a constant in the loss must not matter.
RISE = 1e-4


def instability(losses: ArrayLike) -> dict[str, float]:
    """INSTABILITY's numbers of a sequence of full-batch losses, one a step, shape (steps,).

    A loss that is not finite counts as a rise of infinite size. Raises InvalidInput for fewer
    than two losses.
    """
    values = np.asarray(losses, dtype=float)
    if values.ndim != 1 or len(values) < 2:
        refuse("losses", f"an array of shape {values.shape}", "one loss a step, two or more steps")
    values = np.where(np.isfinite(values), values, np.inf)
    with np.errstate(invalid="ignore"):
        change = np.diff(values)
    rises = np.where(np.isnan(change), np.inf, np.maximum(change, 0))
    return {
        "share_rising": float((rises > _threshold(values)).mean()),
        "largest_rise": float(rises.max()),
        "total_rise": float(rises.sum()),
    }


def _threshold(losses: Array) -> float:
    return RISE * float(losses[0] - losses.min())


def rising_between(step_times: Array, losses: Array, times: Array) -> Array:
    """Share of rising steps from each evaluation to the next, (len(times),); last one NaN."""
    rises = np.diff(losses) > _threshold(losses)
    begin = np.searchsorted(step_times, times - 1e-9 * max(1.0, float(times[-1])))
    found = np.full(len(times), np.nan)
    for i, (first, last) in enumerate(pairwise(begin)):
        part = rises[first:last]
        found[i] = part.mean() if len(part) else np.nan
    return found


def mean_interval(values: ArrayLike, axis: int = -1) -> tuple[NDArray, NDArray, NDArray]:
    """Mean and 95% Student-t interval over `axis`, NaN left out; NaN ends with fewer than two."""
    mean, half = mean_and_half(values, axis)
    return mean, mean - half, mean + half


def mean_and_half(values: ArrayLike, axis: int = -1) -> tuple[NDArray, NDArray]:
    """Mean and half the length of `mean_interval`."""
    table = np.asarray(values, dtype=float)
    table = np.where(np.isfinite(table), table, np.nan)
    count = np.isfinite(table).sum(axis=axis)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # means of nothing are NaN, as they should
        mean = np.nanmean(table, axis=axis)
        sd = np.nanstd(table, axis=axis, ddof=1)
        half = stdtrit(np.maximum(count - 1, 1), 0.5 + LEVEL / 2) * sd / np.sqrt(count)
    return mean, np.where(count >= 2, half, np.nan)


def with_intervals(table: xr.Dataset, over: str, against: str | None = None) -> xr.Dataset:
    """`table` and NAME_mean, NAME_low, NAME_high over the dimension `over`, for what has it.

    `against`: an arm; then also NAME_difference (and _low, _high), each arm less that one, paired
    over `over`.
    """
    found = {}
    for name in list(table.data_vars):
        variable = table[name]
        if over not in variable.dims or variable.dtype.kind not in "fiu":
            continue
        rows = {"": variable}
        if against is not None and "arm" in variable.dims:
            rows["_difference"] = variable - variable.sel(arm=against, drop=True)
        for suffix, row in rows.items():
            axis = row.get_axis_num(over)
            dims = [dim for dim in row.dims if dim != over]
            ends = ("_mean", "_low", "_high") if not suffix else ("", "_low", "_high")
            for end, values in zip(ends, mean_interval(row.values, axis), strict=True):
                text = f"{variable.attrs.get('long_name', name)}{suffix}{end}".replace("_", ", ")
                attrs = {"units": variable.attrs.get("units", "1"), "long_name": text}
                found[f"{name}{suffix}{end}"] = (dims, values, attrs)
    return table.assign(found)
