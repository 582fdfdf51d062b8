"""S11: two groups' losses swing against each other. One definition; no torch.

The number alone says little: where one direction dominates, any two random groups of a few dozen
samples swing together or against each other nearly perfectly. `realnet.signals.chance` sets it
beside random groups of the same sizes and classes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import spearmanr

Array = NDArray[np.float64]


def swings(first: ArrayLike, second: ArrayLike, common: ArrayLike = 0.0) -> Array:
    """Second differences over the steps of two mean losses (steps,), less `common`; (2, steps - 2).

    Second differences keep what alternates from step to step and drop the common trend of learning.
    """
    both = [np.asarray(each, dtype=float) - np.asarray(common) for each in (first, second)]
    return np.diff(np.stack(both), n=2)


def antiphase(first: ArrayLike, second: ArrayLike, common: ArrayLike = 0.0) -> float:
    """Rank correlation over the steps of the two groups' `swings`; -1: perfect antiphase.

    first, second  mean losses of the groups, one a step; common: that of all other samples, if it
    is known. NaN with fewer than 5 steps, where one does not move, and where one is not finite.
    """
    return rank_correlation(swings(first, second, common))


def rank_correlation(both: Array) -> float:
    """Spearman's correlation of two rows; NaN if one is constant, not finite, or under 3 long."""
    if both.shape[1] < 3 or not np.isfinite(both).all() or (np.ptp(both, axis=1) == 0).any():
        return float("nan")
    return float(spearmanr(*both).statistic)
