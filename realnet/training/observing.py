"""Observers: what sees a training run, step by step, and changes nothing of it.

class Norms:
    name = "norms"
    def __init__(self): self.rows = []
    def before(self, moment): self.rows.append(float(moment.point.norm()))
    def after(self, moment): pass
    def state(self): return {"rows": self.rows}
    def restore(self, state): self.rows = state["rows"]
    def add_to(self, curves): return curves.assign(norm=("norm_step", self.rows))

Run(config, observers=[Norms()])
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import numpy as np
import xarray as xr
from torch import Tensor

from realnet.curvature.evaluated import Curvature
from realnet.training.task import Task


@dataclass
class Moment:
    """A point of a run. The model's parameters are at `point` while observers look.

    step, time  steps done so far; time = the sum of their step sizes
    step_size   eta of the step to come (`before`) or just done (`after`)
    curvature   eigenpairs, loss and gradient, at evaluations only; None between them
    optimiser   its state after the last step: momentum, second moment (optimisers.State)
    """

    task: Task
    step: int
    time: float
    step_size: float
    point: Tensor
    curvature: Curvature | None = None
    optimiser: Mapping[str, Tensor] = field(default_factory=dict)


class Observer(Protocol):
    """What a run calls. `name` is unique in a run; the state is tensors, numbers, lists, dicts."""

    name: str

    def before(self, moment: Moment) -> None:
        """At every point, before the step is taken; once more at the last point."""

    def after(self, moment: Moment) -> None:
        """At the next point, of the same step; not called where the run diverges or ends."""

    def state(self) -> dict:
        """All that the rest of the observation depends on; goes into the checkpoint."""

    def restore(self, state: dict) -> None:
        """Go on from `state()`."""

    def add_to(self, curves: xr.Dataset) -> xr.Dataset:
        """The run's curves, with what was seen so far."""


class Rows:
    """An observer that keeps numbers by name, one row an evaluation or one a step.

    `dimension` is "time" (evaluations) or "step_time" (steps); `about`: name -> long name. A name
    that is not there at every row must come last in time: missing rows at the end become NaN.
    """

    name = ""
    dimension: ClassVar[str] = "time"
    about: ClassVar[Mapping[str, str]] = {}

    def __init__(self) -> None:
        self.rows: dict[str, list] = {}

    def append(self, row: Mapping[str, object]) -> None:
        """Add a value (a number, or a list of them) to each name."""
        for name, value in row.items():
            self.rows.setdefault(name, []).append(value)

    def before(self, moment: Moment) -> None:
        """See `Observer`."""

    def after(self, moment: Moment) -> None:
        """See `Observer`."""

    def state(self) -> dict:
        """The rows."""
        return {"rows": self.rows}

    def restore(self, state: dict) -> None:
        """Go on from `state()`."""
        self.rows = state["rows"]

    def add_to(self, curves: xr.Dataset) -> xr.Dataset:
        """Each name as a variable on `dimension`, lists with a second dimension NAME_index."""
        found = {}
        for name, values in self.rows.items():
            array = _of_length(np.array(values, dtype=float), curves.sizes[self.dimension])
            dims = (self.dimension, f"{name}_index")[: array.ndim]
            found[name] = (dims, array, {"units": "1", "long_name": self.about.get(name, name)})
        return curves.assign(found)


def _of_length(rows: np.ndarray, count: int) -> np.ndarray:
    """`count` rows: NaN where a measurement needs a step that was not taken."""
    missing = max(0, count - len(rows))
    width = [(0, missing)] + [(0, 0)] * (rows.ndim - 1)
    return np.pad(rows[:count], width, constant_values=np.nan)
