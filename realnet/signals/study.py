"""From evidence to the groups and the numbers that measure them, in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import xarray as xr
from torch import nn

from linmodel.arguments import typed
from linmodel.errors import integer, real, refuse
from realnet.config import TrainConfig
from realnet.signals.evidence import Evidence, checkpoint_steps
from realnet.signals.given import as_task
from realnet.signals.gradients import fold_grams
from realnet.signals.groups import FEWEST, OpposingPair, find_opposing_groups
from realnet.signals.numbers import measure
from realnet.signals.together import meeting
from realnet.training.run import Run

Report = Callable[[int, str], None]


@dataclass(frozen=True)
class Study:
    """Evidence, the pairs found (perhaps none), and the numbers that measure them."""

    evidence: xr.Dataset
    pairs: list[OpposingPair]
    numbers: xr.Dataset


@typed
def study(evidence: Evidence, *, seed: int = 0) -> Study:
    """Find the groups in what was recorded, and measure them. The model is left as it is.

    Raises InvalidInput: nothing recorded, fewer than 27 samples.
    """
    data = evidence.dataset()
    pairs = find_opposing_groups(data)
    return Study(data, pairs, measure(data, pairs, fold_grams(evidence, pairs, seed=seed)))


def observe(
    model: nn.Module,
    loss: Callable,
    inputs: Any,
    labels: Any = None,
    *,
    step_size: float,
    steps: int = 200,
    directions: int = 4,
    checkpoints: int | Sequence[int] = 12,
    tolerance: float = 1e-2,
    chunk_size: int | None = None,
    seed: int = 0,
    report: Report | None = None,
) -> Evidence:
    """Train `model` in place by full-batch gradient descent (a `Run`) and record the evidence.

    loss, inputs, labels  as they are (see `given.as_task`)
    directions   number k of top Hessian eigenvectors at each checkpoint
    checkpoints  their number (spaced quadratically) or the steps themselves
    A run that diverges stops there: attribute `status` of the Dataset is "diverged" and what was
    recorded before is kept. With batch norm in training mode a run takes the batch's statistics.
    Raises InvalidInput: bad numbers; a model without parameters, in half precision, or with dropout
    in training mode; NaN loss at the start.
    """
    config = TrainConfig(
        data="digits",  # not used: the task is given
        step_size=real("step_size", step_size, above=0),
        steps=integer("steps", steps, low=1),
        every=integer("steps", steps, low=1),
        eigenvalues=integer("directions", directions, low=1),
        tolerance=tolerance,
        seed=integer("seed", seed, low=0),
        norm="batch" if isinstance(model, nn.Module) and meeting(model) else "none",
    )
    chosen = checkpoints
    if isinstance(checkpoints, int):
        count = integer("checkpoints", checkpoints, low=1)
        chosen = checkpoint_steps(steps, count).tolist()
    evidence = Evidence(
        directions=directions, checkpoints=chosen, step_size=step_size, tolerance=tolerance,
        seed=seed,
    )  # fmt: skip
    task = as_task(model, loss, inputs, labels, chunk_size)
    if task.labels.numel() < FEWEST:
        refuse("number of samples", task.labels.numel(), f"at least {FEWEST}")
    evidence.follow(Run.on(task, config, [evidence]), report)
    return evidence
