"""Real arms beside the toy's: one figure of two experiments."""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from figures.experiments.kit.marks import PALETTE, TIME, band, bars, edge, wrapped
from figures.style import label_axes, panels
from realnet.bridge.threshold import level


def beside_toy(real: xr.Dataset, toy: xr.Dataset) -> Figure:
    """Real arms on the left, the toy's on samples on the right: sharpness, and instability."""
    toy = toy.sel(where="samples")
    drawn, axes = panels(3, 2, (10.5, 11))
    for column, (data, name) in enumerate(((real, "network"), (toy, "toy, 4,000 samples"))):
        own = level(data.attrs)
        for i, arm in enumerate(data.arm.values):
            time = data.at_time.sel(arm=arm).isel(seed=0) if "at_time" in data else data.time
            band(axes[0, column], time, data.sharpness.sel(arm=arm) / own, PALETTE[i], str(arm))
        edge(axes[0, column], 1)
        axes[0, column].set_ylim(0, 2.5)
        axes[0, column].legend(fontsize=7, ncols=2, loc="upper left")
        label_axes(axes[0, column], TIME, "sharpness × η/2", f"Sharpness, {name}")
        for row, key in ((1, "share_rising"), (2, "late_sharpness")):
            bars(axes[row, column], data, key)
            text = wrapped(data[key].attrs["long_name"].replace("2/eta", "2/η"), 45)
            label_axes(axes[row, column], text, "")
    return drawn
