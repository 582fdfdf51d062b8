"""Sharpness of each layer's own block of the Hessian, at evaluations."""

from __future__ import annotations

import json
from typing import ClassVar

import xarray as xr

from realnet.config import TrainConfig
from realnet.curvature.parts import layer_sharpness
from realnet.observers import takes_no_number
from realnet.training.observing import Moment, Rows

TOLERANCE = 1e-2


class Layers(Rows):
    """block_sharpness on (time, layer); attribute `layers` names them."""

    name = "layers"
    about: ClassVar[dict[str, str]] = {
        "block_sharpness": "top eigenvalue of the Hessian's block of one layer"
    }

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed = seed
        self.layers: list[str] = []

    def before(self, moment: Moment) -> None:
        """Measure, at evaluations."""
        if moment.curvature is None:
            return
        whole = moment.task.whole
        found = layer_sharpness(
            whole.loss_fn, moment.task.model, chunks=whole.chunks, tolerance=TOLERANCE,
            seed=self.seed,
        )  # fmt: skip
        self.layers = [name or "whole" for name in found]
        self.append({"block_sharpness": [block.sharpness for block in found.values()]})

    def state(self) -> dict:
        """The rows, and the layers' names."""
        return super().state() | {"layers": self.layers}

    def restore(self, state: dict) -> None:
        """Go on from `state()`."""
        super().restore(state)
        self.layers = state["layers"]

    def add_to(self, curves: xr.Dataset) -> xr.Dataset:
        """The rows, and the layers' names as JSON."""
        return super().add_to(curves).assign_attrs(layers=json.dumps(self.layers))


def make(number: int | None, config: TrainConfig) -> Layers:
    """Takes no number."""
    takes_no_number("layers", number)
    return Layers(config.seed)
