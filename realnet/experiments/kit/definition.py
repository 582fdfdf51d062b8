"""What an experiment is: settings, a configuration for each arm and seed, what is collected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import xarray as xr

from linmodel.errors import integer, refuse
from realnet.config import DEVICES, TrainConfig

# Odd: an oscillation changes sign every step, and even steps alone would see one side of it.
EVERY = 25
Key = tuple[str, int]
Configs = dict[Key, TrainConfig]
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

    def scaled(self, config: TrainConfig) -> TrainConfig:
        """`config` on this device, with this size; a tenth of the steps when quick."""
        config = replace(config, device=self.device)
        if self.size is not None:
            config = replace(config, size=self.size)
        if self.quick:
            steps = max(10, config.steps // 10)
            config = replace(config, steps=steps, every=max(1, min(config.every, steps // 5)))
        return config


def no_runs(_settings: Any, _scale: Scale) -> Configs:
    """For an experiment that trains nothing in run folders."""
    return {}


@dataclass(frozen=True)
class Experiment:
    """One question.

    settings  a frozen dataclass of numbers, words and tables; written into the manifest
    plan      (settings, scale) -> (arm, seed) -> configuration of a run
    gather    (runs, settings, scale) -> the small Dataset that is kept; it must not need the run
              folders again
    place     in lists and in the report, ascending
    extra_seconds  what `gather` itself takes, about
    """

    name: str
    title: str
    statements: tuple[str, ...]
    settings: Any
    plan: Callable[[Any, Scale], Configs]
    gather: Callable[[Runs, Any, Scale], xr.Dataset]
    place: int = 100
    extra_seconds: float = 1.0

    def configs(self, scale: Scale) -> Configs:
        """Every run's configuration."""
        return self.plan(self.settings, scale)

    def collect(self, runs: Runs, scale: Scale) -> xr.Dataset:
        """The Dataset that is kept."""
        return self.gather(runs, self.settings, scale)


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
