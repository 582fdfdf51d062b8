"""Accuracy and mean loss on the held-out samples, at evaluations; nothing where there are none."""

from __future__ import annotations

from typing import ClassVar

from realnet.config import TrainConfig
from realnet.observers import takes_no_number
from realnet.training.observing import Moment, Rows


class HeldOut(Rows):
    """test_accuracy and test_loss."""

    name = "held_out"
    about: ClassVar[dict[str, str]] = {
        "test_accuracy": "accuracy on held-out samples",
        "test_loss": "mean loss on held-out samples",
    }

    def before(self, moment: Moment) -> None:
        """Measure, at evaluations."""
        task = moment.task
        if moment.curvature is None or task.held_out is None:
            return
        loss = float(task.losses(*task.held_out).mean())
        self.append({"test_accuracy": task.accuracy(task.held_out), "test_loss": loss})


def make(number: int | None, _config: TrainConfig) -> HeldOut:
    """Takes no number."""
    takes_no_number("held_out", number)
    return HeldOut()
