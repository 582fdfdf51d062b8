"""The decisive plot: sharpness and instability with and without the planted opposing groups."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from realnet.bridge.curve import rise_time
from realnet.experiments.collecting import curves, table
from realnet.experiments.definition import Experiment, Runs, Scale, Trials, planted_mlp
from realnet.experiments.numbers import (
    INSTABILITY,
    antiphase,
    instability,
    rising_between,
    with_intervals,
)
from realnet.experiments.trial import Trial

# Dials chosen on the untouched arm alone: strong, where the planted groups lead the largest
# curvatures of single samples for most of the run; weak, where they do so at the start only.
DIALS = {
    "strong": {"fraction": 0.1, "magnitude": 8.0},
    "weak": {"fraction": 0.05, "magnitude": 2.0},
}
ARMS: dict[str, dict] = {
    "untouched": {},
    "groups removed": {"arm": "removed"},
    "random removed": {"arm": "random"},
    "smoothing 0.1": {"smoothing": 0.1},
    "smoothing 0.3": {"smoothing": 0.3},
    "background 0.25": {"arm": "background", "rho": 0.25},
    "background 0.5": {"arm": "background", "rho": 0.5},
    "background 1": {"arm": "background", "rho": 1.0},
}
SEEDS = 5
STEP_SIZE, STEPS = 0.1, 1000
NUMBERS = INSTABILITY | {
    "early_share_rising": "share of rising steps in the first quarter of the steps",
    "early_largest_rise": "largest rise of the loss in the first quarter of the steps",
    "edge_time": "time at which sharpness first reaches 2/eta [step size x step]",
    "early_sharpness": "mean sharpness in the first quarter of the steps, over 2/eta",
    "late_sharpness": "mean sharpness in the last half, over 2/eta",
    "start_sharpness": "sharpness at the first step, over 2/eta",
    "final_loss": "loss after the last step",
    "accuracy": "training accuracy after the last step",
    "antiphase": "correlation of the two groups' detrended loss changes",
}


def trials_of(strength: str, scale: Scale) -> Trials:
    """Every arm and seed at one strength of the planted groups."""
    found = {}
    for arm, what in ARMS.items():
        for seed in scale.seeds(SEEDS):
            smoothing = what.get("smoothing", 0.0)
            train = planted_mlp(seed, step_size=STEP_SIZE, steps=STEPS, label_smoothing=smoothing)
            trial = Trial(
                train,
                dials=DIALS[strength],
                arm=what.get("arm", "untouched"),
                rho=what.get("rho", 0.0),
                probes=arm == "untouched",
            )
            found[arm, seed] = scale.scaled(trial)
    return found


def numbers(run: xr.Dataset) -> dict[str, float]:
    """NUMBERS of one run."""
    losses, quarter = run.step_loss.values, run.sizes["step_time"] // 4
    time, edge = run.time.values, run.attrs["two_over_eta"]
    sharpness = run.sharpness.values
    found = instability(losses)
    early = instability(losses[: max(2, quarter)])
    end = float(time[-1])
    found |= {f"early_{name}": early[name] for name in ("share_rising", "largest_rise")}
    found["edge_time"] = 0.0 if sharpness[0] >= edge else rise_time(time, sharpness, edge)
    found["early_sharpness"] = float(sharpness[time <= end / 4].mean() / edge)
    found["late_sharpness"] = float(sharpness[time >= end / 2].mean() / edge)
    found["start_sharpness"] = float(sharpness[0] / edge)
    found["final_loss"] = float(run.loss[-1])
    found["accuracy"] = float(run.accuracy[-1])
    pair = [run[name].values for name in ("loss class 0", "loss class 1") if name in run]
    found["antiphase"] = antiphase(pair[0], pair[1]) if len(pair) == 2 else math.nan
    return found


def collect(runs: Runs, _scale: Scale) -> xr.Dataset:
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
    some = next(iter(runs.values()))
    data.attrs["two_over_eta"] = some.attrs["two_over_eta"]
    data.attrs["instability"] = "; ".join(INSTABILITY.values())
    data.attrs["reached_edge"] = float(np.isfinite(data.edge_time).mean())
    return data


def _experiment(strength: str) -> Experiment:
    return Experiment(
        name=f"decisive_{strength}",
        title=f"Instability with and without the opposing groups ({strength})",
        statements=("S11", "S14", "S15", "G5"),
        trials=lambda scale: trials_of(strength, scale),
        collect=collect,
        settings={"dials": DIALS[strength], "arms": ARMS, "step_size": STEP_SIZE, "steps": STEPS},
    )


EXPERIMENTS = tuple(_experiment(strength) for strength in DIALS)
