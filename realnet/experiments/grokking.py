"""Modular addition without weight decay: softmax, StableMax, perpGrad, weight decay."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr

from realnet.config import TrainConfig
from realnet.experiments.kit.collecting import curves, table
from realnet.experiments.kit.definition import Configs, Experiment, Runs, Scale
from realnet.experiments.kit.instability import with_intervals
from realnet.signals.antiphase import antiphase

GROKKED = 0.95
GROUPS = ("mirror trained", "mirror held out")
ARMS: dict[str, dict[str, Any]] = {
    "softmax": {},
    "StableMax": {"loss": "stablemax"},
    "perpGrad": {"perp_grad": True},
    "weight decay": {"weight_decay": 1e-4},
}
NUMBERS = {
    "grok_step": "first step with 95% of held-out pairs right",
    "fit_step": "first step with 99% of training pairs right",
    "final_test_accuracy": "held-out accuracy at the end",
    "largest_test_accuracy": "largest held-out accuracy",
    "final_weight_norm": "norm of the parameters at the end",
    "gradient_zero_step": "first evaluation at which the gradient is below 1e-8",
    "late_sharpness": "sharpness at the end [1 / time]",
    "late_along_share": "share of the gradient along the top eigenvector, last half",
    **{f"loss {name}": f"loss at the end of training pairs with {name}" for name in GROUPS},
    "antiphase": "rank correlation of these two groups' loss swings, last half",
}


@dataclass(frozen=True)
class Settings:
    """Arm -> what it changes of the configuration; the data; the runs."""

    arms: Mapping[str, dict[str, Any]] = field(default_factory=lambda: dict(ARMS))
    modulus: int = 47
    train_share: float = 0.7
    step_size: float = 0.03
    steps: int = 4000
    every: int = 100
    seeds: int = 3


def configs(settings: Settings, scale: Scale) -> Configs:
    """A two-layer ReLU network on one-hot pairs, all of them whatever the scale's size; Adam."""
    found = {}
    for arm, what in settings.arms.items():
        for seed in scale.seeds(settings.seeds):
            known: dict[str, Any] = {
                "data": "modular",
                "dials": {"modulus": settings.modulus, "train_share": settings.train_share},
                "net": "mlp",
                "loss": "cross-entropy",
                "optimiser": "adam",
                "activation": "relu",
                "beta2": 0.98,
                "width": 128,
                "depth": 1,
                "step_size": settings.step_size,
                "steps": settings.steps,
                "every": settings.every,
                "tolerance": 1e-2,
                "seed": seed,
                "observe": ("alignment", "groups", "held_out"),
            }
            found[arm, seed] = replace(scale.scaled(TrainConfig(**(known | what))), size=None)
    return found


def numbers(run: xr.Dataset) -> dict[str, float]:
    """NUMBERS of one run; NaN for a step that never comes."""
    step = run.step.values
    pair = [run[f"loss {name}"].values for name in GROUPS]
    return {
        "grok_step": _first(step, run.test_accuracy.values >= GROKKED),
        "fit_step": _first(step, run.accuracy.values >= 0.99),
        "final_test_accuracy": float(run.test_accuracy[-1]),
        "largest_test_accuracy": float(run.test_accuracy.max()),
        "final_weight_norm": float(run.weight_norm[-1]),
        "gradient_zero_step": _first(step, run.gradient_norm.values < 1e-8),
        "late_sharpness": float(run.sharpness[-1]),
        "late_along_share": float(run.along_share[len(run.along_share) // 2 :].mean()),
        **{f"loss {name}": float(run[f"loss {name}"][-1]) for name in GROUPS},
        "antiphase": antiphase(*(values[len(values) // 2 :] for values in pair)),
    }


def _first(step: np.ndarray, there: np.ndarray) -> float:
    return float(step[there][0]) if there.any() else math.nan


def collect(runs: Runs, settings: Settings, _scale: Scale) -> xr.Dataset:
    """NUMBERS on (arm, seed) with intervals; curves of accuracy, loss, sharpness, norms."""
    data = with_intervals(table(runs, numbers, NUMBERS), "seed")
    names = ("accuracy", "test_accuracy", "loss", "sharpness", "weight_norm", "gradient_norm")
    data = data.merge(curves(runs, names))
    data.attrs["grokked"] = GROKKED
    data.attrs["step_size"] = settings.step_size
    return data


EXPERIMENTS = (
    Experiment(
        name="grokking",
        title="Modular addition without weight decay: softmax, StableMax, perpGrad",
        statements=(),
        settings=Settings(),
        plan=configs,
        gather=collect,
        place=60,
    ),
)
