"""Inner products of the groups' gradients along the same descent; the whole study in one call."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor, nn

from linmodel.arguments import typed
from linmodel.errors import integer, refuse
from realnet.curvature.objective import flatten, full_precision
from realnet.signals.evidence import Watcher, descent_step, observe
from realnet.signals.groups import FEWEST, OpposingPair, find_opposing_groups
from realnet.signals.numbers import measure
from realnet.training.losses import SampleLoss

FOLDS = 8


@dataclass(frozen=True)
class Study:
    """Evidence, the pairs found (perhaps none), and the numbers that measure them."""

    evidence: xr.Dataset
    pairs: list[OpposingPair]
    numbers: xr.Dataset


@typed
def study(
    model: nn.Module,
    sample_loss: SampleLoss,
    inputs: Tensor,
    labels: Tensor,
    *,
    step_size: float,
    seed: int = 0,
    chunk_size: int | None = None,
    **options: object,
) -> Study:
    """Observe, find, and measure. Options as `observe`; `model` is trained in place.

    Where pairs are found the descent is done a second time from the same start (without
    eigenvectors) for the cosine of the groups' mean gradients. Raises InvalidInput (see `observe`).
    """
    if labels.numel() < FEWEST:
        refuse("number of samples", labels.numel(), f"at least {FEWEST}")
    start = copy.deepcopy(model)
    evidence = observe(
        model,
        sample_loss,
        inputs,
        labels,
        step_size=step_size,
        seed=seed,
        chunk_size=chunk_size,
        **options,  # type: ignore[arg-type]
    )
    pairs = find_opposing_groups(evidence)
    watcher = Watcher(start, sample_loss, inputs, labels, chunk_size)
    grams = fold_grams(watcher, pairs, evidence, seed=seed) if pairs else []
    return Study(evidence, pairs, measure(evidence, pairs, grams, seed=seed))


@typed
def fold_grams(
    watcher: Watcher, pairs: Sequence[OpposingPair], evidence: xr.Dataset, *, seed: int = 0
) -> list[xr.Dataset]:
    """For each pair: inner products of the mean gradients of up to 8 random folds of each side.

    `watcher` holds the model at the start of `evidence`'s run; it is trained again, in place.
    Dataset: gram (checkpoint, fold, other), fold_side (+1, -1), fold_size.
    """
    generator = np.random.default_rng(integer("seed", seed, low=0))
    folds = [_folds(pair, generator) for pair in pairs]
    steps = [int(step) for step in evidence.checkpoint_step]
    found: list[list[NDArray]] = [[] for _ in pairs]
    for step in range(steps[-1] + 1):
        if step in steps:
            for own, (members, _) in zip(found, folds, strict=True):
                own.append(_gram(watcher, members))
        if step < steps[-1]:
            descent_step(watcher, float(evidence.attrs["step_size"]))
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


def _gram(watcher: Watcher, folds: list[NDArray[np.int64]]) -> NDArray[np.float64]:
    gradients = torch.stack([group_gradient(watcher, chosen) for chosen in folds]).double()
    return (gradients @ gradients.T).cpu().numpy()


@typed
def group_gradient(watcher: Watcher, chosen: NDArray[np.int64]) -> Tensor:
    """Gradient (n,) of the mean loss of the samples `chosen` (tokens, for text)."""
    tokens = watcher.labels[0].numel()
    rows = np.unique(chosen // tokens)
    place = torch.as_tensor(np.searchsorted(rows, chosen // tokens) * tokens + chosen % tokens)
    index = torch.as_tensor(rows, device=watcher.inputs.device)
    with full_precision(watcher.objective.device), torch.enable_grad():
        outputs = watcher.model(watcher.inputs[index])
        losses = watcher.sample_loss(outputs, watcher.labels[index]).reshape(-1)
        mean = losses[place.to(losses.device)].mean()
        parts = torch.autograd.grad(mean, watcher.objective.params, materialize_grads=True)
    return flatten(parts)
