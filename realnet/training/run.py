"""The one training loop: `Run(config, samples, observers)`; `train` drives it into a folder."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import xarray as xr
from torch import Tensor

from linmodel.arguments import typed
from linmodel.errors import refuse
from realnet.config import TrainConfig
from realnet.curvature.objective import NotFinite, Objective, flatten
from realnet.data.samples import Samples
from realnet.observers import make_observers
from realnet.training.building import build_task, load_samples
from realnet.training.observing import Moment, Observer
from realnet.training.records import Records
from realnet.training.steps import perp_gradient
from realnet.training.task import Task
from realnet.training.torch_steps import State, advance, step_size
from realnet.training.tracking import Tracking


@contextmanager
def same_threads(count: int) -> Iterator[None]:
    """The threads that a run began with, also where it is resumed: they decide how sums round."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Run:
    """A task, an optimiser, observers, records, a step. `state` and `restore` are a checkpoint.

    samples    None: those of the configuration, its arm applied
    observers  beside the curvature and those that `config.observe` names; called in this order
    `advance()` does one step; `finished` says when there is none left; `dataset()` has the curves.
    A model and a loss of one's own: `Run.on(task, config, observers)`.
    """

    @typed
    def __init__(
        self,
        config: TrainConfig,
        samples: Samples | None = None,
        observers: Sequence[Observer] = (),
    ) -> None:
        task = build_task(config, load_samples(config) if samples is None else samples)
        self._begin(task, config, observers)

    @classmethod
    def on(cls, task: Task, config: TrainConfig, observers: Sequence[Observer] = ()) -> Run:
        """A run of any task. Of `config` only the optimiser, steps, curvature and seed count."""
        run = cls.__new__(cls)
        run._begin(task, config, observers)
        return run

    def _begin(self, task: Task, config: TrainConfig, observers: Sequence[Observer]) -> None:
        self.config, self.task = config, task
        self.point = flatten(task.whole.params)
        self.tracking = Tracking(config, task)
        made = make_observers(config.observe, config)
        self.observers: list[Observer] = [self.tracking, *made, *observers]
        names = [one.name for one in self.observers]
        if len(set(names)) != len(names):
            refuse("observers", ", ".join(names), "observers of different names")
        self.optimiser: State = {}
        self.order = torch.Generator().manual_seed(config.seed)
        self.records = Records()
        self.step = 0
        self.time = 0.0
        self.threads = torch.get_num_threads()

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.task.device

    @property
    def finished(self) -> bool:
        """All steps done and the last point seen, or diverged."""
        return self.step > self.config.steps or self.records.diverged_step is not None

    def advance(self) -> None:
        """Let the observers look, then one optimiser step; past the last step, look only."""
        try:
            with same_threads(self.threads):
                moment = self._moment()
                for one in self.observers:
                    one.before(moment)
                if self.step < self.config.steps:
                    self._move(moment)
        except NotFinite:
            self.records.diverged_step = self.step
        else:
            self.step += 1

    def dataset(self) -> xr.Dataset:
        """The curves so far, with what each observer has seen."""
        curves = self.records.dataset(self.config, self.task, self.finished)
        for one in self.observers:
            curves = one.add_to(curves)
        return curves

    def note(self) -> str:
        """One line for a progress bar."""
        return self.tracking.note()

    def state(self) -> dict:
        """Everything that the rest of the run depends on: tensors, numbers, lists."""
        return {
            "model": self.task.model.state_dict(),
            "point": self.point,
            "optimiser": self.optimiser,
            "order": self.order.get_state(),
            "records": self.records.state(),
            "observers": {one.name: one.state() for one in self.observers},
            "step": self.step,
            "time": self.time,
            "threads": self.threads,
        }

    def restore(self, state: dict) -> None:
        """Go on from `state()` of a run of the same configuration and observers."""
        names = [one.name for one in self.observers]
        if sorted(state["observers"]) != sorted(names):
            refuse("observers", ", ".join(names), ", ".join(state["observers"]), "Resume with them")
        self.task.model.load_state_dict(state["model"])
        self.point = state["point"].to(self.device)
        self.optimiser = {name: value.to(self.device) for name, value in state["optimiser"].items()}
        self.order.set_state(state["order"])
        self.records = Records(**state["records"])
        for one in self.observers:
            one.restore(state["observers"][one.name])
        self.step, self.time = state["step"], state["time"]
        self.threads = state["threads"]

    def _moment(self) -> Moment:
        self.task.whole.write(self.point)
        eta = step_size(self.config, self.step)
        return Moment(self.task, self.step, self.time, eta, self.point, optimiser=self.optimiser)

    def _move(self, moment: Moment) -> None:
        batch = self._batch()
        found = moment.curvature
        if found is not None:
            self.optimiser["sharpness"] = found.values[0].clone()
        if found is not None and batch is self.task.whole and not self.config.dropout:
            loss, gradient = found.loss, self._adjusted(found.gradient, self.point)
        else:
            loss, gradient = self._gradient(batch, self.point)
        self.records.step_times.append(self.time)
        self.records.step_losses.append(loss)
        self.point = advance(
            self.config,
            self.optimiser,
            self.point,
            gradient,
            lambda point: self._gradient(batch, point)[1],
            moment.step_size,
        )
        self.time += moment.step_size
        after = Moment(self.task, self.step, self.time, moment.step_size, self.point)
        self.task.whole.write(self.point)
        for one in self.observers:
            one.after(after)

    def _gradient(self, batch: Objective, point: Tensor) -> tuple[float, Tensor]:
        batch.write(point)
        with self._dropping():
            loss, gradient = batch.gradient()
        if not math.isfinite(loss):
            raise NotFinite(f"the loss is {loss}")
        return loss, self._adjusted(gradient, point)

    def _adjusted(self, gradient: Tensor, point: Tensor) -> Tensor:
        """With weight decay, then less the component along the weights, where asked."""
        if self.config.weight_decay:
            gradient = gradient + self.config.weight_decay * point
        return perp_gradient(gradient, point) if self.config.perp_grad else gradient

    @contextmanager
    def _dropping(self) -> Iterator[None]:
        """Dropout is on; one mask a step, from seed and step alone: a resumed run draws it too."""
        if not self.config.dropout:
            yield
            return
        self.task.model.train()
        with torch.random.fork_rng():
            torch.manual_seed(1_000_003 * self.config.seed + self.step)
            yield
        self.task.model.eval()

    def _batch(self) -> Objective:
        size, task = self.config.batch_size, self.task
        if size is None:
            return task.whole
        chosen = torch.randint(len(task.labels), (size,), generator=self.order).to(self.device)
        return task.objective(task.inputs[chosen], task.labels[chosen])
