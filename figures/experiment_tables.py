"""Figures of the two experiments that are tables: forecasts, and the roles of everything."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.style import COLOURS, label_axes, panels
from figures.table import Table, number

ROLES = ("edge_ratio", "share_rising", "largest_rise", "group_swing", "group_loss")


def forecast_panels(data: xr.Dataset) -> Figure:
    """|log error| of each forecast of the edge and of the plateau, one point a run."""
    drawn, axes = panels(1, 2, (10.5, 4.5))
    titles = {"edge": "Time at which sharpness reaches 2/η", "plateau": "Sharpness afterwards"}
    for axis, (name, title) in zip(axes[0], titles.items(), strict=True):
        for i, model in enumerate(data.model.values):
            own = data.sel(model=model)
            values = np.abs(own[f"{name}_log_error"].where(own.status != "at_start").values)
            known = values[np.isfinite(values)]
            axis.plot(np.maximum(known, 1e-3), np.full(known.size, i), ".", alpha=0.5)
            if known.size:
                axis.plot(np.median(known), i, "|", color=COLOURS["edge"], markersize=16)
        total = values.size
        axis.set_yticks(range(data.sizes["model"]), [str(model) for model in data.model.values])
        axis.invert_yaxis()
        axis.set(xscale="log", xlim=(8e-4, 10))
        label_axes(axis, f"|log(predicted / observed)|; bar: median; {total} runs", "", title)
    return drawn


def roles_panels(data: xr.Dataset) -> Figure:
    """Five numbers of every arm, with 95% intervals over seeds."""
    drawn, axes = panels(1, len(ROLES), (14, 0.32 * data.sizes["arm"] + 1.5), sharey=True)
    for axis, name in zip(axes[0], ROLES, strict=True):
        low, high = data[f"{name}_low"].values, data[f"{name}_high"].values
        places = np.arange(data.sizes["arm"])
        axis.hlines(places, low, high, color=COLOURS["sharpness"], linewidth=3, alpha=0.4)
        axis.plot(data[f"{name}_mean"].values, places, "o", color=COLOURS["sharpness"])
        axis.set_yticks(places, [str(arm) for arm in data.arm.values])
        label_axes(axis, data[name].attrs["long_name"].replace(" of the ", "\nof the "), "", name)
    axes[0, 0].invert_yaxis()
    return drawn


def roles_table(data: xr.Dataset) -> Table:
    """Every number of every arm, mean over seeds."""
    names = [str(name) for name in data.data_vars if f"{name}_mean" in data]
    rows = [
        [str(arm), *(number(float(data[f"{name}_mean"].sel(arm=arm))) for name in names)]
        for arm in data.arm.values
    ]
    return Table("Roles, means over seeds", ["arm", *names], rows)


def forecast_table(data: xr.Dataset) -> Table:
    """Median |log error| and count of each description's forecasts of the edge and the plateau."""
    rows = []
    for model in data.model.values:
        own = data.sel(model=model)
        row = [str(model)]
        for name in ("edge", "plateau"):
            values = np.abs(own[f"{name}_log_error"].where(own.status != "at_start").values)
            known = values[np.isfinite(values)]
            row += [number(float(np.median(known))) if known.size else "–", str(known.size)]
        rows.append([*row, number(float(own.agrees.mean()))])
    heading = ["description", "edge: median |log error|", "forecasts"]
    heading += ["plateau: median |log error|", "forecasts", "agree on whether"]
    return Table("Forecasts against runs", heading, rows)
