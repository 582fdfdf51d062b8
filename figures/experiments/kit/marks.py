"""Marks that the experiments' figures share: curves with bands, means with intervals."""

from __future__ import annotations

import textwrap

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from figures.experiments.kit.scales import interval, kind_of
from figures.style import COLOURS, curve

TIME = "time = η × step"
INTERVAL = "mean and 95% interval over seeds"
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8F4A83", "#555555")


def bars(axes: Axes, data: xr.Dataset, name: str, on: str = "arm") -> None:
    """NAME's means with 95% intervals as horizontal bars and points, first row on top."""
    labels = [str(value) for value in data[on].values]
    mean, low, high = (data[f"{name}_{end}"].values for end in ("mean", "low", "high"))
    for i in range(len(labels)):
        colour = PALETTE[i % len(PALETTE)]
        axes.plot([low[i], high[i]], [i, i], color=colour, linewidth=3, alpha=0.4)
        axes.plot(mean[i], i, "o", color=colour, markersize=6)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.locator_params(axis="x", nbins=5)


def band(axes: Axes, x: ArrayLike, rows: xr.DataArray, colour: str, label: str) -> None:
    """Mean over seeds of `rows` (seed, x), with its 95% interval as a band."""
    kind = kind_of(str(rows.name), rows)
    mean, low, high = interval(rows.transpose("seed", ...).values, 0, kind)
    curve(axes, x, mean, color=colour, label=label)
    axes.fill_between(np.asarray(x, dtype=float), low, high, color=colour, alpha=0.12, linewidth=0)


def edge(axes: Axes, level: float) -> None:
    """2/eta as a dashed horizontal line."""
    axes.axhline(level, color=COLOURS["edge"], linestyle="--", linewidth=1.2)


def wrapped(text: str, width: int = 30) -> str:
    """`text` in lines of at most `width` characters."""
    return "\n".join(textwrap.wrap(text, width))
