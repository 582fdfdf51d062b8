"""What a search for opposing signals looks at, recorded along any training.

The losses of single samples at every step and, at chosen steps, how each sample meets the top
eigenvectors u of the loss Hessian: its slope, its curvature and its response along u.

    evidence = Evidence(loss, inputs, labels, step_size=0.1)   # your own loop
    for step in range(200):
        evidence.record(model, step)
        ...  # your own step
    study(evidence).pairs

    Run(config, observers=[Evidence()])                        # or a run of ours
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor, nn

from linmodel import store
from linmodel.arguments import typed
from linmodel.errors import InvalidInput, integer, real, refuse
from realnet.curvature.evaluated import Curvature
from realnet.curvature.objective import NotFinite, flatten
from realnet.curvature.tracker import SharpnessTracker
from realnet.signals.given import as_task
from realnet.signals.layout import as_dataset
from realnet.signals.penultimate import last_linear, penultimate
from realnet.signals.slopes import along, slopes
from realnet.signals.together import check_whole, losses_now
from realnet.training.observing import Moment
from realnet.training.task import Task


class Evidence:
    """Records losses of single samples, and looks at them along the top eigenvectors now and then.

    loss, inputs, labels  for one's own loop, as they are (see `given.as_task`); none in a run
    directions   number k of top Hessian eigenvectors at each look
    checkpoints  a number: looks at every so many steps; or the steps themselves
    step_size    eta, for the time axis: time = step_size x step (1: time is the step)
    layer        name of the module whose input is the penultimate features; the last nn.Linear
    Batch norm in training mode: sample i's loss is the one it has when the whole batch goes through
    the network, and its slope and curvature are that loss's (see `realnet.signals.together`); in
    evaluation mode the statistics are held.
    Parameters at looks are kept: their number times that of looks is the memory beside the losses.
    Raises InvalidInput: bad numbers, what `as_task` refuses, a model in half precision, dropout in
    training mode at a look, batch norm in training mode with chunks, no such layer.
    """

    name = "evidence"

    def __init__(
        self,
        loss: Callable | None = None,
        inputs: Any = None,
        labels: Any = None,
        *,
        directions: int = 4,
        checkpoints: int | Sequence[int] = 20,
        step_size: float = 1.0,
        tolerance: float = 1e-2,
        chunk_size: int | None = None,
        layer: str | None = None,
        seed: int = 0,
    ) -> None:
        self.given, self.chunk_size, self.layer = (loss, inputs, labels), chunk_size, layer
        self.directions = integer("directions", directions, low=1)
        self.every, self.chosen = _looks(checkpoints)
        self.step_size = real("step_size", step_size, above=0)
        self.tolerance, self.seed = tolerance, integer("seed", seed, low=0)
        self.status = "completed"
        self.task: Task | None = None
        self.tracker: SharpnessTracker | None = None
        self.steps: list[int] = []
        self.times: list[float] = []
        self.losses: list[Tensor] = []  # float32, on the CPU
        self.looks: list[dict[str, Tensor]] = []
        self.points: list[Tensor] = []
        self._left: dict | None = None  # the tracker's state, until its model is seen

    def record(self, model: nn.Module, step: int) -> None:
        """See `model` as it is before its step number `step`; steps ascend.

        Raises InvalidInput: another model than before, a step that does not ascend, losses that
        are not finite.
        """
        step = integer("step", step, low=0)
        if self.task is None:
            loss, inputs, labels = self.given
            if loss is None:
                raise InvalidInput("Evidence() without a loss and data is for a Run's observers.")
            last_linear(model, self.layer)
            self.task = as_task(model, loss, inputs, labels, self.chunk_size)
        if model is not self.task.model:
            raise InvalidInput("Evidence.record saw another model before: make a new Evidence.")
        if self.steps and step <= self.steps[-1]:
            refuse("step", step, f"more than {self.steps[-1]}, the last one recorded")
        self._see(self.task, step, self.step_size * step, None)

    def before(self, moment: Moment) -> None:
        """As an observer of a run: record the point before the step."""
        self.task, self.step_size = moment.task, moment.step_size or self.step_size
        self._see(moment.task, moment.step, moment.time, moment.curvature)

    def after(self, moment: Moment) -> None:
        """Nothing."""

    def follow(self, run: Any, report: Callable[[int, str], None] | None = None) -> None:
        """Advance the run that this observes to its end. Raises NotFinite: diverged at once."""
        while not run.finished:
            run.advance()
            if report is not None:
                report(1, run.note())
        if not self.steps:
            raise NotFinite("the loss is NaN or infinite at the start: no evidence there.")
        self.status = "completed" if run.records.diverged_step is None else "diverged"

    def state(self) -> dict:
        """Plain tensors and numbers."""
        return {
            "steps": self.steps,
            "times": self.times,
            "losses": self.losses,
            "looks": self.looks,
            "points": self.points,
            "step_size": self.step_size,
            "tracker": self._left if self.tracker is None else self.tracker.state(),
        }

    def restore(self, state: dict) -> None:
        """Go on from `state()`."""
        for name in ("steps", "times", "losses", "looks", "points", "step_size"):
            setattr(self, name, state[name])
        self._left, self.tracker = state["tracker"], None

    def add_to(self, curves: xr.Dataset) -> xr.Dataset:
        """Nothing: the evidence is in the checkpoint, `realnet signals --run` reads it there."""
        return curves

    def dataset(self) -> xr.Dataset:
        """loss (time, sample); slope, curvature, response (checkpoint, direction, sample);
        alignment (checkpoint, sample); eigenvalue, residual (checkpoint, direction); label,
        input_norm (sample); penultimate (checkpoint, sample, component), where there is a layer.

        Raises InvalidInput where nothing was recorded, or no look was taken.
        """
        if self.task is None or not self.steps:
            raise InvalidInput("nothing was recorded: call Evidence.record(model, step) first.")
        if not self.looks:
            refuse("checkpoints", "none among the recorded steps", "steps that are recorded")
        attrs = store.provenance(
            directions=self.directions, tolerance=self.tolerance, seed=self.seed,
            step_size=self.step_size, steps=self.steps[-1],
        )  # fmt: skip
        known = [key for key in self.looks[0] if all(key in one for one in self.looks)]
        looks = {key: torch.stack([one[key] for one in self.looks]) for key in known}
        return as_dataset(
            torch.stack(self.losses).numpy(),
            np.array(self.times),
            {key: value.numpy() for key, value in looks.items()},
            _norms(self.task),
            self.task.labels.reshape(-1).cpu().numpy(),
            attrs | {"step_size": self.step_size, "status": self.status},
        )

    def _see(self, task: Task, step: int, time: float, found: Curvature | None) -> None:
        now = losses_now(task).float().cpu()
        if not bool(torch.isfinite(now).all()):
            raise NotFinite("the loss of a sample is NaN or infinite.")
        looking = step in self.chosen if self.chosen else step % self.every == 0
        look = self._look(task, found) if looking else None
        self.steps.append(step)
        self.times.append(time)
        self.losses.append(now)
        if look is not None:
            at = {"step": torch.tensor(step), "time": torch.tensor(time, dtype=torch.float64)}
            self.looks.append(at | look)
            self.points.append(flatten(task.whole.params).cpu())

    def _look(self, task: Task, found: Curvature | None) -> dict[str, Tensor]:
        """All samples along each top eigenvector, and along the mean gradient."""
        if found is None or len(found.values) < self.directions:
            found = self._tracker(task).evaluate()
        values = found.values.tolist()
        views = [along(task, u, each) for u, each in zip(found.vectors, values, strict=True)]
        slope, curvature, response = (torch.stack(parts) for parts in zip(*views, strict=True))
        square = float(found.gradient.double().square().sum())
        features = penultimate(task, self.layer)
        return ({} if features is None else {"penultimate": torch.as_tensor(features)}) | {
            "slope": slope,
            "curvature": curvature,
            "response": response,
            "alignment": slopes(task, found.gradient)[0] / max(square, 1e-300),
            "eigenvalue": found.values.double().cpu(),
            "residual": found.residuals.double().cpu(),
        }

    def _tracker(self, task: Task) -> SharpnessTracker:
        if self.tracker is None:
            self.tracker = SharpnessTracker(
                task.mean_loss,
                task.model,
                chunks=task.whole.chunks,
                k=self.directions,
                tolerance=self.tolerance,
                seed=self.seed,
                training_mode="consistent" if check_whole(task) else "refuse",
            )
            if self._left is not None:
                self.tracker.restore(self._left)
        return self.tracker


@typed
def checkpoint_steps(steps: int, count: int) -> NDArray[np.int64]:
    """`count` steps from 0 to `steps`, spaced quadratically: dense early."""
    return np.unique(np.round(steps * np.linspace(0, 1, count) ** 2).astype(int))


def _looks(checkpoints: int | Sequence[int]) -> tuple[int, frozenset[int]]:
    if isinstance(checkpoints, int):
        return integer("checkpoints", checkpoints, low=1), frozenset()
    chosen = frozenset(integer("checkpoints", int(step), low=0) for step in checkpoints)
    if not chosen:
        refuse("checkpoints", "none", "at least one step")
    return 1, chosen


def _norms(task: Task) -> NDArray[np.float64]:
    """Euclidean norm of each sample's input; of each token's, one-hot."""
    inputs = task.inputs if task.inputs.is_floating_point() else task.inputs * 0 + 1
    norms = inputs.reshape(len(inputs), -1).double().norm(dim=1)
    return norms.repeat_interleave(task.labels[0].numel()).cpu().numpy()
