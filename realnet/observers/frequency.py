"""Losses of labels by how often they occur: Kunstner et al. 2024 (arXiv 2402.19449) on heavy tails.

There, descent is slow because it learns rare words slowly, while Adam learns frequent and rare
ones at nearly the same pace.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from realnet.config import TrainConfig
from realnet.observers import takes_no_number
from realnet.training.observing import Moment, Rows

CLASSES = 4


class Frequency(Rows):
    """loss_by_frequency, a list of CLASSES numbers at each evaluation, the commonest labels first.

    Each class has about a CLASSES-th of all samples (tokens): see `frequency_classes`. NaN for a
    class without a label.
    """

    name = "frequency"
    about: ClassVar[dict[str, str]] = {
        "loss_by_frequency": "mean training loss of each quarter of the labels, commonest first",
    }

    def __init__(self) -> None:
        super().__init__()
        self.classes: NDArray[np.int64] | None = None

    def before(self, moment: Moment) -> None:
        """Measure, at evaluations."""
        if moment.curvature is None:
            return
        task = moment.task
        if self.classes is None:
            self.classes = frequency_classes(task.labels.reshape(-1).cpu().numpy())
        losses = task.losses().double().cpu().numpy()
        own = [losses[self.classes == c] for c in range(CLASSES)]
        self.append({"loss_by_frequency": [x.mean() if len(x) else np.nan for x in own]})


def frequency_classes(labels: NDArray[np.int64], count: int = CLASSES) -> NDArray[np.int64]:
    """Each sample's class 0 .. count - 1, (N,): its label's place among all labels by frequency.

    Labels are ordered from the commonest on (ties: the smaller label first); a label belongs to
    the class in which the middle of its run of samples falls, so all its samples are together.
    """
    values, where, often = np.unique(labels, return_inverse=True, return_counts=True)
    order = np.argsort(-often, kind="stable")
    middle = np.cumsum(often[order]) - often[order] / 2
    of_label = np.empty(len(values), dtype=np.int64)
    of_label[order] = np.minimum(count * middle / len(labels), count - 1).astype(np.int64)
    return of_label[where]


def make(number: int | None, _config: TrainConfig) -> Frequency:
    """It takes no number."""
    takes_no_number("frequency", number)
    return Frequency()
