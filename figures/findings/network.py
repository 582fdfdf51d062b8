"""What real networks do: the edge, the fitted model and its forecast, the groups, their removal."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures import bridge, overview, real_run, signals
from figures.cache import Datasets
from figures.experiments.kit.marks import bars
from figures.findings.model import SIZE, Found
from figures.style import label_axes, panels
from linmodel.store import configuration
from realnet.bridge.curve import rise_time
from realnet.bridge.threshold import levels


def edge_of_stability(datasets: Datasets) -> Found:
    """Where sharpness passes 2/eta, and on how many steps the loss rises before and after."""
    large = datasets["large"]
    own = large.sharpness.values / levels(large)
    edge = rise_time(large.time.values, own, 1.0)
    rises = np.diff(large.step_loss) > 0
    late = large.step_time.values[1:] > edge
    figure, axes = panels(1, 1, SIZE)
    overview.network_panel(axes[0, 0], datasets)
    set_up = configuration(large)
    what = f"A {set_up['net'].upper()} on {set_up['size']} MNIST digits"
    if not np.isfinite(edge):
        most = float(np.nanmax(own))
        return f"{what} does not reach $2/\\eta$: at most {most:.2f} of it.", figure
    sentence = (
        f"{what} does the same: its sharpness rises through $2/\\eta$ at step "
        f"{edge / large.attrs['step_size']:.0f}; the loss rises on {rises[~late].mean():.0%} of "
        f"the "
        f"steps before and on {rises[late].mean():.0%} of those after. One run, seed "
        f"{set_up['seed']}, {real_run.threads(large)}."
    )
    return sentence, figure


def forecast(datasets: Datasets) -> Found:
    """The fit's error, and the forecast of the edge at another step size beside what happened."""
    fit, told = datasets["fit"], datasets["forecast"].isel(run=0)
    row = told.sel(rule=told.attrs["answer"])
    figure, axes = panels(1, 1, SIZE)
    bridge.overlay_panel(axes[0, 0], fit, datasets.get("second"))
    label_axes(axes[0, 0], bridge.TIME, "sharpness [1/time]", axes[0, 0].get_title(loc="left"))
    sentence = (
        f"The model, fitted to the small-step run alone, has an rms error of "
        f"{fit.attrs['error']:.1%} (status: {fit.attrs['status']}). {bridge.verdict(row)}"
    )
    return sentence, figure


def opposing_groups(datasets: Datasets) -> Found | None:
    """What the groups carry of the curvature, against their share of the data."""
    numbers = datasets["numbers"]
    if "pair" not in numbers.dims:
        return None
    own = numbers.isel(pair=0)
    top = own.curvature_share.isel(direction=0)
    at = int(top.argmax("checkpoint"))
    low, high = (float(own[f"curvature_share_{e}"].isel(direction=0)[at]) for e in ("low", "high"))
    size = int(own.plus_size) + int(own.minus_size)
    figure, axes = panels(1, 1, SIZE)
    signals.shares_panel(axes[0, 0], own)
    axes[0, 0].set_ylim(0, 1.02)
    sentence = (
        f"Without looking at pictures the finder returns two groups of {int(own.plus_size)} and "
        f"{int(own.minus_size)} samples, {int(own.planted_found)} of these {size} among the "
        f"{int(own.planted)} planted. They are {float(own.fraction):.0%} of the data and carry "
        f"up to "
        f"{float(top[at]):.0%} [{low:.0%}, {high:.0%}] of the top eigenvalue (95%, bootstrap over "
        "samples)."
    )
    return sentence, figure


def removal(data: xr.Dataset) -> Found:
    """Without the groups: early sharpness; without as many random samples; over seeds."""
    arms = ["untouched", "groups removed", "random removed"]
    own = data.sel(arm=arms)
    figure, axes = panels(1, 1, (SIZE[0], 2.4))
    bars(axes[0, 0], own, "early_sharpness")
    axes[0, 0].set_xlim(left=0)
    label_axes(axes[0, 0], "sharpness × η/2, mean of the first quarter; 95%", "")

    def said(arm: str) -> str:
        row = own.sel(arm=arm)
        low, mean, high = (float(row[f"early_sharpness_{end}"]) for end in ("low", "mean", "high"))
        return f"{mean:.2f} [{low:.2f}, {high:.2f}]"

    sentence = (
        f"Remove the opposing groups, and early sharpness falls from {said(arms[0])} to "
        f"{said(arms[1])} of $2/\\eta$; remove as many random samples, and it is {said(arms[2])} "
        f"({data.sizes['seed']} seeds, 95%). The network reaches $2/\\eta$ without the groups, too."
    )
    return sentence, figure


def speed(found: dict) -> tuple[str, Figure]:
    """Microseconds a cell of the sweep, beside every other solver."""
    from figures.benchmarks import ENOUGH
    from figures.dots import dots_panel

    mine = found["linmodel.sweep"]
    rows = {"linmodel.sweep": mine, **found["peers"]}
    known = {name: row for name, row in rows.items() if "microseconds" in row}
    figure, axes = panels(1, 1, SIZE)
    values = {name: row["microseconds"] for name, row in known.items()}
    dots_panel(axes[0, 0], values, [row["error"] <= ENOUGH for row in known.values()])
    label_axes(axes[0, 0], "microseconds a problem, one thread", "")
    best = min(v for name, v in values.items() if name != "linmodel.sweep")
    sentence = (
        f"One problem of a sweep with 200 values of the sharpness takes "
        f"{mine['microseconds']:.1f} µs, "
        f"{best / mine['microseconds']:.0f} times less than the fastest of {len(values) - 1} other "
        f"solvers, with a relative error of at most {mine['error']:.0e}."
    )
    return sentence, figure
