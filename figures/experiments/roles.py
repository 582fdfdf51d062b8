"""Page of an experiment. Roles of batch size, step size, schedule, regularisation, optimiser."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.experiments.kit.marks import INTERVAL, wrapped
from figures.experiments.kit.tables import interval_table, number_names
from figures.style import COLOURS, label_axes, panels
from figures.table import Table

PLACE = 70
CAPTIONS = {
    "roles": (
        "One change at a time from a common baseline: batch size, step size, schedule, weight "
        "decay, normalisation, dropout, optimiser, clipping, SAM. Own sharpness: the whole loss's; "
        "with batches batch sharpness; under Adam the preconditioned one; each over the threshold "
        "of that optimiser at its step size of then."
    ),
}
ROLES = ("own_edge", "share_rising", "largest_rise", "group_swing", "group_loss")


def draw(data: xr.Dataset) -> Figure:
    """Five numbers of every arm, with 95% intervals over seeds."""
    drawn, axes = panels(1, len(ROLES), (15, 0.32 * data.sizes["arm"] + 2), sharey=True)
    places = np.arange(data.sizes["arm"])
    for axis, name in zip(axes[0], ROLES, strict=True):
        low, high = data[f"{name}_low"].values, data[f"{name}_high"].values
        axis.hlines(places, low, high, color=COLOURS["sharpness"], linewidth=3, alpha=0.4)
        axis.plot(data[f"{name}_mean"].values, places, "o", color=COLOURS["sharpness"])
        axis.axvline(float(data[f"{name}_mean"][0]), color=COLOURS["reference"], linestyle=":")
        axis.set_yticks(places, [str(arm) for arm in data.arm.values])
        text = data[name].attrs["long_name"]
        text = "own sharpness over own threshold, last half" if name == "own_edge" else text
        label_axes(axis, INTERVAL, "")
        axis.set_title(wrapped(text, 26), loc="left", fontsize=9)
    axes[0, 0].set_ylim(len(places) - 0.5, -0.5)
    return drawn


def tables(data: xr.Dataset) -> list[Table]:
    """Every number of every arm."""
    names = [*number_names(data), "diverged"]
    return [interval_table(data, "Roles: mean [95%] over seeds", names)]
