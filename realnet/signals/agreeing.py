"""Do runs swing the same samples? Rank correlations of loadings against permuted samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from linmodel.errors import integer, refuse
from realnet.signals.permutations import within

Array = NDArray[np.float64]


def agreement(
    loadings: Sequence[Sequence[Array]], labels: NDArray, *, draws: int = 199, seed: int = 0
) -> tuple[Array, Array, Array]:
    """(R, R) largest |Spearman correlation| between any two signals of two runs, its p-value, and
    the mean of its null.

    loadings  of each run its signals' (N,), none where it has none: NaN there
    labels    (N,) of the samples, which all runs share
    |.|: a loading's sign is arbitrary. Null: the second run's samples dealt out anew inside each
    class, all its signals alike, the largest taken again; so neither the classes nor the number of
    signals can make runs agree. Raises InvalidInput: loadings of another length.
    """
    count, draws = len(labels), integer("draws", draws, low=19)
    if any(np.shape(one) != (count,) for own in loadings for one in own):
        refuse("loadings", [np.shape(one) for own in loadings for one in own], f"({count},) each")
    ranks = [np.array([_ranks(one) for one in own]).reshape(-1, count) for own in loadings]
    generator = np.random.default_rng(integer("seed", seed, low=0))
    order = np.concatenate(list(within(np.arange(count, dtype=float), labels, draws, generator)))
    dealt = order.astype(int)
    value, p, usual = np.full((3, len(loadings), len(loadings)), np.nan)
    for i, one in enumerate(ranks):
        for j, other in enumerate(ranks):
            if len(one) and len(other):
                value[i, j] = np.abs(one @ other.T).max()
                null = np.abs(one @ other[:, dealt].reshape(-1, count).T).max(axis=0)
                null = null.reshape(len(other), draws).max(axis=0)
                usual[i, j] = null.mean()
                p[i, j] = (1 + (null >= value[i, j]).sum()) / (1 + draws)
    return value, p, usual


def _ranks(values: Array) -> Array:
    """Ranks, centred, of unit norm: inner products are Spearman's correlations."""
    ranks = rankdata(values) - (len(values) + 1) / 2
    return ranks / max(float(np.linalg.norm(ranks)), np.finfo(float).tiny)
