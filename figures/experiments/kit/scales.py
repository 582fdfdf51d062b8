"""95% intervals over seeds that stay where the quantity can be.

A Student-t interval on a scale on which the quantity is unbounded (by the delta method, so that it
contains the mean): logarithm of what is positive, logit of shares, Fisher's z of correlations.
Differences, and what can have either sign, keep the interval that their experiment gives.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from realnet.experiments.kit.instability import mean_and_half

SIGNED = ("change_mean", "change_kurtosis")
CORRELATIONS = ("antiphase", "cosine")
SHARES = (
    *("share", "accuracy", "overlap", "alternation", "rises", "rank", "lowers", "agrees"),
    *("same_context", "diverged", "p_true", "p_measured", "members", "change_1", "unbalance"),
    *("change_2sd", "change_3sd", "change_4sd"),
)
Ends = tuple[NDArray, NDArray, NDArray]


def interval(values: ArrayLike, axis: int = -1, kind: str = "positive") -> Ends:
    """Mean and ends of its 95% interval over `axis`, NaN left out; NaN ends with fewer than two.

    kind  "positive", "share" (0 to 1), "correlation" (-1 to 1), or "any"
    """
    mean, half = mean_and_half(values, axis)
    low, high = _ends(mean, half, kind)
    same = half == 0  # all seeds alike, perhaps at a bound of the scale
    return mean, np.where(same, mean, low), np.where(same, mean, high)


def _ends(mean: NDArray, half: NDArray, kind: str) -> tuple[NDArray, NDArray]:
    """mean -+ half, carried through the scale of `kind`."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if kind == "positive":
            factor = np.exp(half / mean)
            return mean / factor, mean * factor
        if kind == "share":
            half = half / (mean * (1 - mean))
            return expit(logit(mean) - half), expit(logit(mean) + half)
        if kind == "correlation":
            half = half / (1 - mean**2)
            return np.tanh(np.arctanh(mean) - half), np.tanh(np.arctanh(mean) + half)
    return mean - half, mean + half


def kind_of(name: str, variable: xr.DataArray) -> str:
    """What `name` can be; decided by its name, and refuted by values that are outside."""
    values = variable.values[np.isfinite(variable.values)]
    if name.endswith("_difference") or name in SIGNED:
        return "any"
    if any(word in name for word in SHARES) and np.all((values >= 0) & (values <= 1)):
        return "share"
    if any(word in name for word in CORRELATIONS) and np.all(np.abs(values) <= 1):
        return "correlation"
    return "any" if np.any(values < 0) else "positive"


def honest(data: xr.Dataset) -> xr.Dataset:
    """`data` with NAME_low and NAME_high of what is bounded, over seeds, on its own scale."""
    found = data.copy()
    for name in map(str, data.data_vars):
        if f"{name}_mean" in data and "seed" in data[name].dims:
            row = data[name]
            kind = kind_of(name, row)
            if kind == "any":
                continue
            _, low, high = interval(row.values, row.get_axis_num("seed"), kind)
            dims = [dim for dim in row.dims if dim != "seed"]
            for end, values in (("low", low), ("high", high)):
                found[f"{name}_{end}"] = (dims, values, data[f"{name}_{end}"].attrs)
    return found
