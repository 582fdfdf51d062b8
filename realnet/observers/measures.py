"""What known groups are to the curvature: their share of it, alignment, and antiphase of losses."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from realnet.config import TrainConfig
from realnet.observers import takes_no_number
from realnet.signals.antiphase import antiphase
from realnet.signals.gradients import group_gradient
from realnet.signals.slopes import curvatures
from realnet.training.observing import Moment, Rows
from realnet.training.task import Task

NEAR = 0.9  # of its threshold: from there on a run's sharpness is said to be near the edge
FEWEST = 5  # steps near the edge, to have an antiphase


class Measures(Rows):
    """For each group of the samples' truth (planted: "opposing", "class 0", ...; none: nothing).

    "share NAME"  of the top eigenvalue that the members carry: sum of u'H_i u over theirs and all
    "along NAME"  (g.u)^2 / |g|^2, g the mean gradient of the members, u the top eigenvector
    Attribute antiphase: of the two smallest groups without a common member, over the steps from
    the first evaluation near the edge on, each less all other samples; NaN, and the attribute
    antiphase_status says why, where there is none.
    """

    name = "measures"

    def __init__(self) -> None:
        super().__init__()
        self.losses: list[list[float]] = []  # step, (first, second, others)

    def before(self, moment: Moment) -> None:
        """Losses at every step; the rest at evaluations."""
        groups = members_of(moment.task)
        pair = two_apart(groups)
        if pair:
            self.losses.append(_means(moment.task, groups[pair[0]], groups[pair[1]]))
        found = moment.curvature
        if found is None:
            return
        values = curvatures(moment.task, found.vectors[0]).cpu().numpy()
        total = values.sum() or math.nan  # a network that is flat where it is
        u = found.vectors[0].double()
        for name, own in groups.items():
            gradient = group_gradient(moment.task, np.flatnonzero(own)).double()
            square = max(float(gradient.square().sum()), 1e-300)
            self.append({f"share {name}": float(values[own].sum() / total)})
            self.append({f"along {name}": float(gradient @ u) ** 2 / square})

    def state(self) -> dict:
        """Rows and losses."""
        return super().state() | {"losses": self.losses}

    def restore(self, state: dict) -> None:
        """Go on from `state()`."""
        super().restore(state)
        self.losses = state["losses"]

    def add_to(self, curves: xr.Dataset) -> xr.Dataset:
        """See the class."""
        curves = super().add_to(curves)
        value, status = measured_antiphase(curves, np.array(self.losses))
        return curves.assign_attrs(antiphase=value, antiphase_status=status)


def measured_antiphase(curves: xr.Dataset, losses: NDArray) -> tuple[float, str]:
    """Antiphase and a word on it: "measured over N steps", or "refused: " and the reason.

    losses (steps, 3) of two groups and all others; curves with sharpness and threshold on time.
    """
    if not len(losses):
        return math.nan, "refused: no two groups without a common member"
    ratio = curves.sharpness.values / curves.threshold.values
    if not np.isfinite(ratio).any():
        return math.nan, "refused: this optimiser has no threshold of the sharpness"
    near = np.flatnonzero(ratio >= NEAR)
    if not len(near):
        most = np.nanmax(ratio)
        return math.nan, f"refused: never near the edge, at most {most:.2f} of the threshold"
    late = losses[int(curves.step.values[near[0]]) :]
    if len(late) < FEWEST:
        return math.nan, f"refused: {len(late)} steps near the edge, at least {FEWEST} are needed"
    return antiphase(*late.T), f"measured over {len(late)} steps"


def members_of(task: Task) -> dict[str, NDArray[np.bool_]]:
    """The groups of the samples' truth that have members, on single samples (N,)."""
    found = {name: own.cpu().numpy().astype(bool) for name, own in task.members.items()}
    count = task.labels.numel()
    return {name: own for name, own in found.items() if own.shape == (count,) and own.any()}


def two_apart(groups: dict[str, NDArray[np.bool_]]) -> tuple[str, str] | None:
    """The two smallest groups that have no member in common; None where there are none."""
    pairs = [(a, b) for a, b in combinations(groups, 2) if not (groups[a] & groups[b]).any()]
    return min(pairs, key=lambda p: groups[p[0]].sum() + groups[p[1]].sum(), default=None)


def _means(task: Task, first: NDArray, second: NDArray) -> list[float]:
    losses = task.losses().double().cpu().numpy()
    others = losses[~(first | second)]
    return [losses[first].mean(), losses[second].mean(), others.mean() if len(others) else 0.0]


def make(number: int | None, _config: TrainConfig) -> Measures:
    """It takes no number."""
    takes_no_number("measures", number)
    return Measures()
