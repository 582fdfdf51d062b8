"""Permutation tests for weighted groups of samples, and Holm's correction over many tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
CHUNK = 256  # permutations held at a time


class Tested(NamedTuple):
    """A statistic, how many standard deviations of its null above the null's mean, and its p."""

    value: float
    z: float
    p: float


def against(value: float, null: Array) -> Tested:
    """`value` against draws of its null: p = (1 + draws as large) / (1 + draws)."""
    spread = float(null.std())
    z = (value - float(null.mean())) / spread if spread > 0 else 0.0
    return Tested(value, z, float((1 + (null >= value).sum()) / (1 + len(null))))


def within(
    values: Array, labels: NDArray, count: int, generator: np.random.Generator
) -> Iterator[Array]:
    """Arrays (<= 256, N), `count` rows in all: `values` dealt out anew inside each label."""
    groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    for begin in range(0, count, CHUNK):
        rows = min(CHUNK, count - begin)
        found = np.empty((rows, len(labels)))
        for group in groups:
            found[:, group] = generator.permuted(np.tile(values[group], (rows, 1)), axis=1)
        yield found


def alike(
    plus: Array, minus: Array, features: Array, labels: NDArray, draws: int, seed: int
) -> Tested:
    """One feature: are the two sides off the mean in the same way, more than their classes are?

    plus, minus (N,): weights that sum to 1; features (N, d), standardised. The statistic is
    m_plus.m_minus, m = sum_i weight_i features_i. Null: weights dealt out anew among the samples of
    each class, so that classes that look alike do not count.
    """
    generator = np.random.default_rng(seed)
    null = [
        np.einsum("rd,rd->r", np.maximum(dealt, 0) @ features, np.maximum(-dealt, 0) @ features)
        for dealt in within(plus - minus, labels, draws, generator)
    ]
    return against(float((plus @ features) @ (minus @ features)), np.concatenate(null))


def two_targets(plus: Array, minus: Array, labels: NDArray, draws: int, seed: int) -> Tested:
    """Two targets: do the sides' labels differ? 1/2 sum_c |share_plus(c) - share_minus(c)|.

    Null: the labels of the weighted samples dealt out anew among them.
    """
    generator = np.random.default_rng(seed)
    own = np.flatnonzero(plus + minus)
    kinds = (labels[own, None] == np.unique(labels)).astype(float)
    apart = (plus - minus)[own]
    null = [np.abs(generator.permutation(apart) @ kinds).sum() / 2 for _ in range(draws)]
    return against(float(np.abs(apart @ kinds).sum() / 2), np.array(null))


def tied(scores: Array, labels: NDArray, draws: int, seed: int) -> Tested:
    """Tied to the labels: the share of the scores' variance that lies between the classes.

    scores (n,), labels (n,). Null: the labels dealt out at random.
    """
    generator = np.random.default_rng(seed)
    centred = scores - scores.mean()
    kinds = (labels[:, None] == np.unique(labels)).astype(float)
    total = max(float(centred @ centred), np.finfo(float).tiny)

    def between(rows: Array) -> Array:
        return ((rows @ kinds) ** 2 / kinds.sum(axis=0)).sum(axis=-1) / total

    everybody = np.zeros(len(labels))
    null = [between(dealt) for dealt in within(centred, everybody, draws, generator)]
    return against(float(between(centred)), np.concatenate(null))


def differences(
    members: NDArray, features: Array, draws: int, generator: np.random.Generator
) -> tuple[Array, Array]:
    """Mean of `members` in each standardised column, and its two-sided p against random members."""
    value = features[members].mean(axis=0)
    count = len(features)
    null = np.stack(
        [
            features[generator.choice(count, len(members), replace=False)].mean(axis=0)
            for _ in range(draws)
        ]
    )
    return value, (1 + (np.abs(null) >= np.abs(value)).sum(axis=0)) / (1 + draws)


def holm(p: Array) -> Array:
    """Holm's adjusted p-values of all tests of an array together; NaN: no test, stays NaN."""
    table = np.asarray(p, dtype=float)
    known = table[np.isfinite(table)]
    order = np.argsort(known)
    steps = np.maximum.accumulate(known[order] * (len(known) - np.arange(len(known))))
    known[order] = np.minimum(1.0, steps)
    adjusted = np.full(table.shape, np.nan)
    adjusted[np.isfinite(table)] = known
    return adjusted
