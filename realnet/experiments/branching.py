"""Causes: from one state, into the edge of stability and not; whom does it help?

What is compared, and how it is judged, was written down before the runs: preregistration.toml.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import bootstrap, permutation_test

from realnet.config import TrainConfig
from realnet.experiments.decisive import DIALS
from realnet.experiments.kit.collecting import arms_of, curves
from realnet.experiments.kit.definition import Configs, Experiment, Runs, Scale
from realnet.signals.permutations import holm


def registered(name: str) -> Mapping[str, Any]:
    """What was written down beforehand for `name`: its table of preregistration.toml."""
    file = files("realnet.experiments").joinpath("preregistration.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))[name]


PLAN = registered("branching")
GROUPS = (*PLAN["groups"], PLAN["control"], "all")
NETWORKS: Mapping[str, Mapping[str, Any]] = {
    "mlp tanh": {"net": "mlp", "width": 50, "depth": 2, "activation": "tanh"},
    "mlp relu": {"net": "mlp", "width": 50, "depth": 2, "activation": "relu"},
    "cnn tanh": {"net": "cnn", "width": 4, "depth": 2, "activation": "tanh"},
}
# Step sizes by trial on seed 100: the edge is reached, and `horizon` steps are left after it.
PLANTED = {
    "mlp tanh mse": 0.08,
    "mlp tanh cross-entropy": 0.2,
    "mlp relu mse": 0.08,
    "mlp relu cross-entropy": 0.13,
    "cnn tanh mse": 0.25,
}
NATURAL = {
    "mlp tanh mse": 0.02,
    "mlp tanh cross-entropy": 0.05,
    "mlp relu mse": 0.06,
    "mlp relu cross-entropy": 0.07,
    "cnn tanh mse": 0.15,
}
# The copy's training folder, from where the experiment is run; any folder of class folders will do.
FOLDER = "cifar10/train"


@dataclass(frozen=True)
class Settings:
    """Data, networks and losses; cell "network loss" -> step size; what every run has."""

    data: str = "planted"
    dials: Mapping[str, Any] = field(default_factory=lambda: dict(DIALS["strong"]))
    step_sizes: Mapping[str, float] = field(default_factory=lambda: dict(PLANTED))
    size: int = 300
    steps: int = 260
    every: int = 10
    seeds: int = PLAN["seeds"]
    horizon: int = PLAN["horizon"]
    resamples: int = PLAN["resamples"]
    observe: tuple[str, ...] = ("branch", "sides")


def configs(settings: Settings, scale: Scale) -> Configs:
    """Every cell and seed: the run through the edge, its branches and the finder as observers."""
    found: Configs = {}
    for cell, step_size in settings.step_sizes.items():
        network, loss = cell.rsplit(" ", 1)
        for seed in scale.seeds(settings.seeds):
            config = TrainConfig(
                data=settings.data, dials=settings.dials, loss=loss, step_size=step_size,
                size=settings.size, steps=settings.steps, every=settings.every, tolerance=1e-2,
                seed=seed, observe=settings.observe, **NETWORKS[network],
            )  # fmt: skip
            found[cell, seed] = scale.scaled(config)
    return found


def groups(run: xr.Dataset, seed: int) -> dict[str, NDArray[np.int64]]:
    """GROUPS of a run that has branched: name -> samples; empty where there is none."""
    count = run.sizes["sample"]
    many = max(1, round(PLAN["share"] * count))
    slope, norm = np.abs(run.branch_slope.values), run.branch_gradient.values

    def largest(values: NDArray) -> NDArray[np.int64]:
        return np.argsort(-values, kind="stable")[:many]

    planted = run["planted"].values if "planted" in run else np.zeros(count, dtype=bool)
    found = run["signal_1"].values if "signal_1" in run else np.zeros(count)
    return {
        "aligned": largest(slope / np.maximum(norm, np.finfo(float).tiny)),
        "large loss": largest(run.branch_loss.values),
        "large gradient": largest(norm),
        "output outliers": largest(run.branch_output.values),
        "planted": np.flatnonzero(planted),
        "found": np.flatnonzero(found),
        "random": np.random.default_rng(seed).choice(count, many, replace=False),
        "all": np.arange(count),
    }


def effects(run: xr.Dataset, settings: Settings, seed: int) -> NDArray:
    """Outcome of each arm less that of `below`, (arm, group, outcome), `horizon` steps on.

    NaN where the run has not come to its edge, has ended before, or has no such group.
    """
    table = np.full((len(PLAN["arms"]), len(GROUPS), len(PLAN["outcomes"])), np.nan)
    if "branch_time" not in run.attrs:
        return table
    when = run.attrs["branch_time"] + settings.horizon * run.attrs["step_size"]
    at = int(np.searchsorted(run.time.values, when * (1 - 1e-9)))
    if at >= run.sizes["time"] or not np.isfinite(run["below loss"].values[at]).all():
        return table
    below = _outcomes(run, PLAN["against"], at)
    for i, arm in enumerate(PLAN["arms"]):
        change = _outcomes(run, arm, at) - below
        for j, members in enumerate(groups(run, seed).values()):
            if len(members):
                table[i, j] = change[:, members].mean(axis=1)
    return table


def _outcomes(run: xr.Dataset, arm: str, at: int) -> NDArray:
    """PLAN's outcomes of every sample, (3, N)."""
    loss, margin = (run[f"{arm} {kind}"].values[at] for kind in ("loss", "margin"))
    return np.stack([loss, np.where(np.isnan(margin), np.nan, margin > 0), margin])


def judged(effect: NDArray, resamples: int) -> tuple[NDArray, NDArray]:
    """Mean and 95% BCa interval over seeds, (3, ...), and sign-flip p-values; effect (seed, ...).

    NaN where fewer than three seeds have a number; a constant has no width.
    """
    ends = np.full((3, *effect.shape[1:]), np.nan)
    p = np.full(effect.shape[1:], np.nan)
    for at in np.ndindex(effect.shape[1:]):
        values = effect[(slice(None), *at)]
        values = values[np.isfinite(values)]
        if len(values) < 3:
            continue
        ends[(slice(None), *at)] = values.mean()
        if np.ptp(values) > 0:
            found = bootstrap((values,), np.mean, n_resamples=resamples, rng=0, method="BCa")
            ends[(1, *at)], ends[(2, *at)] = found.confidence_interval
        p[at] = permutation_test(
            (values,), np.mean, permutation_type="samples", n_resamples=resamples, rng=0
        ).pvalue
    return ends, p


def collect(runs: Runs, settings: Settings, _scale: Scale) -> xr.Dataset:
    """Effects on (cell, seed, arm, group, outcome), judged as registered; curves of sharpness."""
    cells, seeds = arms_of(runs)
    shape = (len(cells), len(seeds), len(PLAN["arms"]), len(GROUPS), len(PLAN["outcomes"]))
    effect = np.full(shape, np.nan)
    for (cell, seed), run in runs.items():
        effect[cells.index(cell), seeds.index(seed)] = effects(run, settings, seed)
    dims = ("cell", "seed", "arm", "group", "outcome")
    coords = {"cell": cells, "seed": seeds, "arm": list(PLAN["arms"]), "group": list(GROUPS)}
    data = xr.Dataset(coords=coords | {"outcome": list(PLAN["outcomes"])})
    about = {"units": "1", "long_name": "outcome of the arm less that of the arm below the edge"}
    data["effect"] = (dims, effect, about)
    _judge(data, settings)
    shown = curves(runs, ("sharpness", "below_sharpness")).rename(arm="cell")
    data = data.merge(shown.isel(seed=0, drop=True))
    for name in ("branch_time", "signals_found", "step_size"):
        values = [[runs[cell, seed].attrs.get(name, np.nan) for seed in seeds] for cell in cells]
        data[name] = (("cell", "seed"), values, {"units": "1", "long_name": name})
    return data.assign_attrs(data=settings.data, horizon=settings.horizon)


def _judge(data: xr.Dataset, settings: Settings) -> None:
    """effect_mean, _low, _high of all; relative_* and relative_p (Holm within a cell), primary."""
    rest = ("arm", "group", "outcome")
    relative = data.effect.sel(arm=PLAN["primary"], group=list(PLAN["groups"]))
    relative = relative - data.effect.sel(arm=PLAN["primary"], group=PLAN["control"])
    for name, values, dims in (("effect", data.effect, rest), ("relative", relative, rest[1:])):
        ordered = values.transpose("seed", "cell", *dims).values
        ends, p = judged(ordered, settings.resamples)
        own = dims if name == "effect" else ("primary_group", "outcome")
        for end, table in zip(("mean", "low", "high"), ends, strict=True):
            long_name = f"{name} over seeds, {end}"
            data[f"{name}_{end}"] = (("cell", *own), table, {"units": "1", "long_name": long_name})
    adjusted = np.array([holm(cell) for cell in p])
    kind = {"units": "1", "long_name": "sign-flip p-value, Holm over groups and outcomes"}
    data["relative_p"] = (("cell", "primary_group", "outcome"), adjusted, kind)
    data.coords["primary_group"] = list(PLAN["groups"])


def _experiment(name: str, what: str, place: int, **settings: Any) -> Experiment:
    return Experiment(
        name=f"branching_{name}",
        title=f"From one state into the edge, and not: {what}",
        statements=("S11", "S14"),
        settings=Settings(**settings),
        plan=configs,
        gather=collect,
        place=place,
    )


EXPERIMENTS = (
    _experiment("planted", "planted groups", 28),
    _experiment(
        "natural", "natural images", 101, data="folder", dials={"path": FOLDER}, step_sizes=NATURAL
    ),
)
