"""Figures of the arms: the decisive plot, the toy's counterparts, the mechanism measured."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.experiment_marks import INTERVAL, PALETTE, TIME, band, bars, edge, wrapped
from figures.style import COLOURS, curve, label_axes, mosaic, panels

# Sharpness over 2/eta, in which the share of rising steps is averaged.
BINS = np.array([0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 1.7, 2.5])


def decisive(data: xr.Dataset) -> Figure:
    """Sharpness by arm; instability against sharpness; four numbers with intervals."""
    drawn, axes = mosaic(
        [["sharpness", "against"], ["rising", "early"], ["largest", "edge"]], (10.5, 11)
    )
    level = data.attrs["two_over_eta"]
    for i, arm in enumerate(data.arm.values):
        own, colour = data.sel(arm=arm), PALETTE[i % len(PALETTE)]
        band(axes["sharpness"], own.at_time.isel(seed=0), own.sharpness, colour, str(arm))
        x, y = own.sharpness.values / level, own.rising.values
        bins = np.digitize(x, BINS)
        many = [bins == b for b in range(1, len(BINS)) if (bins == b).sum() > 4]
        centre, share = ([np.nanmean(values[at]) for at in many] for values in (x, y))
        axes["against"].plot(centre, share, "o-", color=colour, markersize=4)
    edge(axes["sharpness"], level)
    axes["sharpness"].set_ylim(0, 2.2 * level)
    axes["against"].axvline(1, color=COLOURS["edge"], linestyle="--", linewidth=1.2)
    axes["sharpness"].legend(fontsize=7, loc="upper left", ncols=2)
    title = "Sharpness: mean, 95% over seeds (dashed: 2/η)"
    label_axes(axes["sharpness"], TIME, "sharpness [1/time]", title)
    label_axes(
        axes["against"], "sharpness × η/2", "share of rising steps", "Instability against sharpness"
    )
    for panel, name, title in (
        ("rising", "share_rising", "Share of steps on which the loss rises"),
        ("early", "early_sharpness", "Sharpness × η/2, mean over the first quarter"),
        ("largest", "largest_rise", "Largest rise of the loss in one step"),
        ("edge", "edge_time", "Time to 2/η, of the seeds that reach it"),
    ):
        bars(axes[panel], data, name)
        label_axes(axes[panel], INTERVAL, "", title)
    return drawn


def toy_arms(data: xr.Dataset) -> Figure:
    """The toy's arms: sharpness curves, and instability in the population and on samples."""
    drawn, axes = panels(2, 2, (10.5, 8))
    level = data.attrs["two_over_eta"]
    for column, where in enumerate(data["where"].values):
        own = data.sel(where=where)
        for i, arm in enumerate(data.arm.values):
            row = own.sharpness.sel(arm=arm).isel(seed=0)
            # Arms that coincide exactly stay visible: the later ones are dashed and thinner.
            style = {"linestyle": "-" if i < 5 else "--", "linewidth": 2.4 if i == 0 else 1.4}
            curve(axes[0, column], row.time, row, color=PALETTE[i], label=str(arm), **style)
        edge(axes[0, column], level)
        axes[0, column].set_ylim(0, 3 * level)
        title = f"Toy, {where}: seed 0 (dashed: 2/η)"
        label_axes(axes[0, column], TIME, "sharpness [1/time]", title)
        bars(axes[1, column], own, "share_rising")
        label_axes(axes[1, column], INTERVAL, "", "Share of steps on which the loss rises")
    axes[0, 0].legend(fontsize=7, loc="upper right")
    return drawn


def beside_toy(real: xr.Dataset, toy: xr.Dataset) -> Figure:
    """Real arms on the left, the toy's on samples on the right: sharpness, and instability."""
    toy = toy.sel(where="samples")
    drawn, axes = panels(3, 2, (10.5, 11))
    for column, (data, name) in enumerate(((real, "network"), (toy, "toy, 4,000 samples"))):
        level = data.attrs["two_over_eta"]
        for i, arm in enumerate(data.arm.values):
            time = data.at_time.sel(arm=arm).isel(seed=0) if "at_time" in data else data.time
            band(axes[0, column], time, data.sharpness.sel(arm=arm) / level, PALETTE[i], str(arm))
        edge(axes[0, column], 1)
        axes[0, column].set_ylim(0, 2.5)
        axes[0, column].legend(fontsize=7, ncols=2, loc="upper left")
        label_axes(axes[0, column], TIME, "sharpness × η/2", f"Sharpness, {name}")
        for row, key in ((1, "share_rising"), (2, "late_sharpness")):
            bars(axes[row, column], data, key)
            text = wrapped(data[key].attrs["long_name"].replace("2/eta", "2/η"), 45)
            label_axes(axes[row, column], text, "")
    return drawn


def mechanism(data: xr.Dataset) -> Figure:
    """S1, S11, S13, S15 as curves; S14 and S16 as numbers beside the paper's."""
    drawn, axes = mosaic([["S1", "S11"], ["S13", "S15"], ["S16", "S14"]], (10.5, 11))
    level = data.attrs["two_over_eta"]
    for name, style in (("descent", "-"), ("flow", "-.")):
        own = data.sel(curve=name).isel(seed=0)
        curve(axes["S1"], own.at_time, own.sharpness, linestyle=style, label=f"{name}, seed 0")
    edge(axes["S1"], level)
    axes["S1"].legend()
    near, far = (float(data[f"apart_{when}_edge_mean"]) for when in ("before", "after"))
    title = f"S1: distance / path: {near:.3f} before the edge, {far:.3f} after"
    label_axes(axes["S1"], TIME, "sharpness [1/time]", title)
    own = data.sel(curve="untouched")
    x = own.sharpness / level
    axes["S11"].plot(x.values.ravel(), own.along_share.values.ravel(), ".", alpha=0.6)
    label_axes(
        axes["S11"],
        "sharpness × η/2",
        "share of |g|² along v",
        "S11: the gradient along v, 5 seeds",
    )
    for name, mark, text in (
        ("predicted_change", ".", "quadratic model"),
        ("actual_change", "x", "actual"),
    ):
        values = own[name].values.ravel()
        axes["S13"].plot(x.values.ravel(), values, mark, markersize=4, alpha=0.6, label=text)
    axes["S13"].set_yscale("symlog", linthresh=1e-3)
    axes["S13"].legend()
    label_axes(
        axes["S13"], "sharpness × η/2", "loss change in one step", "S13: the local quadratic model"
    )
    for i, arm in enumerate(data.arm.values):
        rows = data.sel(arm=arm)
        time = rows.smoothed_at_time.isel(seed=0)
        shown = rows.smoothed_sharpness.dropna("seed", how="all")
        band(axes["S15"], time, shown, PALETTE[i], str(arm))
    axes["S15"].set_ylim(bottom=0)
    axes["S15"].legend(fontsize=7, loc="lower right")
    label_axes(axes["S15"], TIME, "sharpness [1/time]", "S15: label smoothing, small step")
    _tails(axes["S16"], data)
    _ratios(axes["S14"], data)
    return drawn


def _tails(axes: Axes, data: xr.Dataset) -> None:
    places = np.arange(3)
    ours = [data[f"change_{k}sd_mean"] for k in (2, 3, 4)]
    ends = [[data[f"change_{k}sd_{end}"] for k in (2, 3, 4)] for end in ("low", "high")]
    spread = np.abs(np.array(ends, dtype=float) - np.array(ours, dtype=float))
    axes.bar(places - 0.2, ours, 0.4, yerr=spread, color=PALETTE[0], label="here, 95% over seeds")
    paper = [0.055, 0.015, 0.006]
    axes.bar(places + 0.2, paper, 0.4, color=PALETTE[4], label="the paper's authors")
    axes.set_xticks(places, ["> 2 sd", "> 3 sd", "> 4 sd"])
    axes.legend()
    sd = float(data["change_sd_mean"])
    label_axes(axes, "", "share of samples", f"S16: loss changes; sd {sd:.2g} (paper 0.3-0.5)")


def _ratios(axes: Axes, data: xr.Dataset) -> None:
    names = {
        "curvature_group_ratio": "planted groups' curvature\nalong v / mean",
        "curvature_top_ratio": "largest 5%: curvature\nalong v / mean",
        "removal_ratio": "sharpness without\nthese 5% / with",
        "removal_control": "sharpness without\nrandom 5% / with",
    }
    for i, name in enumerate(names):
        low, high = float(data[f"{name}_low"]), float(data[f"{name}_high"])
        axes.plot([low, high], [i, i], linewidth=3, alpha=0.4, color=PALETTE[i])
        axes.plot(float(data[f"{name}_mean"]), i, "o", color=PALETTE[i])
    axes.axvline(1, color=COLOURS["reference"], linestyle=":")
    axes.set_yticks(range(len(names)), list(names.values()), fontsize=8)
    axes.invert_yaxis()
    label_axes(axes, f"ratio, {INTERVAL}", "", "S14: curvature of single samples")
