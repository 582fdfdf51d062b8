"""What an experiment is: arms, a trial for each arm and seed, and how they are put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import xarray as xr

from linmodel.errors import integer, refuse
from realnet.config import DEVICES, TrainConfig
from realnet.experiments.trial import Trial

# Odd: an oscillation changes sign every step, and even steps alone would see one side of it.
EVERY = 25
Key = tuple[str, int]
Trials = dict[Key, Trial]
Runs = dict[Key, xr.Dataset]


@dataclass(frozen=True)
class Scale:
    """Device, number of training samples (None: the experiment's own), and how much is run.

    quick: two seeds and a tenth of the steps, to see that everything works; never committed.
    """

    device: str = "cpu"
    size: int | None = None
    quick: bool = False

    def __post_init__(self) -> None:
        if self.device not in DEVICES:
            refuse("device", self.device, "one of " + ", ".join(DEVICES))
        if self.size is not None:
            integer("size", self.size, low=50)

    def seeds(self, count: int) -> range:
        """The seeds of an experiment that takes `count` of them."""
        return range(min(2, count) if self.quick else count)

    def scaled(self, trial: Trial) -> Trial:
        """`trial` on this device, with this size; a tenth of the steps when quick."""
        train = replace(trial.train, device=self.device)
        if self.size is not None:
            train = replace(train, size=self.size)
        if self.quick:
            steps = max(10, train.steps // 10)
            train = replace(train, steps=steps, every=max(1, min(train.every, steps // 10)))
        return replace(trial, train=train)


@dataclass(frozen=True)
class Experiment:
    """One question.

    trials    scale -> (arm, seed) -> Trial; empty where nothing is trained
    collect   runs -> the small Dataset that is kept; it must not need the run folders again
    extra_seconds  what `collect` itself takes, about
    """

    name: str
    title: str
    statements: tuple[str, ...]
    trials: Callable[[Scale], Trials]
    collect: Callable[[Runs, Scale], xr.Dataset]
    extra_seconds: float = 1.0
    settings: Mapping[str, Any] = field(default_factory=dict)


def planted_mlp(seed: int, **fields: object) -> TrainConfig:
    """The network of most experiments: a tanh MLP on planted data, full-batch descent."""
    known: dict[str, object] = {
        "data": "planted",
        "net": "mlp",
        "loss": "cross-entropy",
        "size": 1000,
        "width": 50,
        "depth": 2,
        "step_size": 0.1,
        "steps": 1000,
        "every": EVERY,
    }
    return TrainConfig(**(known | {"seed": seed} | fields))  # type: ignore[arg-type]
