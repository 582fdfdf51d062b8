"""Softmax collapse: samples whose loss is rounded to 0, and descent by scaling the weights alone.

Prieto et al. 2025 ("Grokking at the Edge of Numerical Stability", arXiv 2501.04697): once the
label's output leads by more than about 17 (float32) a sample's loss is exactly 0 and it has no
gradient; before, the gradient comes to point along the weights (naive loss minimisation).
"""

from __future__ import annotations

from typing import ClassVar

import torch

from realnet.config import TrainConfig
from realnet.observers import takes_no_number
from realnet.training.observing import Moment, Rows
from realnet.training.task import Task


class Collapse(Rows):
    """zero_loss, zero_loss_64 and naive_cosine, at evaluations."""

    name = "collapse"
    about: ClassVar[dict[str, str]] = {
        "zero_loss": "share of samples whose loss is exactly 0 in the run's own precision",
        "zero_loss_64": "the same, the loss of the same outputs taken in float64",
        "naive_cosine": "cosine of minus the gradient and the weights: 1, descent scales alone",
    }

    def before(self, moment: Moment) -> None:
        """Measure, at evaluations."""
        if moment.curvature is None:
            return
        gradient, point = moment.curvature.gradient.double(), moment.point.double()
        size = float(gradient.norm() * point.norm())
        own, wide = zero_losses(moment.task)
        self.append({"zero_loss": own, "zero_loss_64": wide})
        self.append({"naive_cosine": -float(gradient @ point) / size if size else float("nan")})


def zero_losses(task: Task) -> tuple[float, float]:
    """Share of samples (tokens) with a loss of exactly 0, in the outputs' precision and float64."""
    own, wide = [], []
    with task.still():
        for x, y in task.whole.chunks:
            outputs = task.model(x)
            own.append(task.sample_loss(outputs, y).reshape(-1) == 0)
            wide.append(task.sample_loss(outputs.double(), y).reshape(-1) == 0)
    return float(torch.cat(own).double().mean()), float(torch.cat(wide).double().mean())


def make(number: int | None, _config: TrainConfig) -> Collapse:
    """It takes no number."""
    takes_no_number("collapse", number)
    return Collapse()
