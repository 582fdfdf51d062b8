"""Page of an experiment. The published plateaus of the edge on a small network."""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from figures.experiments.kit.marks import INTERVAL, PALETTE, TIME, band, bars
from figures.experiments.kit.tables import interval_table
from figures.style import COLOURS, label_axes, panels
from figures.table import Table

PLACE = 85
CAPTIONS = {
    "plateaus": (
        "What each optimiser is said to hold at its edge, over the plateau that was published: "
        "Adam's preconditioned sharpness (38/η), batch sharpness of SGD (2/η) and of momentum with "
        "small batches (2(1−m)/η) and large ones (2(1+m)/η), sharpness under full-batch momentum. "
        "Look for: which of them stand at 1."
    ),
}


def draw(data: xr.Dataset) -> Figure:
    """Each arm's quantity in time, over its plateau; its late mean."""
    drawn, axes = panels(1, 2, (10.5, 4.2))
    for i, arm in enumerate(data.arm.values):
        own = data.sel(arm=arm)
        last = float(own.at_time.isel(seed=0).max())
        band(axes[0, 0], own.at_time.isel(seed=0) / last, own.relative, PALETTE[i], str(arm))
    axes[0, 0].set_ylim(0, 2.5)
    axes[0, 0].legend(fontsize=8)
    title = "Quantity over the published plateau: mean, 95%"
    label_axes(axes[0, 0], f"{TIME}, share of the run", "1: the plateau", title)
    bars(axes[0, 1], data, "level")
    label_axes(axes[0, 1], INTERVAL, "", "Its mean over the last third of the run")
    axes[0, 0].axhline(1, color=COLOURS["edge"], linestyle="--", linewidth=1.2)
    axes[0, 1].axvline(1, color=COLOURS["edge"], linestyle="--", linewidth=1.2)
    return drawn


def tables(data: xr.Dataset) -> list[Table]:
    """Late means over the published plateaus."""
    names = ["level", "over_two", "published", "sharpness_over_two"]
    return [interval_table(data, f"Plateaus: mean [95%] over {data.sizes['seed']} seeds", names)]
