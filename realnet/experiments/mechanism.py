"""S1, S11, S13, S14, S15, S16 measured: each a function of runs that returns numbers.

All on the planted data of the decisive plot, strong groups; the untouched arm's runs are the same
run folders.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import xarray as xr

from realnet.bridge.threshold import levels
from realnet.experiments import decisive
from realnet.experiments.kit.collecting import curves, table
from realnet.experiments.kit.definition import Configs, Experiment, Runs, Scale, planted_mlp
from realnet.experiments.kit.instability import with_intervals
from realnet.signals.antiphase import antiphase

# The paper's figures for S16 (theory.md), to be set beside ours.
PAPER_CHANGES = {"change_2sd": 0.055, "change_3sd": 0.015, "change_4sd": 0.006}


@dataclass(frozen=True)
class Settings:
    """The decisive plot's, whose untouched runs are taken; smoothing strengths at a small step.

    small_step: one at which no run of S15 reaches its edge within the time: sharpening is left
    alone.
    """

    decisive: decisive.Settings = field(
        default_factory=lambda: decisive.Settings(decisive.DIALS["strong"])
    )
    smoothing: tuple[float, ...] = (0.0, 0.05, 0.1, 0.2, 0.4)
    smoothing_seeds: int = 3
    small_step: float = 0.05
    small_steps: int = 1000


def configs(settings: Settings, scale: Scale) -> Configs:
    """The untouched arm with probes; descent and flow from one start; smoothing, small step."""
    base = settings.decisive
    untouched = replace(base, arms={"untouched": {}})
    found: Configs = decisive.configs(untouched, scale)
    for seed in scale.seeds(base.seeds):
        for name, optimiser in (("descent", "gd"), ("flow", "flow")):
            found[name, seed] = scale.scaled(
                planted_mlp(
                    seed,
                    dials=base.dials,
                    step_size=base.step_size,
                    steps=base.steps // 2,
                    optimiser=optimiser,
                    observe=("sketch=128",),
                )
            )
    for smoothing in settings.smoothing:
        for seed in scale.seeds(settings.smoothing_seeds):
            found[f"smoothing {smoothing:g}", seed] = scale.scaled(
                planted_mlp(
                    seed,
                    dials=base.dials,
                    step_size=settings.small_step,
                    steps=settings.small_steps,
                    label_smoothing=smoothing,
                )
            )
    return found


def matched_time(descent: xr.Dataset, flow: xr.Dataset) -> dict[str, float]:
    """S1: |theta_descent - theta_flow| / |theta_flow - theta_0| at equal times.

    Before the edge: the median over evaluations before sharpness of the flow first reaches 2/eta;
    after it: the median over as much time again. The norms are of a random projection to 128
    numbers: each within about 6%.
    """
    count = min(descent.sizes["time"], flow.sizes["time"])
    a, b = descent.sketch.values[:count], flow.sketch.values[:count]
    moved = np.linalg.norm(b - b[0], axis=1)
    apart = np.linalg.norm(a - b, axis=1)[1:] / moved[1:]
    at_edge = np.flatnonzero(flow.sharpness.values[:count] >= levels(descent)[:count])
    edge = int(at_edge[0]) if at_edge.size else count
    ratio = descent.sharpness.values[:count] / flow.sharpness.values[:count]
    return {
        "apart_before_edge": _median(apart[: max(edge - 1, 0)]),
        "apart_after_edge": _median(apart[edge - 1 : 2 * edge - 1]) if edge < count else np.nan,
        "sharpness_ratio_before": _median(ratio[:edge]),
        "sharpness_ratio_after": _median(ratio[edge : 2 * edge]) if edge < count else np.nan,
    }


def gradient_alignment(run: xr.Dataset) -> dict[str, float]:
    """S11: gradient along the top eigenvector v before and after the edge, and its alternation.

    alternation: share of evaluations at which g.v has the other sign one step later. The groups:
    |cos(v, grad(L_0 - L_1))| and the share of 20 random directions that unbalance them less.
    antiphase is the groups' alone: what random groups of the same sizes and classes reach, and how
    far they swing, is `realnet.signals.chance` (measured on these runs: docs/signals.md).
    """
    beyond = run.sharpness.values >= levels(run)
    flips = run.along.values * run.along_next.values < 0
    known = np.isfinite(run.along_next.values)
    found = {}
    for name, where in (("below", ~beyond), ("beyond", beyond)):
        found[f"along_share_{name}"] = _mean(run.along_share.values[where])
        found[f"alternation_{name}"] = _mean(flips[where & known])
        found[f"unbalance_cosine_{name}"] = _mean(run.unbalance_cosine.values[where])
        found[f"unbalance_rank_{name}"] = _mean(run.unbalance_rank.values[where])
    pair = run["loss class 0"].values, run["loss class 1"].values
    found["antiphase"] = antiphase(pair[0], pair[1])
    found["group_cosine"] = _mean(run.group_cosine.values)
    return found


def quadratic_model(run: xr.Dataset) -> dict[str, float]:
    """S13: share of evaluations at which the local quadratic model predicts a rise; and its error.

    For descent the model's change is -eta |g|^2 + eta^2 g^T H g / 2.
    """
    known = np.isfinite(run.predicted_change.values)
    beyond = run.sharpness.values >= levels(run)
    predicted, actual = run.predicted_change.values, run.actual_change.values
    found = {}
    for name, where in (("below", known & ~beyond), ("beyond", known & beyond)):
        found[f"model_rises_{name}"] = _mean(predicted[where] > 0)
        found[f"loss_rises_{name}"] = _mean(actual[where] > 0)
    return found


def single_samples(run: xr.Dataset) -> dict[str, float]:
    """S14: v^T H_i v of single samples over its average, for the groups and for the largest 5%.

    removal_*: sharpness at the same point without those 5%, over the sharpness (and without as many
    random samples); removal_lowers: share of evaluations at which it falls.
    """
    average = run.curvature_mean.values
    ratio = run.sharpness_rest.values / run.sharpness.values
    control = run.sharpness_fewer.values / run.sharpness.values
    return {
        "removal_ratio": _median(ratio),
        "removal_control": _median(control),
        "removal_lowers": _mean((ratio < 1)[np.isfinite(ratio)]),
        "removal_lowers_more": _mean((ratio < control)[np.isfinite(ratio)]),
        "curvature_group_ratio": _median(run.curvature_group.values / average),
        "curvature_top_ratio": _median(run.curvature_top.values / average),
        "curvature_top_members": _mean(run.curvature_top_members.values),
    }


def loss_changes(run: xr.Dataset) -> dict[str, float]:
    """S16: per-sample loss changes over one step: means over evaluations; the largest sd."""
    found = {
        name: _mean(run[name].values)
        for name in ("change_mean", "change_sd", *PAPER_CHANGES, "change_1", "change_kurtosis")
    }
    found["change_sd_largest"] = float(np.nanmax(run.change_sd.values))
    found["change_1_largest"] = float(np.nanmax(run.change_1.values))
    return found


def sharpening(run: xr.Dataset) -> dict[str, float]:
    """S15: largest sharpness in the run, and sharpness at its end, in units of 1 / time."""
    values = run.sharpness.values
    return {"sharpness_largest": float(values.max()), "sharpness_end": float(values[-1])}


MEASURES = {
    "S1": ("descent", matched_time),
    "S11": ("untouched", gradient_alignment),
    "S13": ("untouched", quadratic_model),
    "S14": ("untouched", single_samples),
    "S15": ("smoothing", sharpening),
    "S16": ("untouched", loss_changes),
}


def collect(runs: Runs, settings: Settings, _scale: Scale) -> xr.Dataset:
    """Numbers of each statement with 95% intervals over seeds; the curves that figures show."""
    seeds = sorted({seed for arm, seed in runs if arm == "untouched"})
    paired = {("descent", s): matched_time(runs["descent", s], runs["flow", s]) for s in seeds}
    parts = [_numbers(paired)]
    for measure in (gradient_alignment, quadratic_model, single_samples, loss_changes):
        parts.append(_numbers({("untouched", s): measure(runs["untouched", s]) for s in seeds}))
    smoothed = {key: run for key, run in runs.items() if key[0].startswith("smoothing")}
    rows = {key: sharpening(run) for key, run in smoothed.items()}
    data = xr.merge([*(part.isel(arm=0, drop=True) for part in parts), _numbers(rows)])
    data = with_intervals(data, "seed", against="smoothing 0")
    shown = {key: run for key, run in runs.items() if key[0] in ("descent", "flow", "untouched")}
    names = ("sharpness", "along_share", "along", "along_next", "predicted_change")
    data = data.merge(curves(shown, (*names, "actual_change")).rename(arm="curve"))
    smooth = curves(smoothed, ("sharpness",)).rename(sharpness="smoothed_sharpness")
    data = data.merge(smooth.rename(at_time="smoothed_at_time", time_index="smoothed_index"))
    eta = settings.decisive.step_size
    data.attrs |= {"two_over_eta": 2 / eta, "step_size": eta}
    return data


def _numbers(rows: dict[tuple[str, int], dict[str, float]]) -> xr.Dataset:
    about = {name: name.replace("_", " ") for name in next(iter(rows.values()))}
    empty = xr.Dataset(attrs={"status": "completed"})
    runs = {key: empty.assign_attrs(row=row) for key, row in rows.items()}
    found = table(runs, lambda run: run.attrs["row"], about)
    return found.drop_vars("diverged")


def _mean(values: np.ndarray) -> float:
    values = np.asarray(values, dtype=float)
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def _median(values: np.ndarray) -> float:
    return float(np.nanmedian(values)) if np.isfinite(values).any() else float("nan")


EXPERIMENTS = (
    Experiment(
        name="mechanism",
        title="S1, S11, S13-S16 measured on planted data",
        statements=("S1", "S11", "S13", "S14", "S15", "S16"),
        settings=Settings(),
        plan=configs,
        gather=collect,
        place=30,
    ),
)
