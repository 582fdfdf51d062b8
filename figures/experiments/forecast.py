"""Page of an experiment. The bridge's forecasts against what happened."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.experiments.kit.marks import PALETTE
from figures.style import COLOURS, label_axes, panels
from figures.table import Table, number
from realnet.bridge.status import EARLY

PLACE = 40
# Edges that nothing forecasts: the status now, and in results that were carried over.
TOO_EARLY = (EARLY, "at_start")
CAPTIONS = {
    "forecast": (
        "From small-step runs alone: when, and whether, larger steps reach 2/η, and where the "
        "sharpness stays. “two runs” has a second short run that shows how late descent is; "
        "all others, the toy and its rivals among them, have one curve. A point is a run; further "
        "left is better."
    ),
}
WINDOWS = {1.0: "from the whole run", 0.5: "from its first half"}


def draw(data: xr.Dataset) -> Figure:
    """|log error| of each forecast of the edge and of the plateau, one point a run, two windows."""
    drawn, axes = panels(data.sizes["window"], 2, (10.5, 4 * data.sizes["window"]))
    titles = {"edge": "Time to 2/η", "plateau": "Sharpness afterwards"}
    for row, window in zip(axes, data.window.values, strict=True):
        for axis, (name, title) in zip(row, titles.items(), strict=True):
            own = data.sel(window=window)
            errors = abs(own[f"{name}_log_error"].where(~own.status.isin(TOO_EARLY)))
            for i, model in enumerate(data.model.values):
                values = errors.sel(model=model).values
                known = values[np.isfinite(values)]
                places, colour = np.full(known.size, i), PALETTE[i % len(PALETTE)]
                axis.plot(np.maximum(known, 1e-3), places, ".", alpha=0.5, color=colour)
                text = f"{known.size} of {values.size}"
                axis.text(9, i, text, ha="right", va="center", fontsize=7)
                if known.size:
                    axis.plot(np.median(known), i, "|", color=COLOURS["edge"], markersize=16)
            axis.set_yticks(range(data.sizes["model"]), [str(m) for m in data.model.values])
            axis.invert_yaxis()
            axis.set(xscale="log", xlim=(8e-4, 10))
            label_axes(
                axis,
                "|log(predicted / observed)|; bar: median; right: runs with both",
                "",
                f"{title}, {WINDOWS.get(float(window), f'from {window:g} of it')}",
            )
    return drawn


def tables(data: xr.Dataset) -> list[Table]:
    """By window and description: errors of edge and plateau, coverage; then by network."""
    found = []
    for window in data.window.values:
        own = data.sel(window=window)
        rows = [_forecast_row(own.sel(model=model)) for model in data.model.values]
        heading = ["description", "edge: median |log error|", "runs", "within its 90%"]
        heading += ["plateau: median |log error|", "runs", "right on whether there is an edge"]
        text = WINDOWS.get(float(window), f"from {window:g} of the small-step run")
        found.append(Table(f"Forecasts {text}", heading, rows))
        networks = [str(name) for name in data.network.values]
        each = [
            [
                str(model),
                *(_median(_errors(own.sel(model=model, network=n), "edge")) for n in networks),
            ]
            for model in data.model.values
        ]
        each.append(
            ["the toy's fits", *(", ".join(own.fit_status.sel(network=n).values) for n in networks)]
        )
        found.append(
            Table(f"Edge: median |log error| by network, {text}", ["description", *networks], each)
        )
    return found


def _forecast_row(own: xr.Dataset) -> list[str]:
    edge, plateau = _errors(own, "edge"), _errors(own, "plateau")
    known = np.isfinite(own.edge_log_error.values) & np.isfinite(own.low.values)
    seen = np.broadcast_to(own.observed_edge_time.values, known.shape)[known]
    inside = (own.low.values[known] <= seen) & (seen <= own.high.values[known])
    covered = f"{inside.sum()} of {inside.size}" if inside.size else "–"
    agrees = number(float(own.agrees.mean()))
    return [
        str(own.model.item()), _median(edge), str(edge.size), covered,
        _median(plateau), str(plateau.size), agrees,
    ]  # fmt: skip


def _errors(own: xr.Dataset, name: str) -> np.ndarray:
    values = np.abs(own[f"{name}_log_error"].where(~own.status.isin(TOO_EARLY)).values)
    return values[np.isfinite(values)]


def _median(values: np.ndarray) -> str:
    return number(float(np.median(values))) if values.size else "–"
