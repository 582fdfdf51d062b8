"""A random projection of the parameters to K numbers (128), at evaluations: distances are kept."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from realnet.config import TrainConfig
from realnet.training.observing import Moment, Rows


class Sketch(Rows):
    """sketch on (time, K): Gaussian of variance 1/K, distances within about 1/sqrt(2 K)."""

    name = "sketch"
    about: ClassVar[dict[str, str]] = {"sketch": "random projection of the parameters"}

    def __init__(self, count: int = 128) -> None:
        super().__init__()
        self.count = count
        self.projection: Tensor | None = None

    def before(self, moment: Moment) -> None:
        """Project, at evaluations."""
        if moment.curvature is None:
            return
        if self.projection is None:
            generator = torch.Generator().manual_seed(0)
            drawn = torch.randn(self.count, len(moment.point), generator=generator)
            self.projection = (drawn / self.count**0.5).to(moment.point)
        self.append({"sketch": (self.projection @ moment.point).tolist()})


def make(number: int | None, _config: TrainConfig) -> Sketch:
    """`number` is K."""
    return Sketch(number or 128)
