"""Page of an experiment. Modular addition without weight decay."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.experiments.kit.marks import PALETTE
from figures.experiments.kit.tables import interval_table, number_names
from figures.style import COLOURS, curve, label_axes, panels
from figures.table import Table

PLACE = 60
CAPTIONS = {
    "grokking": (
        "Addition modulo a prime, trained without weight decay: softmax cross-entropy, StableMax, "
        "the projection of the gradient off the weights, and weight decay for comparison."
    ),
}


def draw(data: xr.Dataset) -> Figure:
    """Held-out accuracy, norm of the parameters, sharpness and losses of the arms."""
    drawn, axes = panels(1, 4, (15, 4))
    names = {
        "test_accuracy": "held-out accuracy",
        "loss": "training loss",
        "weight_norm": "norm of the parameters",
        "sharpness": "sharpness [1/time]",
    }
    for axis, (name, text) in zip(axes[0], names.items(), strict=True):
        for i, arm in enumerate(data.arm.values):
            for seed in data.seed.values:
                own = data.sel(arm=arm, seed=seed)
                step = own.at_time / data.attrs["step_size"]
                label = str(arm) if seed == data.seed.values[0] else None
                curve(axis, step, own[name], color=PALETTE[i], label=label, linewidth=1)
        label_axes(axis, "step", text)
        if name != "test_accuracy":
            axis.set_yscale("log")
    axes[0, 0].axhline(data.attrs["grokked"], color=COLOURS["reference"], linestyle=":")
    drawn.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=8)
    return drawn


def tables(data: xr.Dataset) -> list[Table]:
    """Who groks, and the numbers of every arm."""
    names = number_names(data)
    own = interval_table(data, "Modular addition: mean [95%] over seeds", names)
    counts = np.isfinite(data.grok_step).sum("seed").values
    rows = [
        [row[0], f"{count} of {data.sizes['seed']}", *row[1:]]
        for row, count in zip(own.rows, counts, strict=True)
    ]
    return [Table(own.title, [own.heading[0], "seeds that grok", *own.heading[1:]], rows)]
