"""What a search finds of earlier evaluations and leaves to the next (kept by TopSolver)."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from realnet.curvature.probe import Habit
from realnet.curvature.secant import SecantModel
from realnet.curvature.trend import Trend


class Kept(Protocol):
    """n, k; `kept` pairs that the model keeps; `drift`: by how much the top has moved of late."""

    n: int
    k: int
    kept: int
    sure: bool
    model: SecantModel
    trend: Trend
    probe: tuple[Tensor, Tensor] | None  # z and what H z is expected to be
    drift: float
    known: Habit
    unknown: Habit

    def noise(self) -> Tensor: ...
