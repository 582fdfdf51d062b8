"""Page of an experiment. S1, S11, S13 to S16 measured on planted data."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.experiments.kit.marks import INTERVAL, PALETTE, TIME, band, edge
from figures.experiments.kit.tables import cell, interval_table
from figures.style import COLOURS, curve, label_axes, mosaic
from figures.table import Table
from realnet.bridge.threshold import level

PLACE = 30
CAPTIONS = {
    "mechanism": (
        "The statements measured on a real network: descent against the flow at matched time "
        "(S1), the gradient's share along the top eigenvector and its alternation (S11), the "
        "quadratic model's failure beyond the edge (S13), curvature of single samples (S14), "
        "label smoothing (S15), and the spread of per-sample loss changes beside the paper's "
        "numbers (S16)."
    ),
}
# (statement, variable, what it is, the paper's authors' figure).
MECHANISM = (
    ("S1", "apart_before_edge", "distance of descent from flow over path, before 2/η", "similar"),
    ("S1", "apart_after_edge", "the same, after 2/η", "apart"),
    ("S1", "sharpness_ratio_before", "sharpness, descent / flow, before 2/η", ""),
    ("S1", "sharpness_ratio_after", "the same, after 2/η", ""),
    ("S11", "along_share_below", "share of the gradient along v, below 2/η", ""),
    ("S11", "along_share_beyond", "the same, beyond 2/η", "aligned"),
    ("S11", "alternation_below", "evaluations after which g·v changes sign, below 2/η", ""),
    ("S11", "alternation_beyond", "the same, beyond 2/η", "oscillates"),
    (
        "S11",
        "antiphase",
        "rank correlation of the two groups' swings; random groups: +0.5",
        "opposite",
    ),
    ("S11", "antiphase_detrended", "correlation of their changes less a 21-step mean", "opposite"),
    ("S11", "group_cosine", "cosine of the two groups' gradients", "opposite"),
    ("S11", "unbalance_cosine_beyond", "|cos(v, gradient of L0 − L1)|, beyond 2/η", ""),
    ("S11", "unbalance_rank_beyond", "random directions that unbalance the groups less", "1"),
    ("S13", "model_rises_below", "local quadratic model rises over the step, below 2/η", "0"),
    ("S13", "model_rises_beyond", "the same, beyond 2/η", "> 0"),
    ("S13", "loss_rises_beyond", "loss rises over the step, beyond 2/η", ""),
    ("S14", "curvature_top_ratio", "5% largest curvatures along v over the mean", ">> 1"),
    ("S14", "curvature_group_ratio", "planted groups' curvature along v over the mean", ">> 1"),
    ("S14", "curvature_top_members", "planted samples among those 5%", ""),
    ("S14", "removal_ratio", "sharpness at once without those 5%, over with", "< 1"),
    ("S14", "removal_control", "the same without 5% at random", ""),
    ("S14", "removal_lowers", "evaluations at which removing them lowers sharpness", "1"),
    ("S16", "change_mean", "loss change of single samples in one step: mean", "about 0"),
    ("S16", "change_sd", "its standard deviation", "0.3 to 0.5"),
    ("S16", "change_sd_largest", "its largest value in the run", "never above 0.8"),
    ("S16", "change_2sd", "samples beyond 2 sd", "0.055"),
    ("S16", "change_3sd", "beyond 3 sd", "0.015"),
    ("S16", "change_4sd", "beyond 4 sd", "0.006"),
    ("S16", "change_1", "samples that change by 1 or more", "0.05 or less"),
    ("S16", "change_1_largest", "the same, largest in the run", "0.05 or less"),
    ("S16", "change_kurtosis", "excess kurtosis", "0 (bell-shaped)"),
)


def draw(data: xr.Dataset) -> Figure:
    """S1, S11, S13, S15 as curves; S14 and S16 as numbers beside the paper's."""
    drawn, axes = mosaic([["S1", "S11"], ["S13", "S15"], ["S16", "S14"]], (10.5, 11))
    edge_level = level(data.attrs)
    for name, style in (("descent", "-"), ("flow", "-.")):
        own = data.sel(curve=name).isel(seed=0)
        curve(axes["S1"], own.at_time, own.sharpness, linestyle=style, label=f"{name}, seed 0")
    edge(axes["S1"], edge_level)
    axes["S1"].legend()
    near, far = (float(data[f"apart_{when}_edge_mean"]) for when in ("before", "after"))
    title = f"S1: distance / path: {near:.3f} before the edge, {far:.3f} after"
    label_axes(axes["S1"], TIME, "sharpness [1/time]", title)
    own = data.sel(curve="untouched")
    x = own.sharpness / edge_level
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


def tables(data: xr.Dataset) -> list[Table]:
    """Each statement's numbers beside the authors' figures; label smoothing's effect."""
    rows = [
        [ids, text, cell(data, name), paper]
        for ids, name, text, paper in MECHANISM
        if f"{name}_mean" in data
    ]
    heading = ["statement", "what", "here: mean [95%] over seeds", "the paper's authors"]
    names = ["sharpness_largest", "sharpness_end"]
    smoothing = interval_table(data, "S15: label smoothing at a small step", names)
    less = interval_table(
        data.isel(arm=slice(1, None)),
        "S15: less no smoothing, paired over seeds",
        names,
        ends="_difference",
    )
    return [Table("Statements about networks, measured", heading, rows), smoothing, less]
