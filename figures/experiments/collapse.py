"""Page of an experiment. Softmax collapse in modular addition."""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from figures.experiments.kit.marks import PALETTE
from figures.experiments.kit.tables import interval_table, number_names
from figures.style import curve, label_axes, panels
from figures.table import Table

PLACE = 61
CAPTIONS = {
    "collapse": (
        "The runs of grokking, watched as Prieto et al. do: the share of samples whose loss is "
        "rounded to exactly 0 (in the run's precision, and the same outputs in float64), and the "
        "cosine of minus the gradient and the weights. Look for: whether held-out accuracy stops "
        "rising where losses are lost, and whether it rises where none are."
    ),
}
PANELS = {
    "zero_loss": "samples with loss exactly 0",
    "zero_loss_64": "the same, loss in float64",
    "naive_cosine": "cosine (−gradient, weights)",
    "test_accuracy": "held-out accuracy",
}


def draw(data: xr.Dataset) -> Figure:
    """A panel for each measure, a colour for each arm."""
    drawn, axes = panels(1, len(PANELS), (15, 4))
    for axis, (name, text) in zip(axes[0], PANELS.items(), strict=True):
        for i, arm in enumerate(data.arm.values):
            for seed in data.seed.values:
                own = data.sel(arm=arm, seed=seed)
                label = str(arm) if seed == data.seed.values[0] else None
                curve(axis, own.step, own[name], color=PALETTE[i], label=label, linewidth=1)
        label_axes(axis, "step", text)
    drawn.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=8)
    return drawn


def tables(data: xr.Dataset) -> list[Table]:
    """The numbers of every arm."""
    count = data.sizes["seed"]
    title = f"Softmax collapse: mean [95%] over {count} seed" + ("" if count == 1 else "s")
    return [interval_table(data, title, number_names(data))]
