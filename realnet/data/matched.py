"""Samples to leave out in place of others: like them in class or in a number, or the largest.

Each choice is made member by member, so that those for the first k members are the first k of the
choice for all: doses are nested. Needs no torch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linmodel.errors import refuse

NEAREST = 3  # of these many closest values one is drawn
Indices = NDArray[np.int64]


def matched_by_class(members: ArrayLike, labels: ArrayLike, seed: int) -> Indices:
    """For each of `members` another sample of its class that is no member, drawn at random.

    labels (N,) of all samples. A class that has no more gives one of any class. Raises InvalidInput
    where fewer than half of the samples are others.
    """
    kinds = np.asarray(labels)

    def alike(one: int, free: Indices) -> Indices:
        same = free[kinds[free] == kinds[one]]
        return same if len(same) else free

    return _matched(members, len(kinds), seed, alike)


def matched_by_value(members: ArrayLike, values: ArrayLike, seed: int) -> Indices:
    """For each of `members` one of the three others of closest value, drawn at random.

    values (N,) of all samples. Raises InvalidInput as `matched_by_class`.
    """
    numbers = np.asarray(values, dtype=float)

    def close(one: int, free: Indices) -> Indices:
        return free[np.argsort(np.abs(numbers[free] - numbers[one]), kind="stable")[:NEAREST]]

    return _matched(members, len(numbers), seed, close)


def largest(values: ArrayLike, count: int) -> Indices:
    """The `count` samples of largest value, the largest first."""
    return np.argsort(-np.asarray(values, dtype=float), kind="stable")[:count]


def _matched(members: ArrayLike, total: int, seed: int, candidates) -> Indices:
    chosen = np.asarray(members, dtype=np.int64)
    if 2 * len(chosen) > total:
        refuse("members", f"{len(chosen)} of {total}", "at most half of the samples")
    generator = np.random.default_rng([seed, 4])
    free = np.ones(total, dtype=bool)
    free[chosen] = False
    found = []
    for one in chosen:
        other = int(generator.choice(candidates(int(one), np.flatnonzero(free))))
        free[other] = False
        found.append(other)
    return np.array(found, dtype=np.int64)
