"""Full-batch loss before every step, without dropout: what minibatch steps do not see."""

from __future__ import annotations

from typing import ClassVar

from realnet.config import TrainConfig
from realnet.observers import takes_no_number
from realnet.training.observing import Moment, Rows


class FullLoss(Rows):
    """ "loss all"."""

    name = "full_loss"
    dimension = "step_time"
    about: ClassVar[dict[str, str]] = {"loss all": "full-batch loss before the step"}

    def before(self, moment: Moment) -> None:
        """Measure, at every step."""
        self.append({"loss all": float(moment.task.losses().mean())})


def make(number: int | None, _config: TrainConfig) -> FullLoss:
    """Takes no number."""
    takes_no_number("full_loss", number)
    return FullLoss()
