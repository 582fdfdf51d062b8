"""Page of an experiment. Planted groups of two labels against the same pictures with one."""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from figures.experiments.kit.marks import INTERVAL, PALETTE, TIME, band, bars, edge
from figures.experiments.kit.tables import interval_table
from figures.style import label_axes, panels
from figures.table import Table
from realnet.bridge.threshold import level

PLACE = 25
CAPTIONS = {
    "agreement": (
        "The planted groups share one background. With two labels the network is pulled both ways "
        "along it; with one label the same pictures agree. Look for: whether the sharpness and the "
        "unrest are the background's or the opposition's."
    ),
}


def draw(data: xr.Dataset) -> Figure:
    """Sharpness by arm, and the share of steps on which the loss rises."""
    drawn, axes = panels(1, 2, (10.5, 4))
    for i, arm in enumerate(data.arm.values):
        own = data.sel(arm=arm)
        band(axes[0, 0], own.at_time.isel(seed=0), own.sharpness, PALETTE[i], str(arm))
    edge(axes[0, 0], level(data.attrs))
    axes[0, 0].legend()
    label_axes(axes[0, 0], TIME, "sharpness [1/time]", "Sharpness: mean, 95% (dashed: 2/η)")
    bars(axes[0, 1], data, "share_rising")
    label_axes(axes[0, 1], INTERVAL, "", "Share of steps on which the loss rises")
    return drawn


def tables(data: xr.Dataset) -> list[Table]:
    """Numbers of both arms."""
    names = ["share_rising", "largest_rise", "largest_sharpness", "late_sharpness"]
    return [interval_table(data, f"Arms: mean [95%] over {data.sizes['seed']} seeds", names)]
