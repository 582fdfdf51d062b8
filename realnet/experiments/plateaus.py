"""The published plateaus of the edge, on a small network: does each stand where it was reported?

Adam's preconditioned sharpness at 2 (1 + b1)/((1 - b1) eta) = 38/eta (Cohen et al. 2022), batch
sharpness of SGD at 2/eta (arXiv 2412.20553), and momentum's two (arXiv 2604.14108): 2 (1 - m)/eta
for small batches, 2 (1 + m)/eta for large ones and the full batch.

Settings, seeds and the rule of `reproduced` were fixed on a pilot with seed 100, which is not among
the seeds here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from linmodel import thresholds
from realnet.config import TrainConfig
from realnet.experiments.kit.collecting import curves, table
from realnet.experiments.kit.definition import Configs, Experiment, Runs, Scale
from realnet.experiments.kit.instability import with_intervals

FAMILY = ("preconditioned_sharpness", "batch_sharpness", "sharpness")
LATE = 2 / 3  # of the evaluations are passed before the plateau is read
WITHIN = 0.15  # reproduced: the 95% interval over seeds lies within so much of 1
NUMBERS = {
    "level": "late mean of the quantity, over the published plateau",
    "over_two": "late mean of the quantity, over 2/eta",
    "sharpness_over_two": "late mean of the sharpness, over 2/eta",
    "published": "the published plateau, over 2/eta",
}
ARMS: Mapping[str, Mapping[str, Any]] = {
    "Adam, full batch": {"optimiser": "adam", "step_size": 0.005},
    "SGD, batch 16": {"optimiser": "sgd", "batch_size": 16, "step_size": 0.4, "warmup": 300},
    "momentum, batch 8": {"optimiser": "momentum", "batch_size": 8, "step_size": 0.06},
    "momentum, batch 200": {
        "optimiser": "momentum", "batch_size": 200, "step_size": 0.5, "warmup": 300,
    },
    "momentum, full batch": {"optimiser": "momentum", "step_size": 0.5, "warmup": 300},
}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """Arm -> optimiser; the network and the runs. Momentum and b1 are 0.9 (TrainConfig's)."""

    arms: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: dict(ARMS))
    samples: int = 400
    width: int = 24
    steps: int = 2000
    every: int = 101
    seeds: int = 4


def configs(settings: Settings, scale: Scale) -> Configs:
    """Every arm on the same digits: a tanh MLP under mean squared error."""
    return {
        (arm, seed): scale.scaled(
            TrainConfig(
                data="digits",
                net="mlp",
                loss="mse",
                size=settings.samples,
                width=settings.width,
                depth=2,
                steps=settings.steps,
                every=settings.every,
                seed=seed,
                observe=("edges",),
                **own,
            )
        )
        for arm, own in settings.arms.items()
        for seed in scale.seeds(settings.seeds)
    }


def published(own: Mapping[str, Any]) -> float:
    """The plateau that was reported for an arm, over 2/eta."""
    usual = TrainConfig()
    if own["optimiser"] == "adam":
        return thresholds.adam(1.0, usual.momentum) / 2
    if own["optimiser"] == "sgd":
        return 1.0
    size = own.get("batch_size")
    small = isinstance(size, int) and size <= 16
    level = thresholds.small_batch if small else thresholds.heavy_ball
    return level(1.0, usual.momentum) / 2


def quantity(run: xr.Dataset) -> np.ndarray:
    """Of a run, (time,): the quantity of FAMILY that its optimiser is said to hold, over 2/eta."""
    name = next(each for each in FAMILY if each in run)
    return run[name].values / run.attrs["two_over_eta"]


def numbers(run: xr.Dataset, level: float) -> dict[str, float]:
    """NUMBERS of a run; NaN where it diverged."""
    if run.attrs["status"] == "diverged":
        return dict.fromkeys(NUMBERS, float("nan"))
    begin = int(LATE * run.sizes["time"])
    late = float(np.mean(quantity(run)[begin:]))
    sharp = float(run.sharpness.values[begin:].mean() / run.attrs["two_over_eta"])
    return {
        "level": late / level,
        "over_two": late,
        "sharpness_over_two": sharp,
        "published": level,
    }


def collect(runs: Runs, settings: Settings, _scale: Scale) -> xr.Dataset:
    """NUMBERS on (arm, seed) with intervals; `reproduced` by arm; the quantity's curves."""
    rows = {}
    for key, run in runs.items():
        level = published(settings.arms[key[0]])
        rows[key] = run.assign(relative=("time", quantity(run) / level)).assign_attrs(level=level)
    data = table(rows, lambda run: numbers(run, run.attrs["level"]), NUMBERS)
    data = with_intervals(data, "seed")
    held = (data.level_low >= 1 - WITHIN) & (data.level_high <= 1 + WITHIN)
    about = {"units": "1", "long_name": f"1: the interval lies within {WITHIN:g} of 1"}
    data["reproduced"] = held.astype(np.int8).assign_attrs(about)
    found = curves(rows, ("relative",))
    found["relative"].attrs["long_name"] = "quantity over the published plateau"
    return data.merge(found)


EXPERIMENTS = (
    Experiment(
        name="plateaus",
        title="The published plateaus of the edge on a small network",
        statements=("G9",),
        settings=Settings(),
        plan=configs,
        gather=collect,
        place=85,
    ),
)
