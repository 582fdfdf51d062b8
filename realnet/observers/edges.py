"""What the run's own optimiser sees: preconditioned sharpness (Adam), batch sharpness (batches)."""

from __future__ import annotations

import math
from typing import ClassVar

from torch import Tensor

from realnet.config import TrainConfig
from realnet.edges.batch import BatchSharpness
from realnet.edges.point import Point, Settings
from realnet.edges.solving import largest
from realnet.observers import takes_no_number
from realnet.training.observing import Moment, Rows
from realnet.training.torch_steps import preconditioner


class Edges(Rows):
    """preconditioned_sharpness, batch_sharpness (with _low and _high, 95%) on `time`.

    Each evaluation stands alone (no warm start, draws by step), so a resumed run is the same.
    """

    name = "edges"
    about: ClassVar[dict[str, str]] = {
        "preconditioned_sharpness": "largest eigenvalue of D^-1/2 (H + w) D^-1/2, Adam's D",
        "batch_sharpness": "E[g_B' H_B g_B] / E|g_B|^2 over batches of the run's size",
        "batch_sharpness_low": "lower end of its 95% interval",
        "batch_sharpness_high": "upper end of its 95% interval",
    }

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        self.config = config

    def before(self, moment: Moment) -> None:
        """Measure, at evaluations."""
        found = moment.curvature
        if found is None:
            return
        memory = {"checked": True, "draws": moment.step}
        options = Settings(1, self.config.tolerance, 500, self.config.seed)
        point = Point(moment.task.whole, lambda: found, None, memory, options)
        try:
            if self.config.optimiser == "adam":
                self.append({"preconditioned_sharpness": self._preconditioned(moment, point)})
            if self.config.batch_size is not None:
                size = min(self.config.batch_size, len(moment.task.labels))
                one = BatchSharpness(size, seed=self.config.seed).measure(point)
                self.append({"batch_sharpness": one.value})
                self.append({"batch_sharpness_low": one.low, "batch_sharpness_high": one.high})
        finally:
            point.close()

    def _preconditioned(self, moment: Moment, point: Point) -> float:
        scale = preconditioner(self.config, dict(moment.optimiser))
        if scale is None:
            return math.nan
        root, decay = scale.rsqrt(), self.config.weight_decay

        def products(rows: Tensor) -> Tensor:
            inner = rows * root
            return root * (point.products(inner) + decay * inner)

        return float(largest(point, "preconditioned", products, 1).values[0])


def make(number: int | None, config: TrainConfig) -> Edges:
    """It takes no number."""
    takes_no_number("edges", number)
    return Edges(config)
