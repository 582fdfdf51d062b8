"""The decisive plot: sharpness and instability with and without the planted opposing groups."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from realnet.bridge.curve import rise_time
from realnet.bridge.threshold import levels
from realnet.experiments.kit.collecting import curves, edge_attrs, table
from realnet.experiments.kit.definition import Configs, Experiment, Runs, Scale, planted_mlp
from realnet.experiments.kit.instability import (
    INSTABILITY,
    instability,
    rising_between,
    with_intervals,
)
from realnet.signals.antiphase import antiphase

# Dials chosen on the untouched arm alone: strong, where the planted groups lead the largest
# curvatures of single samples for most of the run; weak, where they do so at the start only.
DIALS = {
    "strong": {"fraction": 0.1, "magnitude": 8.0},
    "weak": {"fraction": 0.05, "magnitude": 2.0},
}
ARMS: dict[str, dict[str, Any]] = {
    "untouched": {},
    "groups removed": {"arm": "removed"},
    "random removed": {"arm": "random"},
    "smoothing 0.1": {"label_smoothing": 0.1},
    "smoothing 0.3": {"label_smoothing": 0.3},
    "background 0.25": {"arm": "background", "rho": 0.25},
    "background 0.5": {"arm": "background", "rho": 0.5},
    "background 1": {"arm": "background", "rho": 1.0},
}


@dataclass(frozen=True)
class Settings:
    """Strength of the planted groups; arm -> what it changes of the configuration; the runs."""

    dials: Mapping[str, float]
    arms: Mapping[str, dict[str, Any]] = field(default_factory=lambda: dict(ARMS))
    seeds: int = 5
    step_size: float = 0.1
    steps: int = 1000


NUMBERS = INSTABILITY | {
    "early_share_rising": "share of rising steps in the first quarter of the steps",
    "early_largest_rise": "largest rise of the loss in the first quarter of the steps",
    "edge_time": "time at which sharpness first reaches 2/eta [step size x step]",
    "early_sharpness": "mean sharpness in the first quarter of the steps, over 2/eta",
    "late_sharpness": "mean sharpness in the last half, over 2/eta",
    "start_sharpness": "sharpness at the first step, over 2/eta",
    "final_loss": "loss after the last step",
    "accuracy": "training accuracy after the last step",
    "antiphase": "rank correlation of the two groups' loss swings",
}


def configs(settings: Settings, scale: Scale) -> Configs:
    """Every arm and seed. The untouched arm is probed."""
    found = {}
    for arm, what in settings.arms.items():
        watch = ("alignment", "groups") + (("probe",) if arm == "untouched" else ())
        for seed in scale.seeds(settings.seeds):
            known = {"step_size": settings.step_size, "steps": settings.steps, "observe": watch}
            train = planted_mlp(seed, dials=settings.dials, **(known | what))
            found[arm, seed] = scale.scaled(train)
    return found


def numbers(run: xr.Dataset) -> dict[str, float]:
    """NUMBERS of one run."""
    losses, quarter = run.step_loss.values, run.sizes["step_time"] // 4
    time, sharpness = run.time.values, run.sharpness.values / levels(run)
    found = instability(losses)
    early = instability(losses[: max(2, quarter)])
    end = float(time[-1])
    found |= {f"early_{name}": early[name] for name in ("share_rising", "largest_rise")}
    found["edge_time"] = 0.0 if sharpness[0] >= 1 else rise_time(time, sharpness, 1.0)
    found["early_sharpness"] = float(sharpness[time <= end / 4].mean())
    found["late_sharpness"] = float(sharpness[time >= end / 2].mean())
    found["start_sharpness"] = float(sharpness[0])
    found["final_loss"] = float(run.loss[-1])
    found["accuracy"] = float(run.accuracy[-1])
    pair = [run[name].values for name in ("loss class 0", "loss class 1") if name in run]
    found["antiphase"] = antiphase(pair[0], pair[1]) if len(pair) == 2 else math.nan
    return found


def collect(runs: Runs, _settings: Settings, _scale: Scale) -> xr.Dataset:
    """Numbers on (arm, seed) with intervals and differences to untouched; curves; group losses."""
    data = with_intervals(table(runs, numbers, NUMBERS), "seed", against="untouched")
    rising = {
        key: run.assign(
            rising=(
                "time",
                rising_between(run.step_time.values, run.step_loss.values, run.time.values),
                {"units": "1", "long_name": "share of rising steps until the next evaluation"},
            )
        )
        for key, run in runs.items()
    }
    data = data.merge(curves(rising, ("sharpness", "loss", "rising")))
    first = {key: run for key, run in runs.items() if key[1] == min(seed for _, seed in runs)}
    groups = curves(first, ("step_loss", "loss class 0", "loss class 1"), on="step_time")
    data = data.merge(groups.isel(seed=0, drop=True).rename(at_time="at_step_time"))
    data.attrs |= edge_attrs(runs)
    data.attrs["instability"] = "; ".join(INSTABILITY.values())
    data.attrs["reached_edge"] = float(np.isfinite(data.edge_time).mean())
    return data


def _experiment(strength: str, place: int) -> Experiment:
    return Experiment(
        name=f"decisive_{strength}",
        title=f"Instability with and without the opposing groups ({strength})",
        statements=("S11", "S14", "S15", "G5"),
        settings=Settings(DIALS[strength]),
        plan=configs,
        gather=collect,
        place=place,
    )


EXPERIMENTS = (_experiment("strong", 20), _experiment("weak", 100))
