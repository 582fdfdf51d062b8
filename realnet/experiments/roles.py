"""The roles of batch size, step size, schedule, regularisation, normalisation, optimiser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from realnet.experiments.decisive import DIALS
from realnet.experiments.kit.collecting import curves, table
from realnet.experiments.kit.definition import Configs, Experiment, Runs, Scale, planted_mlp
from realnet.experiments.kit.instability import INSTABILITY, instability, with_intervals
from realnet.experiments.kit.own_edge import OWN_EDGE, own_edge

ETA = 0.1
CNN = {"net": "cnn", "width": 4, "depth": 2, "size": 300, "steps": 300}
# Each arm changes one thing of the baseline (or of its CNN twin, for normalisation).
ARMS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "batch 16": {"optimiser": "sgd", "batch_size": 16},
    "batch 64": {"optimiser": "sgd", "batch_size": 64},
    "batch 256": {"optimiser": "sgd", "batch_size": 256},
    "step / 4": {"step_size": ETA / 4},
    "step x 2": {"step_size": 2 * ETA},
    "step x 4": {"step_size": 4 * ETA},
    "linear decay": {"schedule": "linear-decay"},
    "cosine": {"schedule": "cosine"},
    "warm-up 100": {"warmup": 100},
    "weight decay 0.001": {"weight_decay": 0.001},
    "weight decay 0.01": {"weight_decay": 0.01},
    "dropout 0.2": {"dropout": 0.2},
    "dropout 0.5": {"dropout": 0.5},
    "smoothing 0.1": {"label_smoothing": 0.1},
    "momentum 0.9": {"optimiser": "momentum", "step_size": ETA / 10},
    "Adam": {"optimiser": "adam", "step_size": 0.002},
    "clipping 0.3": {"clip": 0.3},
    "SAM 0.05": {"optimiser": "sam", "sam_radius": 0.05},
    "perpGrad": {"perp_grad": True},
    "StableMax": {"loss": "stablemax"},
    "cnn": CNN,
    "cnn, group norm": CNN | {"norm": "group"},
    "cnn, batch norm": CNN | {"norm": "batch"},
}
NUMBERS = {
    "late_sharpness": "mean sharpness in the last half of the run [1 / time]",
    "edge_ratio": "the same times the step size (the first one, in a schedule) over 2",
    "own_edge": OWN_EDGE,
    **{name: text.replace("the loss", "the full-batch loss") for name, text in INSTABILITY.items()},
    "group_swing": "standard deviation of the groups' loss changes over the steps' last half",
    "group_loss": "mean loss of the groups at the end",
    "final_loss": "full-batch loss at the end",
    "accuracy": "training accuracy at the end",
    "along_share": "share of the gradient along the top eigenvector, last half",
    "group_share": "share of the top curvature that the groups' samples carry, last half",
    "antiphase": "rank correlation of the groups' loss swings near the edge (NaN: never near it)",
}


@dataclass(frozen=True)
class Settings:
    """Arm -> what it changes of the baseline; strength of the planted groups; the runs."""

    arms: Mapping[str, dict[str, Any]] = field(default_factory=lambda: dict(ARMS))
    dials: Mapping[str, float] = field(default_factory=lambda: dict(DIALS["strong"]))
    seeds: int = 5
    steps: int = 500


def configs(settings: Settings, scale: Scale) -> Configs:
    """Every arm and seed. Whatever the steps see, the full-batch loss is known at every one."""
    found = {}
    for arm, what in settings.arms.items():
        noisy = "batch_size" in what or "dropout" in what
        watch = ("alignment", "edges", "groups", "measures") + (("full_loss",) if noisy else ())
        known = {"step_size": ETA, "steps": settings.steps, "observe": watch}
        for seed in scale.seeds(settings.seeds):
            train = planted_mlp(seed, dials=settings.dials, **(known | what))
            found[arm, seed] = scale.scaled(train)
    return found


def numbers(run: xr.Dataset) -> dict[str, float]:
    """NUMBERS of one run."""
    half = run.time.values >= run.time.values[-1] / 2
    late = float(run.sharpness.values[half].mean())
    groups = [run[name].values for name in ("loss class 0", "loss class 1")]
    swings = [np.diff(values[len(values) // 2 :]).std() for values in groups]
    found = instability(run.get("loss all", run.step_loss).values)
    return found | {
        "late_sharpness": late,
        "edge_ratio": late * run.attrs["step_size"] / 2,
        "own_edge": own_edge(run),
        "group_swing": float(np.mean(swings)),
        "group_loss": float(np.mean([values[-1] for values in groups])),
        "final_loss": float(run.loss[-1]),
        "accuracy": float(run.accuracy[-1]),
        "along_share": float(run.along_share.values[half].mean()),
        "group_share": float(run["share opposing"].values[half].mean()),
        "antiphase": float(run.attrs["antiphase"]),
    }


def collect(runs: Runs, _settings: Settings, _scale: Scale) -> xr.Dataset:
    """NUMBERS on (arm, seed) with intervals; sharpness curves."""
    data = with_intervals(table(runs, numbers, NUMBERS), "seed", against="baseline")
    data = data.merge(curves(runs, ("sharpness",)))
    data.attrs["two_over_eta"] = 2 / ETA
    return data


EXPERIMENTS = (
    Experiment(
        name="roles",
        title="Roles of batch size, step size, schedule, regularisation, optimiser",
        statements=("S3", "S11", "S15"),
        settings=Settings(),
        plan=configs,
        gather=collect,
        place=70,
    ),
)
