"""What the image of a random probe shows: where the operator may have risen unseen.

The probe z is a random unit vector (n,). An eigenvalue that has risen by R along u has changed its
image by R (u . z) u, and sqrt(n) |u . z| is about 1. To pass `level` it must have risen by what was
lacking along u, L = level - (T + D), T + D being the hopeful model. So of a change that products
have not explained sqrt(n) |L^-1 change| tells whether one eigenvalue may have come so far: how loud
it is, in the span of the model's rows (known) and outside of it (unknown).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from realnet.curvature.measured import Measured
from realnet.curvature.secant import SecantModel, descending, norm

LOUD = 2.5  # is followed, twice and a half what one eigenvalue makes that has come up; and so is
UNUSUAL = 2.0  # times the usual, an evaluation and for RECALL evaluations, unless it is
RECALL = 4
QUIET = 0.02  # which is always let pass


@dataclass
class Habit:
    """How loud a part of the change usually is, an evaluation; and evaluations since followed."""

    usual: float = 0.0
    age: int = 1

    def broken(self, loud: float) -> bool:
        """Whether it is louder than usual; what has added up since it was followed counts."""
        return loud > max(QUIET, UNUSUAL * self.usual * min(self.age, RECALL))

    def learn(self, loud: float, followed: bool) -> None:
        """Note how loud it was."""
        self.usual = loud if self.age == 1 else self.usual
        self.age = 1 if followed else self.age + 1


class Change:
    """A change (n,) of the probe's image, without what this evaluation's products explain.

    known, unknown: how loud it is. least: what lacks at least, so that roundoff is not loud.
    """

    def __init__(
        self, model: SecantModel, measured: Measured, change: Tensor, level: float, least: float
    ) -> None:
        self.model, self.change = model, change
        s, _ = measured.coordinates()
        eye = torch.eye(model.rank, dtype=torch.float64, device="cpu")
        rest = eye - s.T @ s
        lacks, self.turn = descending(level * eye - rest @ (model.small + model.doubt) @ rest)
        self.lacks, inside = lacks.clamp_min(least), model.inside(change)
        self.parts = self.turn @ (rest @ inside)
        beyond = norm(change) ** 2 - float(inside.square().sum())
        scale = len(change) ** 0.5
        self.known = scale * float((self.parts / self.lacks).norm())
        self.unknown = scale * max(beyond, 0.0) ** 0.5 / max(level - model.unknown, least)

    def inside(self) -> Tensor:
        """L^-1/2 change in the span, coordinates: towards those that lack little, if not only."""
        return self.turn.T @ (self.parts / self.lacks.sqrt())

    def outside(self) -> Tensor:
        """The rest, coordinates of a model that has grown by it; the change is overwritten."""
        rank, found = self.model.rank, self.model.express(self.change)
        found[:rank] = 0.0
        return found
