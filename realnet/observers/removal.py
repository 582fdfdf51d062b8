"""What a run would have been without some of its samples: groups removed, and their rivals.

At the run's last point the finder says which groups there were (as `sides`). Then the run is made
again from its first point, for each group, without the samples that an arm leaves out:

untouched       none
members 25% (50%, 75%, 100%)  a share of the group's members, in an order drawn with the seed
class           as many others as members, each of the class of the one in whose place it goes
loss, gradient  as many others, each of about its loss, its gradient's norm
large loss, large gradient  as many samples of the largest, members or not

Loss and norm of the gradient are means over the evaluations in the first quarter of the steps.
"""

from __future__ import annotations

import copy
import math
from dataclasses import replace

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor

from linmodel.errors import refuse
from realnet.config import TrainConfig
from realnet.data.matched import largest, matched_by_class, matched_by_value
from realnet.observers import takes_no_number
from realnet.observers.sides import Sides
from realnet.signals.slopes import curvatures
from realnet.training.observing import Moment, Rows
from realnet.training.outcomes import gradient_norms
from realnet.training.run import Run
from realnet.training.task import Task

DIRECTIONS = 2  # eigenvectors at a look of the finder
GROUPS = ("planted", "found")
DOSES = {"members 25%": 0.25, "members 50%": 0.5, "members 75%": 0.75, "members 100%": 1.0}
MATCHED = ("class", "loss", "gradient")
RIVALS = ("large loss", "large gradient")
ARMS = ("untouched", *DOSES, *MATCHED, *RIVALS)
STATUS = {
    "removed": "the group's members were removed",
    "none": "no such group: nothing planted, nothing claimed",
    "too_many": "the group has more than half of the samples: nothing to match them with",
    "unfinished": "the run did not reach its end",
}


class Removal(Sides):
    """On (removal_group, without): removal_sharpness, removal_own and removal_all (time),
    removal_loss (step_time), removal_taken (sample).

    own, all: curvature u'H_i u of the group's members and of all samples, removed or not, summed,
    along the top eigenvector u of what is trained on. taken: 1 for samples left out.
    loss: of what is trained on, before each step. NaN after a run diverges.
    On sample: early_loss, early_gradient, removal_label. Attributes removal_planted and
    removal_found: a key of STATUS.
    """

    name = "removal"

    def __init__(self, config: TrainConfig) -> None:
        given = (config.optimiser, config.dropout, config.norm == "batch")
        if given != ("gd", 0.0, False):
            refuse(
                "optimiser, dropout and batch norm of a run without some samples",
                given,
                "gd, 0 and False: full-batch descent",
            )
        super().__init__(DIRECTIONS, config)
        self.config = config
        self.start: Tensor | None = None
        self.early: list[list[list[float]]] = []  # evaluation, (loss, gradient), sample
        self.kept: dict[str, dict] = {}  # group -> members, taken, sharpness, loss, own, all

    def before(self, moment: Moment) -> None:
        """Record; at the run's last point find the groups and make the runs without them."""
        if moment.step == 0:
            self.start = moment.point.clone()
        if moment.curvature is not None and 4 * moment.step <= self.last:
            losses, norms = moment.task.losses().double(), gradient_norms(moment.task)
            self.early.append([losses.tolist(), norms.tolist()])
        super().before(moment)
        if moment.step == self.last:
            done: dict[bytes, dict] = {}  # planted and found may be the same samples
            for name, members in self._groups(moment.task).items():
                key = members.tobytes()
                done[key] = done.get(key) or self._without(moment.task, members)
                self.kept[name] = done[key]
            moment.task.whole.write(moment.point)

    def state(self) -> dict:
        """Evidence, the start, what was kept."""
        own = {"start": self.start, "early": self.early, "kept": self.kept}
        return super().state() | own

    def restore(self, state: dict) -> None:
        """Go on from `state()`."""
        super().restore(state)
        self.start, self.early, self.kept = state["start"], state["early"], state["kept"]

    def add_to(self, curves: xr.Dataset) -> xr.Dataset:
        """See the class."""
        curves = super().add_to(curves)
        status = {name: self._status(name) for name in GROUPS}
        curves = curves.assign_attrs({f"removal_{name}": word for name, word in status.items()})
        there = [name for name, word in status.items() if word == "removed"]
        if not there:
            return curves
        own: dict[str, tuple] = {}
        for part, dimension in PARTS.items():
            values = np.array([self.kept[name][part] for name in there])
            count = curves.sizes.get(dimension, values.shape[-1])
            own[f"removal_{part}"] = (
                ("removal_group", "without", dimension), values[..., :count], {"units": "1"},
            )  # fmt: skip
        early = dict(zip(("early_loss", "early_gradient"), self._early(), strict=True))
        own |= {name: ("sample", values, {"units": "1"}) for name, values in early.items()}
        coords = {"removal_group": there, "without": list(ARMS)}
        return curves.assign_coords(coords).assign(own)

    def _status(self, name: str) -> str:
        if self.found is None:
            return "unfinished"
        if name not in self.kept:
            return "none"
        return "removed" if self.kept[name]["taken"] else "too_many"

    def _groups(self, task: Task) -> dict[str, NDArray[np.int64]]:
        """GROUPS that there are: the planted members; the first signal of the finder."""
        planted = task.members.get("opposing")
        found = np.zeros(0) if not self.found else np.array(self.found[0]["side"])
        groups = {
            "planted": np.zeros(0, dtype=np.int64)
            if planted is None
            else np.flatnonzero(planted.cpu().numpy()),
            "found": np.flatnonzero(found),
        }
        return {name: members for name, members in groups.items() if len(members)}

    def _early(self) -> NDArray[np.float64]:
        """Mean loss and mean norm of the gradient, (2, N)."""
        return np.mean(self.early, axis=0)

    def _without(self, task: Task, members: NDArray[np.int64]) -> dict:
        """Every arm: PARTS of it."""
        if 2 * len(members) > len(task.labels):
            return {part: [] for part in PARTS}
        left_out = self._left_out(members, task.labels.cpu().numpy())
        rows = [self._again(task, out, members) for out in left_out.values()]
        return {part: [row[part] for row in rows] for part in PARTS}

    def _left_out(self, members: NDArray, labels: NDArray) -> dict[str, frozenset[int]]:
        """Arm -> the samples that it leaves out."""
        seed = self.config.seed
        order = np.random.default_rng([seed, 5]).permutation(members)
        loss, gradient = self._early()
        chosen = {"untouched": order[:0]}
        chosen |= {arm: order[: round(dose * len(order))] for arm, dose in DOSES.items()}
        chosen["class"] = matched_by_class(order, labels, seed)
        chosen["loss"] = matched_by_value(order, loss, seed)
        chosen["gradient"] = matched_by_value(order, gradient, seed)
        chosen["large loss"] = largest(loss, len(order))
        chosen["large gradient"] = largest(gradient, len(order))
        return {arm: frozenset(own.tolist()) for arm, own in chosen.items()}

    def _again(self, task: Task, out: frozenset[int], members: NDArray[np.int64]) -> dict:
        """The run from its first point without the samples `out`; PARTS of it."""
        assert self.start is not None
        keep = torch.ones(len(task.labels), dtype=torch.bool)
        keep[sorted(out)] = False
        model, inside = copy.deepcopy(task.model), keep.to(task.device)
        size = self.config.chunk_size
        everything = Task(model, task.sample_loss, task.inputs, task.labels, size)
        part = Task(model, task.sample_loss, task.inputs[inside], task.labels[inside], size)
        part.whole.write(self.start.to(task.device))
        watch = _Carried(everything, members)
        run = Run.on(part, replace(self.config, observe=()), [watch])
        while not run.finished:
            run.advance()
        curves, steps = run.dataset(), self.config.steps
        evaluations = -(-steps // self.config.every) + 1
        return {
            "taken": (~keep).double().tolist(),
            "sharpness": _padded(curves.sharpness.values, evaluations),
            "own": _padded(curves["own"].values, evaluations),
            "all": _padded(curves["all"].values, evaluations),
            "loss": _padded(run.records.step_losses, steps),
        }


PARTS = {"taken": "sample", "sharpness": "time", "own": "time", "all": "time", "loss": "step_time"}


class _Carried(Rows):
    """Curvature along the top eigenvector that `members` and all samples have, summed."""

    name = "carried"

    def __init__(self, everything: Task, members: NDArray[np.int64]) -> None:
        super().__init__()
        self.everything, self.members = everything, members

    def before(self, moment: Moment) -> None:
        """Measure, at evaluations."""
        if moment.curvature is not None:
            values = curvatures(self.everything, moment.curvature.vectors[0])
            own = values[torch.as_tensor(self.members, device=values.device)]
            self.append({"own": float(own.sum()), "all": float(values.sum())})


def _padded(values: object, count: int) -> list[float]:
    """`count` numbers: NaN after a run has diverged."""
    given = np.asarray(values, dtype=float)[:count].tolist()
    return given + [math.nan] * (count - len(given))


def make(number: int | None, config: TrainConfig) -> Removal:
    """It takes no number."""
    takes_no_number("removal", number)
    return Removal(config)
