"""Table cells with 95% intervals over seeds."""

from __future__ import annotations

import numpy as np
import xarray as xr

from figures.table import Table, number


def cell(data: xr.Dataset, name: str, ends: str = "_mean") -> str:
    """ "mean [low, high]" of a variable that is reduced to one number; the mean alone without."""
    low, high = (
        float(data[f"{name}{ends.removesuffix('_mean')}_{end}"]) for end in ("low", "high")
    )
    mean = number(float(data[f"{name}{ends}"]))
    return mean if np.isnan(low) else f"{mean} [{number(low)}, {number(high)}]"


def interval_table(
    data: xr.Dataset, title: str, names: list[str], on: str = "arm", ends: str = "_mean"
) -> Table:
    """A row for each value of `on`, a column for each of `names`."""
    rows = [
        [str(value), *(cell(data.sel({on: value}), name, ends) for name in names)]
        for value in data[on].values
    ]
    return Table(title, [on, *(name.replace("_", " ") for name in names)], rows)


def number_names(data: xr.Dataset) -> list[str]:
    """Variables that have a mean over seeds, but for `diverged`."""
    return [str(n) for n in data.data_vars if f"{n}_mean" in data and n != "diverged"]
