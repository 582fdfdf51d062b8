"""Branches from just before the edge: the run itself goes through it, a twin stays below.

The branch point is the last evaluation below 2/eta before the run's sharpness is first seen to rise
to 2/eta or above; what a run does at its start past the edge is no branch.
From there four points are compared at equal times (time = step size x step):

through   the run: its step size enters the edge
below     a twin that takes K steps of eta/K for each step of the run: 2/eta stays K times higher
averaged  (theta_before + 2 theta + theta_after) / 4 of the run: its oscillation of period 2 taken
          out, as a central flow has it
random    `below`, moved in a random direction as far as `through` is from it

Causes instead of correlations: Kwag, Ganesh, Poggio and Beneventano (arXiv 2606.04212) branch in
and out of the edge from one state.
"""

from __future__ import annotations

import math
from typing import ClassVar

import torch
import xarray as xr
from torch import Tensor

from linmodel.errors import refuse
from realnet.config import TrainConfig
from realnet.curvature.objective import NotFinite
from realnet.curvature.tracker import SharpnessTracker
from realnet.training.observing import Moment, Rows
from realnet.training.outcomes import at_branch, outcomes
from realnet.training.task import Task

PARTS = 8  # steps of the twin for one of the run, where no K is given
ARMS = ("through", "averaged", "below", "random")
KINDS = ("loss", "margin")


class Branch(Rows):
    """On `time`, NaN before the branch point: "ARM loss" and "ARM margin" (time, sample),
    branch_distance, below_sharpness. On `sample`, at the branch point: the numbers of `at_branch`.
    Attributes branch_status ("branched", or why not), branch_step and branch_time. An arm that
    diverges is NaN from there on.
    """

    name = "branch"
    about: ClassVar[dict[str, str]] = {
        **{f"{arm} loss": f"losses of single samples, arm {arm}" for arm in ARMS},
        **{f"{arm} margin": f"label's output less the largest other, arm {arm}" for arm in ARMS},
        "branch_distance": "|theta through - theta below|",
        "below_sharpness": "sharpness of the arm that stays below the edge [1 / time]",
    }

    def __init__(self, parts: int, config: TrainConfig) -> None:
        super().__init__()
        given = (config.optimiser, config.schedule, config.warmup, config.dropout)
        if given != ("gd", "constant", 0, 0.0):
            refuse(
                "optimiser, schedule, warm-up and dropout of a run that branches",
                given,
                "gd, constant, 0 and 0: branches are full-batch descent at one step size",
            )
        if parts < 2:
            refuse("K of branch=K", parts, "a whole number of at least 2")
        self.parts, self.config = parts, config
        self.begun: dict[str, float] = {}
        self.start: dict[str, list[float]] = {}
        self.twin: Tensor | None = None
        self.points: list[Tensor] = []  # of the run: the last one and the one before
        self.due = False
        self.last: tuple[int, float, Tensor, Tensor] | None = None  # evaluation below the edge
        self.tracker: SharpnessTracker | None = None
        self._left: dict | None = None  # the tracker's state, until its model is seen

    def before(self, moment: Moment) -> None:
        """Branch, where the run has come from below to its edge."""
        self._move_to(moment.point)
        self.points = [*self.points[-1:], moment.point]
        found = moment.curvature
        self.due = found is not None
        if found is None or self.twin is not None:
            return
        if found.sharpness < 2 / self.config.step_size:
            self.last = (moment.step, moment.time, moment.point.clone(), found.vectors[0].clone())
        elif self.last is not None:
            self._begin(moment)

    def after(self, moment: Moment) -> None:
        """Measure all arms at the point before the step, where due; then the twin's steps."""
        task = moment.task
        if self.due:
            self._measure(task, moment.point)
        if self.twin is not None:
            self._follow(task, moment.step_size)
        task.whole.write(moment.point)

    def state(self) -> dict:
        """The twin, the run's last points, the rows."""
        return {
            "rows": self.rows,
            "begun": self.begun,
            "start": self.start,
            "twin": self.twin,
            "points": self.points,
            "last": self.last,
            "tracker": self._left if self.tracker is None else self.tracker.state(),
        }

    def restore(self, state: dict) -> None:
        """Go on from `state()`."""
        for name in ("rows", "begun", "start", "twin", "points", "last"):
            setattr(self, name, state[name])
        self._left, self.tracker = state["tracker"], None

    def add_to(self, curves: xr.Dataset) -> xr.Dataset:
        """See the class."""
        curves = super().add_to(curves)
        curves = curves.rename({f"{a} {b}_index": "sample" for a in ARMS for b in KINDS})
        own = {name: ("sample", values, {"units": "1"}) for name, values in self.start.items()}
        return curves.assign(own).assign_attrs(self.begun | {"branch_status": self._status()})

    def _status(self) -> str:
        if self.twin is not None:
            return "branched"
        return "past its edge throughout" if self.last is None else "never at its edge"

    def _begin(self, moment: Moment) -> None:
        """From the last evaluation below the edge; the twin takes the steps since then."""
        assert self.last is not None
        step, time, point, direction = self.last
        self.begun = {"branch_step": step, "branch_time": time}
        self.twin, self.last = point, None
        moment.task.whole.write(point)
        self.start = at_branch(moment.task, direction)
        for _ in range(moment.step - step):
            self._follow(moment.task, self.config.step_size)
        moment.task.whole.write(moment.point)

    def _move_to(self, like: Tensor) -> None:
        """A checkpoint is read to the CPU; the run may be elsewhere."""
        self.points = [point.to(like) for point in self.points]
        self.twin = None if self.twin is None else self.twin.to(like)
        if self.last is not None:
            step, time, point, direction = self.last
            self.last = step, time, point.to(like), direction.to(like)

    def _measure(self, task: Task, following: Tensor) -> None:
        count = task.labels.numel()
        row: dict[str, object] = {f"{a} {b}": [math.nan] * count for a in ARMS for b in KINDS}
        row |= {"branch_distance": math.nan, "below_sharpness": math.nan}
        if self.twin is not None:
            earlier, here = (self.points * 2)[-2:]
            apart = float((here - self.twin).norm())
            points = {
                "through": here,
                "averaged": averaged(earlier, here, following),
                "below": self.twin,
                "random": self.twin + apart * self._direction(here),
            }
            for arm, point in points.items():
                task.whole.write(point)
                found = outcomes(task)
                row |= {f"{arm} {kind}": values.tolist() for kind, values in found.items()}
            row |= {"branch_distance": apart, "below_sharpness": self._sharpness(task)}
        self.append(row)

    def _direction(self, like: Tensor) -> Tensor:
        """The same random direction at every evaluation, of norm 1."""
        generator = torch.Generator().manual_seed(self.config.seed)
        drawn = torch.randn(len(like), generator=generator, dtype=torch.float64)
        return (drawn / drawn.norm()).to(like)

    def _sharpness(self, task: Task) -> float:
        assert self.twin is not None
        task.whole.write(self.twin)
        if self.tracker is None:
            self.tracker = SharpnessTracker(
                task.mean_loss, task.model, chunks=task.whole.chunks, tolerance=1e-2,
                seed=self.config.seed,
            )  # fmt: skip
            if self._left is not None:
                self.tracker.restore(self._left)
        try:
            return self.tracker.evaluate().sharpness
        except NotFinite:
            return math.nan

    def _follow(self, task: Task, step_size: float) -> None:
        assert self.twin is not None
        for _ in range(self.parts):
            task.whole.write(self.twin)
            gradient = task.whole.gradient()[1] + self.config.weight_decay * self.twin
            self.twin = self.twin - step_size / self.parts * gradient


def averaged(earlier: Tensor, here: Tensor, following: Tensor) -> Tensor:
    """The middle of three points of a run without what alternates from one to the next."""
    return (earlier + 2 * here + following) / 4


def make(number: int | None, config: TrainConfig) -> Branch:
    """`number` is K, the twin's steps for one of the run (8)."""
    return Branch(PARTS if number is None else number, config)
