"""Tables of the experiments: every number with its 95% interval over seeds.

`tables(name, data)` gives those of one experiment.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import xarray as xr

from figures.experiment_networks import WINDOWS, layer_name
from figures.table import Table, number

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
    ("S11", "antiphase", "correlation of the two groups' loss changes", "opposite"),
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


def tables(name: str, data: xr.Dataset) -> list[Table]:
    """The tables of the experiment `name`."""
    return MAKERS[name](data)


def cell(data: xr.Dataset, name: str, ends: str = "_mean") -> str:
    """ "mean [low, high]" of a variable that is reduced to one number; the mean alone without."""
    low, high = (
        float(data[f"{name}{ends.removesuffix('_mean')}_{end}"]) for end in ("low", "high")
    )
    mean = number(float(data[f"{name}{ends}"]))
    return mean if np.isnan(low) else f"{mean} [{number(low)}, {number(high)}]"


def interval_table(
    data: xr.Dataset, title: str, names: list[str], on: str = "arm", ends: str = "_mean"
) -> Table:
    """A row for each value of `on`, a column for each of `names`."""
    rows = [
        [str(value), *(cell(data.sel({on: value}), name, ends) for name in names)]
        for value in data[on].values
    ]
    return Table(title, [on, *(name.replace("_", " ") for name in names)], rows)


def decisive(data: xr.Dataset) -> list[Table]:
    """Numbers of the arms, and each arm less the untouched one, paired over seeds."""
    names = ["share_rising", "largest_rise", "total_rise", "early_share_rising", "early_sharpness"]
    names += ["late_sharpness", "edge_time", "antiphase", "accuracy"]
    reach = np.isfinite(data.edge_time).sum("seed").values
    own = interval_table(data, f"Arms: mean [95%] over {data.sizes['seed']} seeds", names)
    counted = [[*row, str(count)] for row, count in zip(own.rows, reach, strict=True)]
    difference = interval_table(
        data.isel(arm=slice(1, None)),
        "Less the untouched arm, paired over seeds",
        names[:6],
        ends="_difference",
    )
    return [Table(own.title, [*own.heading, "seeds that reach 2/η"], counted), difference]


def toy_arms(data: xr.Dataset) -> list[Table]:
    """The toy's arms in the population and on samples."""
    names = ["share_rising", "largest_rise", "edge_time", "late_sharpness", "diverged"]
    return [
        interval_table(data.sel(where=where), f"Toy, {where}", names)
        for where in data["where"].values
    ]


def mechanism(data: xr.Dataset) -> list[Table]:
    """Each statement's numbers beside the authors' figures; label smoothing's effect."""
    rows = [[ids, text, cell(data, name), paper] for ids, name, text, paper in MECHANISM]
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


def roles(data: xr.Dataset) -> list[Table]:
    """Every number of every arm."""
    names = [str(name) for name in data.data_vars if f"{name}_mean" in data]
    return [interval_table(data, "Roles: mean [95%] over seeds", names)]


def forecast(data: xr.Dataset) -> list[Table]:
    """By window and description: errors of edge and plateau, coverage; then by network."""
    found = []
    for window in data.window.values:
        own = data.sel(window=window)
        rows = [_forecast_row(own.sel(model=model)) for model in data.model.values]
        heading = ["description", "edge: median |log error|", "runs", "within its 95%"]
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
    known = np.isfinite(own.edge_log_error.values) & np.isfinite(own.edge_low.values)
    seen = np.broadcast_to(own.observed_edge_time.values, known.shape)[known]
    inside = (own.edge_low.values[known] <= seen) & (seen <= own.edge_high.values[known])
    covered = f"{inside.sum()} of {inside.size}" if inside.size else "–"
    agrees = number(float(own.agrees.mean()))
    return [
        str(own.model.item()), _median(edge), str(edge.size), covered,
        _median(plateau), str(plateau.size), agrees,
    ]  # fmt: skip


def _errors(own: xr.Dataset, name: str) -> np.ndarray:
    values = np.abs(own[f"{name}_log_error"].where(own.status != "at_start").values)
    return values[np.isfinite(values)]


def _median(values: np.ndarray) -> str:
    return number(float(np.median(values))) if values.size else "–"


def measured(data: xr.Dataset) -> list[Table]:
    """p and alpha: true, measured, fitted, by setting and seed."""
    rows = []
    for setting in data.setting.values:
        for seed in data.seed.values:
            own = data.sel(setting=setting, seed=seed)
            spans = [
                f"{number(float(own[name]))} [{number(float(own[f'{name}_from']))}, "
                f"{number(float(own[f'{name}_to']))}]"
                for name in ("alpha_measured", "alpha_fitted")
            ]
            plain = ("p_true", "p_measured", "overlap", "alpha_true")
            numbers = [number(float(own[name])) for name in plain]
            ratio = number(float(own.alpha_ratio))
            agrees = {1.0: "yes", 0.0: "no"}.get(float(own.agrees), "–")
            rows.append(
                [
                    str(setting),
                    str(seed),
                    *numbers,
                    *spans,
                    ratio,
                    agrees,
                    str(own.fit_status.item()),
                ]
            )
    heading = ["setting", "seed", "p true", "p measured", "overlap", "alpha true"]
    heading += ["alpha measured", "alpha fitted", "fitted / measured", "intervals meet", "fit"]
    return [Table("Alpha and p, each with its 95% interval", heading, rows)]


def grokking(data: xr.Dataset) -> list[Table]:
    """Who groks, and the numbers of every arm."""
    names = [str(name) for name in data.data_vars if f"{name}_mean" in data and name != "diverged"]
    own = interval_table(data, "Modular addition: mean [95%] over seeds", names)
    counts = np.isfinite(data.grok_step).sum("seed").values
    rows = [
        [row[0], f"{count} of {data.sizes['seed']}", *row[1:]]
        for row, count in zip(own.rows, counts, strict=True)
    ]
    return [Table(own.title, [own.heading[0], "seeds that grok", *own.heading[1:]], rows)]


def text(data: xr.Dataset) -> list[Table]:
    """Numbers by optimiser; the commonest contexts among tokens of the largest loss change."""
    names = [str(name) for name in data.data_vars if f"{name}_mean" in data and name != "diverged"]
    found = json.loads(data.attrs["contexts"])
    rows = [
        [arm, repr(row["context"]), repr(row["next"]), str(row["rose"]), str(row["fell"])]
        for arm, own in found.items()
        for row in own
    ]
    title = "Tokens of the largest loss change (seed 0), commonest first: how often the loss"
    return [
        interval_table(data, "GPT on text: mean [95%] over seeds", names),
        Table(title, ["arm", "last characters", "next", "rose", "fell"], rows),
    ]


def layers(data: xr.Dataset) -> list[Table]:
    """Each network's layers: last block sharpness over the whole Hessian's, by seed."""
    rows = []
    for network in data.network.values:
        own = data.sel(network=network)
        last = int(np.isfinite(own.sharpness.isel(seed=0).values).sum()) - 1
        share = (own.block_sharpness / own.sharpness).isel(time_index=last)
        for i, name in enumerate(own.layer_name.values):
            if str(name):
                values = [number(float(value)) for value in share.isel(layer=i).values]
                rows.append([str(network), layer_name(str(name)), *values])
    seeds = [f"seed {seed}" for seed in data.seed.values]
    return [Table("Block sharpness over the whole Hessian's", ["network", "layer", *seeds], rows)]


MAKERS: dict[str, Callable[[xr.Dataset], list[Table]]] = {
    "decisive_strong": decisive,
    "decisive_weak": decisive,
    "toy_arms": toy_arms,
    "mechanism": mechanism,
    "forecast": forecast,
    "measured": measured,
    "roles": roles,
    "grokking": grokking,
    "text": text,
    "layers": layers,
}
