"""What a run itself keeps: the loss of every step, where it diverged; made into a Dataset."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field

import numpy as np
import xarray as xr

from linmodel import store
from realnet.config import TrainConfig
from realnet.training.task import Task
from realnet.training.torch_steps import threshold

# Optimisers whose threshold of the sharpness is a factor over the step size: an attribute says it.
CONSTANT = ("gd", "momentum", "nesterov")


@dataclass
class Records:
    """Time and loss of every step, and where the run diverged, if it did."""

    step_times: list[float] = field(default_factory=list)
    step_losses: list[float] = field(default_factory=list)
    diverged_step: int | None = None

    def state(self) -> dict:
        """Plain lists and numbers for the checkpoint."""
        return asdict(self)

    def dataset(self, config: TrainConfig, task: Task, finished: bool) -> xr.Dataset:
        """step_loss on `step_time`, and all attributes of curves.nc; observers add the rest."""
        times = np.array(self.step_times, dtype=float)
        curves = xr.Dataset(coords={"step_time": times})
        curves["step_time"].attrs = {"units": "step size x step", "long_name": "time"}
        kind = {"units": "1", "long_name": "loss of the step's own batch, before the step"}
        curves["step_loss"] = ("step_time", np.array(self.step_losses, dtype=float), kind)
        curves.attrs = self._attributes(config, task, finished)
        return curves

    def _attributes(self, config: TrainConfig, task: Task, finished: bool) -> dict:
        status = "completed" if finished else "unfinished"
        found: dict[str, object] = {
            "step_size": config.step_size,
            "two_over_eta": 2.0 / config.step_size,
            "loss_definition": task.definition,
            "device": task.device.type,
            "status": status if self.diverged_step is None else "diverged",
        }
        if config.optimiser in CONSTANT:
            level = threshold(config, config.step_size, math.nan)
            if level > 0:  # a weight decay beyond it leaves none
                found["threshold"] = level
        if self.diverged_step is not None:
            found["diverged_step"] = self.diverged_step
        return found | dict(store.provenance(**config.as_dict(), data_provenance=task.provenance))
