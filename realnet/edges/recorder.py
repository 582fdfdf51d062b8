"""Evaluates quantities at a point, keeps the history, and what starts the next evaluation warm."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import xarray as xr

from linmodel.errors import refuse
from realnet.curvature.objective import Objective
from realnet.curvature.precision import memory_said
from realnet.curvature.unchanged import Watched, unmoved
from realnet.edges.evaluation import Edges
from realnet.edges.hessian import Top
from realnet.edges.history import History
from realnet.edges.known import quantities
from realnet.edges.point import Point, Settings
from realnet.edges.quantity import Measured, Quantity
from realnet.edges.stepping import PRECONDITIONED, Stepping, read


class Tracked(Protocol):
    """What the recorder needs of the tracker."""

    objective: Objective
    watched: Watched
    k: int
    tolerance: float
    max_products: int
    seed: int
    sure: bool
    memory: int | None

    def curvature(self) -> Any: ...
    def refresh(self) -> None: ...
    def guarded(self, function: Callable[..., Any]) -> Callable[..., Any]: ...


class Recorder:
    """step, time: of the training as watched; `optimizer`: that of the last watch, if any."""

    def __init__(self, tracker: Tracked) -> None:
        self.tracker = tracker
        self.history = History()
        self.memory: dict[str, Any] = {}
        self.optimizer: Any = None
        self.step, self.time = 0, 0.0
        self.watches: list[Any] = []  # that are open; the last counts the steps of all
        self.free = 0  # evaluations that nobody's watch has dated, of the last rows
        self.watching = False

    def evaluate(
        self, which: Iterable[str | Quantity] | str | Quantity, optimizer: Any = None
    ) -> Edges:
        """All quantities at the parameters as they are; the model is left as it was."""
        asked = quantities(which)
        if self.tracker.objective.ranks is not None and any(type(q) is not Top for q in asked):
            names = ", ".join(q.name for q in asked if type(q) is not Top)
            refuse("which with processes", names, "'sharpness'", "The others are of one process.")
        if optimizer is not None:
            self.optimizer = optimizer
        started = time.perf_counter()
        tracker = self.tracker
        tracker.refresh()
        tensors = tracker.watched.tensors = tracker.objective.trainable.everything()
        point = self._point()
        with memory_said(), unmoved(tensors):
            try:
                values = {one.name: one.measure(point) for one in asked}
            finally:
                point.close()
        return self._note(point, asked, values, time.perf_counter() - started)

    def curvature(self) -> Any:
        """The tracker's own evaluation, noted in the history."""
        started = time.perf_counter()
        point = self._point()
        found = point.curvature
        values = {Top.name: Top().measure(point)}
        self._note(point, (Top(),), values, time.perf_counter() - started)
        return found

    def dataset(self) -> xr.Dataset:
        """The history, and in its attributes how far the training is by now."""
        return self.history.dataset().assign_attrs(steps_done=self.step, time_done=self.time)

    def adaptive(self) -> bool:
        """Whether the optimiser sees the preconditioned Hessian. Refuses where none is given."""
        return self._point().stepping.sees == PRECONDITIONED

    def resume(self, path: Any) -> None:
        """Go on from a saved history: its rows, step and time."""
        self.step, self.time = self.history.load(path)
        self.free = 0

    def stepping(self) -> Stepping:
        """The optimiser's rules as they are now, of the groups that hold what is tracked."""
        return read(self.optimizer, self.tracker.objective.params)

    def begin(self, watch: Any) -> None:
        """Steps are counted from here: evaluations until now were where it begins."""
        if not self.watching and self.free:
            self.step, self.time = self.history.redate(self.free)
        self.free, self.watching = 0, True
        self.optimizer = watch.optimizer
        self.watches.append(watch)

    def count(self, watch: Any) -> None:
        """One step of the optimiser, which each of its open watches tells once."""
        if self.watches[-1:] == [watch]:
            self.time += read(watch.optimizer, self.tracker.objective.params).step_size
            self.step += 1

    def end(self, watch: Any) -> None:
        """Watched by this one no longer."""
        if watch in self.watches:
            self.watches.remove(watch)

    def _point(self) -> Point:
        tracker = self.tracker
        settings = Settings(
            tracker.k,
            tracker.tolerance,
            tracker.max_products,
            tracker.seed,
            tracker.sure,
            tracker.memory,
        )
        return Point(
            tracker.objective,
            tracker.curvature,
            self.optimizer,
            self.memory,
            settings,
            lambda: tracker.watched.drew,
            tracker.guarded,
        )

    def _note(
        self,
        point: Point,
        asked: tuple[Quantity, ...],
        values: dict[str, Measured],
        seconds: float,
    ) -> Edges:
        eta = None if self.optimizer is None else point.stepping.step_size
        name = "" if self.optimizer is None else point.stepping.name
        found = Edges(
            asked,
            values,
            point.known[0],
            self.step,
            self.time,
            eta,
            point.spent["products"],
            point.spent["gradients"],
            point.spent["passes"],
            seconds,
        )
        self.history.add(found, name)
        if not self.watching:  # nobody counts the steps: count evaluations
            self.free += 1
            self.step, self.time = self.step + 1, self.time + 1.0
        return found
