"""What a user gives, made into what is looked at: losses of single samples, tensors, a task."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import vmap
from torch.utils.data import TensorDataset

from linmodel.errors import InvalidInput, refuse
from realnet.curvature.objective import full_precision
from realnet.signals.together import statistics_kept
from realnet.training.losses import SampleLoss
from realnet.training.task import Task

TRIED = 16  # samples that a loss is tried on
SAME = 1e-4  # relative: the mean of single samples' losses against the loss given, in float32


def as_task(
    model: nn.Module, loss: Callable, inputs: Any, labels: Any = None, chunk_size: int | None = None
) -> Task:
    """A task of a model, a loss and data as they are given.

    loss    (outputs, labels) -> losses of single samples, or their mean (see `as_sample_loss`)
    inputs, labels  tensors, numpy arrays, or a TensorDataset of two tensors as `inputs`
    Raises InvalidInput, each in one sentence: other kinds of data or loss, labels out of range,
    losses that are not finite.
    """
    if not isinstance(model, nn.Module):
        refuse("model", type(model).__name__, "a torch module")
    x, y = as_tensors(model, inputs, labels)
    if len(x) != len(y) or len(x) < 2:
        refuse("inputs and labels", (len(x), len(y)), "equally many, at least 2")
    task = Task(model, as_sample_loss(loss, model, x, y), x, y, chunk_size)
    found = _tried(lambda: task.losses(), y)
    if not bool(torch.isfinite(found).all()):
        refuse("loss at the start", float(found.mean()), "finite losses of all samples")
    return task


def as_tensors(model: nn.Module, inputs: Any, labels: Any = None) -> tuple[Tensor, Tensor]:
    """Inputs and labels on the model's device; floating-point ones in its dtype."""
    if labels is None and isinstance(inputs, TensorDataset) and len(inputs.tensors) == 2:
        inputs, labels = inputs.tensors
    parameter = next(model.parameters(), None)
    if parameter is None:
        raise InvalidInput("the model has no parameters: there is nothing to look at.")
    found = []
    for name, given in (("inputs", inputs), ("labels", labels)):
        if not isinstance(given, Tensor | np.ndarray):
            allowed = "a tensor or a numpy array (or a TensorDataset of two tensors as inputs)"
            refuse(name, type(given).__name__, allowed, "Stack a loader's batches first.")
        if isinstance(given, np.ndarray) and given.dtype.kind not in "fiub":
            refuse(f"{name}' dtype", str(given.dtype), "numbers")
        values = torch.as_tensor(given)
        kind = parameter.dtype if values.is_floating_point() else torch.int64
        found.append(values.to(parameter.device, kind))
    return found[0], found[1]


def as_sample_loss(loss: Callable, model: nn.Module, inputs: Tensor, labels: Tensor) -> SampleLoss:
    """Losses of single samples from a loss as it is given.

    One that returns a loss for each label is taken as it is; one that returns a mean is taken
    apart: a torch loss by reduction="none", any other sample by sample (vmap). The mean over the
    samples must then be the loss given: class weights, sums, losses that mix samples are refused.
    """
    if not callable(loss):
        refuse("loss", type(loss).__name__, "a function of (outputs, labels)")
    with torch.no_grad(), full_precision(inputs.device), statistics_kept(model):
        outputs = model(inputs[:TRIED])
        y = labels[:TRIED]
        whole = _tried(lambda: loss(outputs, y), labels)
        if isinstance(whole, Tensor) and whole.numel() == y.numel() > 1:
            return loss
        if not isinstance(whole, Tensor) or whole.numel() != 1:
            said = tuple(whole.shape) if isinstance(whole, Tensor) else type(whole).__name__
            refuse("loss' result", said, "one number, the mean, or one loss for each label")
        single = _parted(loss)
        try:
            mean = float(single(outputs, y).mean())
        except (RuntimeError, ValueError, TypeError) as error:
            raise InvalidInput(
                "the loss cannot be taken apart into losses of single samples "
                f"({str(error).splitlines()[0]}): pass one that returns a loss for each sample."
            ) from error
    if not abs(mean - float(whole)) <= SAME * max(abs(float(whole)), 1e-30):
        refuse(
            "loss", f"{float(whole):.6g} where single samples' losses have mean {mean:.6g}",
            "the mean over samples of single samples' losses (no sum, no class weights)",
        )  # fmt: skip
    return single


def _parted(loss: Callable) -> SampleLoss:
    if getattr(loss, "reduction", None) in ("mean", "sum"):
        none = copy.copy(loss)
        none.reduction = "none"  # type: ignore[attr-defined]

        def from_module(outputs: Tensor, labels: Tensor) -> Tensor:
            return none(outputs, labels).reshape(len(outputs), -1).mean(-1)

        return from_module

    def one(output: Tensor, label: Tensor) -> Tensor:
        return loss(output.unsqueeze(0), label.unsqueeze(0)).reshape(())

    return vmap(one)


def _tried(function: Callable, labels: Tensor) -> Any:
    try:
        return function()
    except (IndexError, RuntimeError) as error:
        if "out of bounds" not in str(error) and "device-side assert" not in str(error):
            raise
        span = f"{int(labels.min())} to {int(labels.max())}"
        refuse("labels", span, "0 to the number of outputs less 1", str(error))
