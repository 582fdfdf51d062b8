"""Norm of the penultimate features of images of one colour, over the training images' mean norm."""

from __future__ import annotations

import itertools
from typing import ClassVar

import torch
from torch import Tensor

from linmodel.errors import refuse
from realnet.config import TrainConfig
from realnet.observers import takes_no_number
from realnet.signals.penultimate import last_linear
from realnet.training.observing import Moment, Rows
from realnet.training.task import Task

CORNERS = ("black", "blue", "green", "cyan", "red", "magenta", "yellow", "white")
LEVELS = dict(zip(CORNERS, itertools.product((0.0, 1.0), repeat=3), strict=True))
LEVELS["sky"] = (0.53, 0.81, 0.92)
COLOURS = tuple(LEVELS)


class Colours(Rows):
    """colour_norm on (time, colour), the colours in the order of COLOURS."""

    name = "colours"
    about: ClassVar[dict[str, str]] = {
        "colour_norm": "feature norm of images of one colour over the training images' mean"
    }

    def before(self, moment: Moment) -> None:
        """Measure, at evaluations, in evaluation mode. Raises InvalidInput: not in colour."""
        if moment.curvature is None:
            return
        task = moment.task
        own = _norms(task, _coloured(task))
        self.append({"colour_norm": (own / _norms(task, task.inputs).mean()).tolist()})


def _coloured(task: Task) -> Tensor:
    """One image of each colour as the network sees it: (9, 3, H, W), standardised."""
    given = task.provenance
    if task.inputs.ndim != 4 or task.inputs.shape[1] != 3 or "mean" not in given:
        refuse("inputs", tuple(task.inputs.shape), "images in colour whose mean and sd are known")
    levels = torch.tensor(list(LEVELS.values()))
    mean, sd = (torch.tensor(given[key]).reshape(-1).float() for key in ("mean", "sd"))
    colours = ((levels - mean) / sd)[:, :, None, None].expand(-1, -1, *task.inputs.shape[2:])
    return colours.to(task.inputs)


def _norms(task: Task, inputs: Tensor) -> Tensor:
    seen: list[Tensor] = []
    module = last_linear(task.model)
    if module is None:
        refuse("model", "without a linear layer", "one whose last linear layer takes the features")
    hook = module.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    try:
        with task.still():
            task.model(inputs)
    finally:
        hook.remove()
    return seen[0].reshape(len(inputs), -1).norm(dim=1).cpu()


def make(number: int | None, config: TrainConfig) -> Colours:
    """Takes no number."""
    takes_no_number("colours", number)
    return Colours()
