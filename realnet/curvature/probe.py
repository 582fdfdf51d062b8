"""What the image of a random probe shows: where the operator may have risen unseen.

The probe z is a random unit vector (n,). An eigenvalue that has risen by R along u has changed its
image by R (u . z) u, and sqrt(n) |u . z| is about 1. To pass `level` it must have risen by what was
lacking along u, L = level - (T + D), T + D being the hopeful model. So of a change that products
have not explained sqrt(n) |L^-1 change| tells whether one eigenvalue may have come so far.
"""

from __future__ import annotations

import torch
from torch import Tensor

from realnet.curvature.measured import Measured
from realnet.curvature.secant import SecantModel, descending, dots


class Change:
    """A change (n,) of the probe's image, without what this evaluation's products explain.

    loud: sqrt(n) |L^-1 change|; new: whether most of L^-1 change is outside of the model's rows.
    least: what lacks at least, so that roundoff is not loud.
    """

    def __init__(
        self, model: SecantModel, measured: Measured, change: Tensor, level: float, least: float
    ) -> None:
        self.model, self.change = model, change
        s, _ = measured.coordinates()
        eye = torch.eye(model.rank, dtype=torch.float64, device="cpu")
        rest = eye - s.T @ s
        lacks, turn = descending(level * eye - rest @ (model.small + model.doubt) @ rest)
        inside = model.inside(change)
        self.parts, self.turn = turn @ (rest @ inside), turn
        self.lacks, self.lack = lacks.clamp_min(least), max(level - model.unknown, least)
        beyond = float(dots(change[None], change)) - float(inside.square().sum())
        self.outside = max(beyond, 0.0) ** 0.5
        known = float((self.parts / self.lacks).norm())
        unknown = self.outside / self.lack
        self.loud = len(change) ** 0.5 * (known**2 + unknown**2) ** 0.5
        self.new = unknown > known

    def direction(self) -> Tensor:
        """L^-1/2 change, coordinates of a model that has grown by what was outside.

        Between the change itself, mostly unknown directions, and L^-1 change, mostly known ones
        that lack little: of the three it missed least. The change (n,) is overwritten.
        """
        known = self.turn.T @ (self.parts / self.lacks.sqrt())
        rank = self.model.rank
        along = self.model.express(self.change)
        direction = self.model.padded(known)
        if self.model.rank > rank:
            direction[-1] = along[-1] / self.lack**0.5
        return direction
