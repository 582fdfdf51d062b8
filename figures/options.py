"""Sizes of what a report computes; the defaults take a few minutes on two cores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from linmodel.errors import integer, real


@dataclass(frozen=True)
class Options:
    """What the report's parts are computed with. Raises InvalidInput.

    train_size, steps, step_size (eta), every (steps between sharpness values): the real run
    sweep_points: points of the sweep along each axis
    """

    train_size: int = 300
    steps: int = 160
    step_size: float = 0.05
    every: int = 4
    sweep_points: int = 40
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low in (("train_size", 20), ("steps", 20), ("every", 1), ("sweep_points", 2)):
            object.__setattr__(self, name, integer(name, getattr(self, name), low=low))
        object.__setattr__(self, "seed", integer("seed", self.seed, low=0))
        object.__setattr__(self, "step_size", real("step_size", self.step_size, above=0))

    def as_dict(self) -> dict:
        """The fields by name, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Work:
    """What a figure's `compute` gets: the options, the data folder, and where to tell progress."""

    options: Options
    folder: Path
    report: Callable[[str], None] = lambda note: None
