"""Figures of the experiments on real networks: they show what is saved, and compute nothing.

`figure(folder, name)` draws one finished experiment; `finished(folder)` lists them. The saved
curves of the project are in CURVES; `python -m realnet experiments --out DIR` makes one's own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.experiment_tables import forecast_panels, roles_panels
from figures.style import COLOURS, curve, label_axes, mosaic, panels
from linmodel.errors import refuse
from realnet.experiments.results import load_result, read_manifest

CURVES = Path(__file__).resolve().parent / "curves"
TIME = "time = η × step"
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8F4A83", "#555555")


def finished(folder: str | Path = CURVES) -> list[str]:
    """Names of the experiments in `folder` that can be drawn."""
    return [name for name in read_manifest(Path(folder)) if name in DRAWERS]


def figure(name: str, folder: str | Path = CURVES) -> Figure:
    """The figure of the finished experiment `name`, with its date and device beneath it.

    Raises InvalidInput: unknown, not finished, or a file that is not the manifest's.
    """
    if name not in DRAWERS:
        refuse("figure of an experiment", name, "one of " + ", ".join(DRAWERS))
    data = load_result(folder, name)
    drawn = DRAWERS[name](data)
    quick = ", quick run" if '"quick": true' in data.attrs["configuration"] else ""
    note = f"{data.attrs['title']}. Made {age(data.attrs['created'])} on {data.attrs['device']}"
    drawn.supxlabel(note + quick + ".", fontsize=8, color=COLOURS["reference"])
    return drawn


def age(created: str, now: datetime | None = None) -> str:
    """ "2026-01-02 (3 days ago)" from an ISO date."""
    then = datetime.fromisoformat(created)
    days = ((now or datetime.now(UTC)) - then).days
    return f"{then.date()} ({'today' if days == 0 else f'{days} days ago'})"


def bars(axes: Axes, data: xr.Dataset, name: str, on: str = "arm", ends: str = "_mean") -> None:
    """Means with 95% intervals as horizontal bars of points, first arm on top."""
    labels = [str(value) for value in data[on].values]
    mean = data[f"{name}{ends}"].values
    low, high = (
        data[f"{name}{ends.removesuffix('_mean')}_low"],
        data[f"{name}{ends.removesuffix('_mean')}_high"],
    )
    for i in range(len(labels)):
        colour = PALETTE[i % len(PALETTE)]
        axes.plot([low.values[i], high.values[i]], [i, i], color=colour, linewidth=3, alpha=0.4)
        axes.plot(mean[i], i, "o", color=colour, markersize=6)
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()


def decisive(data: xr.Dataset) -> Figure:
    """Sharpness and loss by arm; instability with intervals; instability against sharpness."""
    drawn, axes = mosaic(
        [["sharpness", "against"], ["rising", "early"], ["largest", "edge"]], (10.5, 11)
    )
    edge = data.attrs["two_over_eta"]
    for i, arm in enumerate(data.arm.values):
        own, colour = data.sel(arm=arm), PALETTE[i % len(PALETTE)]
        time = own.at_time.isel(seed=0)
        curve(axes["sharpness"], time, own.sharpness.mean("seed"), color=colour, label=str(arm))
        x, y = own.sharpness.values / edge, own.rising.values
        bins = np.digitize(x, BINS)
        centre = [np.nanmean(x[bins == b]) for b in range(1, len(BINS)) if (bins == b).sum() > 4]
        share = [np.nanmean(y[bins == b]) for b in range(1, len(BINS)) if (bins == b).sum() > 4]
        axes["against"].plot(centre, share, "o-", color=colour, markersize=4)
    axes["sharpness"].axhline(edge, color=COLOURS["edge"], linestyle="--", linewidth=1.2)
    axes["against"].axvline(1, color=COLOURS["edge"], linestyle="--", linewidth=1.2)
    axes["sharpness"].legend(fontsize=7, loc="lower right", ncols=2)
    label_axes(axes["sharpness"], TIME, "sharpness", "Sharpness, mean over seeds (dashed: 2/η)")
    label_axes(
        axes["against"], "sharpness × η/2", "share of rising steps", "Instability against sharpness"
    )
    for panel, name, title in (
        ("rising", "share_rising", "Share of steps on which the loss rises"),
        ("early", "early_share_rising", "The same, first quarter of the run"),
        ("largest", "largest_rise", "Largest rise of the loss in one step"),
        ("edge", "edge_time", "Time at which sharpness reaches 2/η"),
    ):
        bars(axes[panel], data, name)
        label_axes(axes[panel], "mean and 95% interval over seeds", "", title)
    return drawn


BINS = np.array([0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 1.7, 2.5])


def toy_arms(data: xr.Dataset) -> Figure:
    """The toy's arms: sharpness curves, and instability in the population and on samples."""
    drawn, axes = panels(2, 2, (10.5, 8))
    edge = data.attrs["two_over_eta"]
    for column, where in enumerate(data["where"].values):
        own = data.sel(where=where)
        for i, arm in enumerate(data.arm.values):
            row = own.sharpness.sel(arm=arm).isel(seed=0)
            curve(axes[0, column], row.time, row, color=PALETTE[i], label=str(arm))
        axes[0, column].axhline(edge, color=COLOURS["edge"], linestyle="--", linewidth=1.2)
        axes[0, column].set_ylim(0, 3 * edge)
        label_axes(axes[0, column], TIME, "sharpness", f"Toy, {where}: seed 0 (dashed: 2/η)")
        bars(axes[1, column], own, "share_rising")
        label_axes(
            axes[1, column], "mean and 95% interval", "", "Share of steps on which the loss rises"
        )
    axes[0, 0].legend(fontsize=7, loc="upper right")
    return drawn


def beside_toy(folder: str | Path = CURVES) -> Figure:
    """Real arms on the left, the toy's on samples on the right: sharpness, and instability.

    Raises InvalidInput unless both `decisive_strong` and `toy_arms` are finished.
    """
    real, toy = (load_result(folder, name) for name in ("decisive_strong", "toy_arms"))
    toy = toy.sel(where="samples")
    drawn, axes = panels(3, 2, (10.5, 11))
    for column, (data, name) in enumerate(((real, "network"), (toy, "toy, 4,000 samples"))):
        edge = data.attrs["two_over_eta"]
        for i, arm in enumerate(data.arm.values):
            own = data.sharpness.sel(arm=arm).mean("seed") / edge
            time = data.at_time.sel(arm=arm).isel(seed=0) if "at_time" in data else data.time
            curve(axes[0, column], time, own, color=PALETTE[i], label=str(arm))
        axes[0, column].axhline(1, color=COLOURS["edge"], linestyle="--", linewidth=1.2)
        axes[0, column].set_ylim(0, 2.5)
        axes[0, column].legend(fontsize=7)
        label_axes(axes[0, column], TIME, "sharpness × η/2", f"Sharpness, {name}")
        for row, key in ((1, "share_rising"), (2, "late_sharpness")):
            bars(axes[row, column], data, key)
            label_axes(axes[row, column], data[key].attrs["long_name"], "")
    return drawn


def mechanism(data: xr.Dataset) -> Figure:
    """S1, S11, S13, S15 as curves; S14 and S16 as numbers beside the paper's."""
    drawn, axes = mosaic([["S1", "S11"], ["S13", "S15"], ["S16", "S14"]], (10.5, 11))
    edge = data.attrs["two_over_eta"]
    for name, style in (("descent", "-"), ("flow", "-.")):
        own = data.sel(curve=name).isel(seed=0)
        curve(axes["S1"], own.at_time, own.sharpness, linestyle=style, label=name)
    axes["S1"].axhline(edge, color=COLOURS["edge"], linestyle="--", linewidth=1.2)
    axes["S1"].legend()
    near, far = (float(data[f"apart_{when}_edge_mean"]) for when in ("before", "after"))
    title = f"S1: distance / path: {near:.3f} before the edge, {far:.3f} after"
    label_axes(axes["S1"], TIME, "sharpness", title)
    own = data.sel(curve="untouched").isel(seed=0)
    axes["S11"].plot(own.sharpness / edge, own.along_share, ".", label="share of |g|² along v")
    label_axes(axes["S11"], "sharpness × η/2", "share along v", "S11: the gradient's share along v")
    axes["S13"].plot(own.sharpness / edge, own.predicted_change, ".", label="quadratic model")
    axes["S13"].plot(own.sharpness / edge, own.actual_change, "x", markersize=4, label="actual")
    axes["S13"].set_yscale("symlog", linthresh=1e-3)
    axes["S13"].legend()
    label_axes(
        axes["S13"], "sharpness × η/2", "loss change in one step", "S13: the local quadratic model"
    )
    for i, arm in enumerate(data.arm.values):
        rows = data.sel(arm=arm)
        curve(axes["S15"], rows.smoothed_at_time.isel(seed=0), rows.smoothed_sharpness.mean("seed"),
              color=PALETTE[i], label=str(arm))  # fmt: skip
    axes["S15"].legend(fontsize=7)
    label_axes(axes["S15"], TIME, "sharpness", "S15: label smoothing, small step")
    _tails(axes["S16"], data)
    _ratios(axes["S14"], data)
    return drawn


def _tails(axes: Axes, data: xr.Dataset) -> None:
    places = np.arange(3)
    ours = [data[f"change_{k}sd_mean"] for k in (2, 3, 4)]
    ends = [[data[f"change_{k}sd_{end}"] for k in (2, 3, 4)] for end in ("low", "high")]
    spread = np.abs(np.array(ends, dtype=float) - np.array(ours, dtype=float))
    axes.bar(places - 0.2, ours, 0.4, yerr=spread, label="here")
    axes.bar(places + 0.2, [0.055, 0.015, 0.006], 0.4, label="paper's authors")
    axes.set_xticks(places, ["> 2 sd", "> 3 sd", "> 4 sd"])
    axes.legend()
    sd = float(data["change_sd_mean"])
    label_axes(axes, "", "share of samples", f"S16: loss changes, mean sd {sd:.3f} (paper 0.3-0.5)")


def _ratios(axes: Axes, data: xr.Dataset) -> None:
    names = {
        "curvature_group_ratio": "planted groups' vᵀH_i v / mean",
        "curvature_top_ratio": "largest 5%: vᵀH_i v / mean",
        "removal_ratio": "sharpness without them / with",
        "removal_control": "without random 5% / with",
    }
    for i, name in enumerate(names):
        low, high = float(data[f"{name}_low"]), float(data[f"{name}_high"])
        axes.plot([low, high], [i, i], linewidth=3, alpha=0.4, color=PALETTE[i])
        axes.plot(float(data[f"{name}_mean"]), i, "o", color=PALETTE[i])
    axes.set_yticks(range(len(names)), list(names.values()), fontsize=8)
    axes.set_xscale("log")
    axes.invert_yaxis()
    label_axes(axes, "ratio, mean and 95% interval", "", "S14: curvature of single samples")


def grokking(data: xr.Dataset) -> Figure:
    """Held-out accuracy, norm of the parameters and sharpness of the four arms."""
    drawn, axes = panels(1, 3, (12, 4))
    names = (("test_accuracy", "held-out accuracy"), ("weight_norm", "norm of the parameters"))
    for axis, (name, text) in zip(axes[0], (*names, ("sharpness", "sharpness")), strict=True):
        for i, arm in enumerate(data.arm.values):
            for seed in data.seed.values:
                own = data.sel(arm=arm, seed=seed)
                step = own.at_time / data.attrs["step_size"]
                label = str(arm) if seed == data.seed.values[0] else None
                curve(axis, step, own[name], color=PALETTE[i], label=label, linewidth=1)
        label_axes(axis, "step", text)
        if name != "test_accuracy":
            axis.set_yscale("log")
    axes[0, 0].legend(fontsize=8)
    return drawn


def text(data: xr.Dataset) -> Figure:
    """The GPT's loss and sharpness by optimiser; the share of opposed token pairs."""
    drawn, axes = mosaic([["loss", "sharpness"], ["rising", "opposed"]], (10.5, 7.5))
    for i, arm in enumerate(data.arm.values):
        own = data.sel(arm=arm).mean("seed")
        for name in ("loss", "sharpness"):
            steps = np.arange(own.sizes["time_index"])
            curve(axes[name], steps, own[name], color=PALETTE[i], label=str(arm))
            label_axes(axes[name], "evaluation", name)
    axes["sharpness"].set_yscale("log")
    axes["loss"].legend(fontsize=8)
    bars(axes["rising"], data, "share_rising")
    label_axes(
        axes["rising"], "mean and 95% interval", "", "Share of steps on which the loss rises"
    )
    bars(axes["opposed"], data, "same_context")
    chance = float(data.same_context_chance.mean())
    axes["opposed"].axvline(chance, color=COLOURS["reference"], linestyle=":")
    title = "(risen, fallen) pairs: one character, two targets"
    label_axes(axes["opposed"], "share (dotted: random pairs)", "", title)
    return drawn


def layers(data: xr.Dataset) -> Figure:
    """Last sharpness of each layer's block over the whole Hessian's, by network."""
    drawn, axes = panels(1, data.sizes["network"], (3.2 * data.sizes["network"], 5))
    for axis, network in zip(axes[0], data.network.values, strict=True):
        own = data.sel(network=network)
        names = [str(name) for name in own.layer_name.values if str(name)]
        last = int(np.isfinite(own.sharpness.isel(seed=0).values).sum()) - 1
        share = (own.block_sharpness / own.sharpness).isel(time_index=last).mean("seed")
        axis.barh(range(len(names)), share.values[: len(names)], color=COLOURS["sharpness"])
        axis.set_yticks(range(len(names)), names, fontsize=7)
        axis.invert_yaxis()
        label_axes(axis, "block / whole sharpness", "", str(network))
    return drawn


DRAWERS: dict[str, Callable[[xr.Dataset], Figure]] = {
    "decisive_strong": decisive,
    "decisive_weak": decisive,
    "toy_arms": toy_arms,
    "mechanism": mechanism,
    "forecast": forecast_panels,
    "roles": roles_panels,
    "grokking": grokking,
    "text": text,
    "layers": layers,
}
