"""Inner products of the groups' gradients at the points that evidence keeps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor

from linmodel.errors import integer
from realnet.curvature.objective import flatten, full_precision
from realnet.signals.evidence import Evidence
from realnet.signals.groups import OpposingPair
from realnet.signals.together import check_whole, statistics_kept
from realnet.training.task import Task

FOLDS = 8


def fold_grams(
    evidence: Evidence, pairs: Sequence[OpposingPair], *, seed: int = 0
) -> list[xr.Dataset]:
    """For each pair: inner products of the mean gradients of up to 8 random folds of each side.

    Dataset: gram (checkpoint, fold, other), fold_side (+1, -1), fold_size. The model's parameters
    are put back.
    """
    generator = np.random.default_rng(integer("seed", seed, low=0))
    folds = [_folds(pair, generator) for pair in pairs]
    found: list[list[NDArray]] = [[] for _ in pairs]
    task = evidence.task
    assert task is not None
    now = flatten(task.whole.params)
    for point in evidence.points if pairs else ():
        task.whole.write(point.to(task.device))
        for own, (members, _) in zip(found, folds, strict=True):
            own.append(_gram(task, members))
    task.whole.write(now)
    return [
        xr.Dataset(
            {
                "gram": (("checkpoint", "fold", "other"), np.stack(own)),
                "fold_side": ("fold", side),
                "fold_size": ("fold", [len(chosen) for chosen in members]),
            }
        )
        for own, (members, side) in zip(found, folds, strict=True)
    ]


def _folds(
    pair: OpposingPair, generator: np.random.Generator
) -> tuple[list[NDArray[np.int64]], list[int]]:
    members: list[NDArray[np.int64]] = []
    side: list[int] = []
    for sign, group in ((1, pair.plus), (-1, pair.minus)):
        parts = np.array_split(generator.permutation(group), min(FOLDS, len(group)))
        members += parts
        side += [sign] * len(parts)
    return members, side


def _gram(task: Task, folds: list[NDArray[np.int64]]) -> NDArray[np.float64]:
    gradients = torch.stack([group_gradient(task, chosen) for chosen in folds]).double()
    return (gradients @ gradients.T).cpu().numpy()


def group_gradient(task: Task, chosen: NDArray[np.int64]) -> Tensor:
    """Gradient (n,) of the mean loss of the samples `chosen` (tokens, for text).

    Where samples meet (`realnet.signals.together`) the whole batch goes through the network.
    """
    tokens = task.labels[0].numel()
    rows = np.arange(len(task.labels)) if check_whole(task) else np.unique(chosen // tokens)
    place = torch.as_tensor(np.searchsorted(rows, chosen // tokens) * tokens + chosen % tokens)
    index = torch.as_tensor(rows, device=task.device)
    with full_precision(task.device), torch.enable_grad(), statistics_kept(task.model):
        losses = task.flat_losses(task.inputs[index], task.labels[index])
        mean = losses[place.to(losses.device)].mean()
        parts = torch.autograd.grad(mean, task.whole.params, materialize_grads=True)
    return flatten(parts)
