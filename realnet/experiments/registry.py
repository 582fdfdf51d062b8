"""All experiments by name, in the order of what they teach."""

from __future__ import annotations

from linmodel.errors import refuse
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
from realnet.experiments.definition import Experiment

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
