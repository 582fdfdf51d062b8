"""Softmax collapse in modular addition: losses rounded to 0, and descent along the weights.

Measures of Prieto et al. 2025 (arXiv 2501.04697), on the network and data of `grokking`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr

from realnet.experiments import grokking
from realnet.experiments.kit.collecting import curves, table
from realnet.experiments.kit.definition import Configs, Experiment, Runs, Scale
from realnet.experiments.kit.instability import with_intervals

ARMS: dict[str, dict[str, Any]] = {
    "softmax": {},
    "softmax, float64": {"dtype": "float64"},
    "StableMax": {"loss": "stablemax"},
    "perpGrad": {"perp_grad": True},
}
CURVES = ("zero_loss", "zero_loss_64", "naive_cosine", "test_accuracy")
NUMBERS = {
    "largest_zero_loss": "largest share of samples whose loss is exactly 0",
    "largest_zero_loss_64": "the same, the loss of the same outputs taken in float64",
    "fitted_naive_cosine": "mean cosine of minus the gradient and the weights once fitted",
    "final_test_accuracy": "held-out accuracy at the end",
}


@dataclass(frozen=True)
class Settings:
    """Arm -> what it changes of grokking's softmax arm; the runs."""

    arms: Mapping[str, dict[str, Any]] = field(default_factory=lambda: dict(ARMS))
    modulus: int = 47
    steps: int = 2000
    every: int = 100
    seeds: int = 3


def configs(settings: Settings, scale: Scale) -> Configs:
    """grokking's runs, watched for collapse."""
    own = grokking.Settings(
        settings.arms, modulus=settings.modulus, steps=settings.steps, every=settings.every,
        seeds=settings.seeds,
    )  # fmt: skip
    watch = ("collapse", "held_out")
    return {
        key: replace(config, observe=watch, tolerance=0.1)
        for key, config in grokking.configs(own, scale).items()
    }


def numbers(run: xr.Dataset) -> dict[str, float]:
    """NUMBERS of one run; fitted: 99% of the training pairs right."""
    fitted = run.naive_cosine.values[run.accuracy.values >= 0.99]
    return {
        "largest_zero_loss": float(run.zero_loss.max()),
        "largest_zero_loss_64": float(run.zero_loss_64.max()),
        "fitted_naive_cosine": float(np.nanmean(fitted)) if len(fitted) else np.nan,
        "final_test_accuracy": float(run.test_accuracy[-1]),
    }


def collect(runs: Runs, _settings: Settings, _scale: Scale) -> xr.Dataset:
    """NUMBERS on (arm, seed); CURVES by step."""
    data = with_intervals(table(runs, numbers, NUMBERS), "seed")
    return data.merge(curves(runs, (*CURVES, "step")))


EXPERIMENTS = (
    Experiment(
        name="collapse",
        title="Softmax collapse in modular addition",
        statements=(),
        settings=Settings(),
        plan=configs,
        gather=collect,
        place=61,
    ),
)
