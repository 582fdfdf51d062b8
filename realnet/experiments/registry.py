"""All experiments by name, in the order of what they teach."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import xarray as xr

from linmodel.errors import integer, refuse
from realnet.experiments import (
    decisive,
    forecast,
    grokking,
    layers,
    measured,
    mechanism,
    roles,
    text,
    toy,
)
from realnet.experiments.definition import Experiment, Scale
from realnet.experiments.trial_run import run_trial

EXPERIMENTS: dict[str, Experiment] = {
    one.name: one
    for one in (
        toy.EXPERIMENT,
        decisive.EXPERIMENTS[0],
        mechanism.EXPERIMENT,
        forecast.EXPERIMENT,
        measured.EXPERIMENT,
        grokking.EXPERIMENT,
        roles.EXPERIMENT,
        text.EXPERIMENT,
        layers.EXPERIMENT,
        decisive.EXPERIMENTS[1],
    )
}


def chosen(names: list[str]) -> list[Experiment]:
    """Those named, all where none is. Raises InvalidInput on an unknown name (lists all)."""
    for name in names:
        if name not in EXPERIMENTS:
            refuse("experiment", name, "one of " + ", ".join(EXPERIMENTS))
    return [EXPERIMENTS[name] for name in names or EXPERIMENTS]


def rerun(
    name: str, arm: str, seed: int, out: str | Path | None = None, scale: Scale | None = None
) -> xr.Dataset:
    """The curves of one arm of the experiment `name` with any `seed`; a run folder with `out`.

    Raises InvalidInput: unknown experiment or arm (lists all), a bad seed, a folder that holds
    another run.
    """
    trials = chosen([name])[0].trials(scale or Scale())
    arms = {key[0]: trial for key, trial in reversed(trials.items())}
    if arm not in arms:
        refuse("arm", arm, "one of " + (", ".join(reversed(arms)) or f"none: {name} has no runs"))
    trial = arms[arm]
    seeded = replace(trial, train=replace(trial.train, seed=integer("seed", seed, low=0)))
    return run_trial(seeded, None if out is None else Path(out))
