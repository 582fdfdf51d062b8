"""Modular addition without weight decay: softmax, StableMax, perpGrad, weight decay."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from realnet.config import TrainConfig
from realnet.experiments.collecting import curves, table
from realnet.experiments.definition import Experiment, Runs, Scale, Trials
from realnet.experiments.numbers import antiphase, with_intervals
from realnet.experiments.trial import Trial

SEEDS = 3
MODULUS, TRAIN_SHARE = 47, 0.7
STEP_SIZE, STEPS, EVERY = 0.03, 4000, 100
GROKKED = 0.95
GROUPS = ("mirror trained", "mirror held out")
ARMS: dict[str, dict] = {
    "softmax": {},
    "StableMax": {"stablemax": True},
    "perpGrad": {"perp": True},
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
    "antiphase": "correlation of these two groups' detrended loss changes, last half",
}


def trials(scale: Scale) -> Trials:
    """A two-layer ReLU network on one-hot pairs, full batch, Adam, float32."""
    found = {}
    for arm, own in ARMS.items():
        for seed in scale.seeds(SEEDS):
            train = TrainConfig(
                data="modular",
                net="mlp",
                loss="cross-entropy",
                optimiser="adam",
                activation="relu",
                beta2=0.98,
                width=128,
                depth=1,
                step_size=STEP_SIZE,
                steps=STEPS,
                every=EVERY,
                tolerance=1e-2,
                size=None,
                seed=seed,
            )
            dials = {"modulus": MODULUS, "train_share": TRAIN_SHARE}
            found[arm, seed] = scale.scaled(Trial(train, dials=dials, **own))
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
        "antiphase": antiphase(pair[0], pair[1], begin=len(pair[0]) // 2),
    }


def _first(step: np.ndarray, there: np.ndarray) -> float:
    return float(step[there][0]) if there.any() else math.nan


def collect(runs: Runs, _scale: Scale) -> xr.Dataset:
    """NUMBERS on (arm, seed) with intervals; curves of accuracy, loss, sharpness, norms."""
    data = with_intervals(table(runs, numbers, NUMBERS), "seed")
    names = ("accuracy", "test_accuracy", "loss", "sharpness", "weight_norm", "gradient_norm")
    data = data.merge(curves(runs, names))
    data.attrs["grokked"] = GROKKED
    data.attrs["step_size"] = STEP_SIZE
    return data


EXPERIMENT = Experiment(
    name="grokking",
    title="Modular addition without weight decay: softmax, StableMax, perpGrad",
    statements=(),
    trials=trials,
    collect=collect,
    settings={"modulus": MODULUS, "train_share": TRAIN_SHARE, "arms": ARMS},
)
