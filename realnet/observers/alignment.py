"""The parameters' norm and the gradient's share along the top eigenvector, at evaluations."""

from __future__ import annotations

from typing import ClassVar

from realnet.config import TrainConfig
from realnet.observers import takes_no_number
from realnet.training.observing import Moment, Rows


class Alignment(Rows):
    """weight_norm and along_share."""

    name = "alignment"
    about: ClassVar[dict[str, str]] = {
        "weight_norm": "norm of the parameters",
        "along_share": "(g.v)^2 / |g|^2: share of the gradient along the top eigenvector v",
    }

    def before(self, moment: Moment) -> None:
        """Measure, at evaluations."""
        if moment.curvature is None:
            return
        gradient = moment.curvature.gradient.double()
        along = float(gradient @ moment.curvature.vectors[0].double())
        share = along**2 / max(float(gradient.square().sum()), 1e-300)
        self.append({"weight_norm": float(moment.point.norm()), "along_share": share})


def make(number: int | None, _config: TrainConfig) -> Alignment:
    """Takes no number."""
    takes_no_number("alignment", number)
    return Alignment()
