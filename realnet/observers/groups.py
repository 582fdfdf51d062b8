"""Mean loss of each watched set (planted: each class's members) before every step."""

from __future__ import annotations

from realnet.config import TrainConfig
from realnet.observers import takes_no_number
from realnet.training.observing import Moment, Rows


class Groups(Rows):
    """ "loss NAME" for each of the samples' watched sets, trained on or not."""

    name = "groups"
    dimension = "step_time"

    def before(self, moment: Moment) -> None:
        """Measure, at every step."""
        for name, part in moment.task.watched.items():
            self.append({f"loss {name}": float(moment.task.losses(*part).mean())})


def make(number: int | None, _config: TrainConfig) -> Groups:
    """Takes no number."""
    takes_no_number("groups", number)
    return Groups()
