"""Page of an experiment. The toy's counterparts of the decisive plot."""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from figures.experiments.kit.marks import INTERVAL, PALETTE, TIME, bars, edge
from figures.experiments.kit.tables import interval_table
from figures.style import curve, label_axes, panels
from figures.table import Table

PLACE = 10
CAPTIONS = {
    "toy_arms": (
        "The linear model's counterparts: outliers removed (α = 0), their share p varied at fixed "
        "size (α = p a²), and two controls that the theory predicts to change nothing in the "
        "population: p at fixed α, and g, the even part of the target, removed; left in the "
        "population, right on finite samples."
    ),
}


def draw(data: xr.Dataset) -> Figure:
    """The toy's arms: sharpness curves, and instability in the population and on samples."""
    drawn, axes = panels(2, 2, (10.5, 8))
    level = data.attrs["two_over_eta"]
    for column, where in enumerate(data["where"].values):
        own = data.sel(where=where)
        for i, arm in enumerate(data.arm.values):
            row = own.sharpness.sel(arm=arm).isel(seed=0)
            # Arms that coincide exactly stay visible: the later ones are dashed and thinner.
            style = {"linestyle": "-" if i < 5 else "--", "linewidth": 2.4 if i == 0 else 1.4}
            curve(axes[0, column], row.time, row, color=PALETTE[i], label=str(arm), **style)
        edge(axes[0, column], level)
        axes[0, column].set_ylim(0, 3 * level)
        title = f"Toy, {where}: seed 0 (dashed: 2/η)"
        label_axes(axes[0, column], TIME, "sharpness [1/time]", title)
        bars(axes[1, column], own, "share_rising")
        label_axes(axes[1, column], INTERVAL, "", "Share of steps on which the loss rises")
    axes[0, 0].legend(fontsize=7, loc="upper right")
    return drawn


def tables(data: xr.Dataset) -> list[Table]:
    """The toy's arms in the population and on samples."""
    names = ["share_rising", "largest_rise", "edge_time", "late_sharpness", "diverged"]
    return [
        interval_table(data.sel(where=where), f"Toy, {where}", names)
        for where in data["where"].values
    ]
