"""Page of an experiment. The toy's full network under other optimisers and small batches."""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from figures.experiments.kit.marks import INTERVAL, PALETTE, bars, edge
from figures.experiments.kit.tables import interval_table, number_names
from figures.style import curve, label_axes, panels
from figures.table import Table

PLACE = 12
CAPTIONS = {
    "toy_optimisers": (
        "The linear model's full network from the standard start. Left: the dip of αc² (S2), its "
        "rise to 2/η, for descent, with fresh batches, and with other optimisers. Right: the share "
        "of steps on which o changes sign (S4), and b_o's share of all movement back and forth. "
        "Look for: noise keeps the dip and stops the rise; clipping and Adam's momentum take the "
        "burst in b_o away, SAM does not."
    ),
}


def draw(data: xr.Dataset) -> Figure:
    """Curves of alpha c^2 over 2/eta, those with batches above; flips and b_o's share."""
    drawn, axes = panels(2, 2, (10.5, 8))
    names = list(data.arm.values)
    with_batches = [name for name in names if "step / 3" in name or "SGD" in name]
    others = [name for name in names if name not in with_batches]
    rows = (["descent", *with_batches], others)
    for row, (chosen, title) in enumerate(zip(rows, ("batches", "optimisers"), strict=True)):
        for i, name in enumerate(chosen):
            own = data.opposing_curvature.sel(arm=name).isel(seed=0)
            curve(axes[row, 0], own.step, own, color=PALETTE[i], label=str(name))
        edge(axes[row, 0], 1)
        axes[row, 0].set_yscale("log")
        axes[row, 0].legend(fontsize=7)
        label_axes(axes[row, 0], "step", "αc² × η/2", f"Opposing curvature, {title}: seed 0")
    bars(axes[0, 1], data, "flips")
    label_axes(axes[0, 1], INTERVAL, "", "Steps at which o changes sign, last half")
    bars(axes[1, 1], data, "share")
    label_axes(axes[1, 1], INTERVAL, "", "b_o's share of the movement back and forth")
    return drawn


def tables(data: xr.Dataset) -> list[Table]:
    """Every number by arm."""
    return [interval_table(data, "Optimisers and batches on the toy", number_names(data))]
