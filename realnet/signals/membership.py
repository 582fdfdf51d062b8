"""Loadings put together into signals; their sides, members, and what others like them do."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from realnet.signals.loadings import Array, Loading

SAME = 0.7  # loadings of two windows that correlate so much are one signal
HALF = 0.5  # share of a side's energy that its members hold


def together(found: list[Loading]) -> list[list[Loading]]:
    """Loadings that correlate with a leader, the largest energy share first."""
    left = sorted(found, key=lambda loading: -loading.energy)
    groups = []
    while left:
        leader = left[0].values
        own = [one for one in left if abs(one.values @ leader) >= SAME]
        left = [one for one in left if abs(one.values @ leader) < SAME]
        groups.append(own)
    return groups


def averaged(group: list[Loading]) -> Array:
    """(N,) unit length: the mean of the loadings, each with the sign of the first."""
    leader = group[0].values
    total = np.sum([np.sign(one.values @ leader) * one.values for one in group], axis=0)
    return total / np.linalg.norm(total)


def weighed(values: Array) -> tuple[Array, Array]:
    """Shares (N,), (N,) of the plus and the minus side's energy; each sums to 1."""
    square = values**2
    plus, minus = square * (values > 0), square * (values < 0)
    return plus / plus.sum(), minus / minus.sum()


def members_of(weights: Array) -> NDArray[np.int64]:
    """The samples of largest weight that hold half of the sum, largest first."""
    order = np.argsort(-weights, kind="stable")
    return order[: int(np.searchsorted(np.cumsum(weights[order]), HALF)) + 1]


def matched_cells(evidence: xr.Dataset, step: int) -> NDArray[np.int64]:
    """(N,) the same number for samples of one class and one third of the losses at `step`."""
    loss = evidence.loss.values[step]
    thirds = np.searchsorted(np.quantile(loss, [1 / 3, 2 / 3]), loss)
    return thirds * (int(evidence.label.max()) + 1) + evidence.label.values


def dominance(square: Array, cell: NDArray, members: NDArray) -> float:
    """Members' mean squared loading over that of others in the same cells."""
    others = np.ones(len(square), dtype=bool)
    others[members] = False
    matched = [square[others & (cell == own)] for own in cell[members]]
    usual = [other.mean() if len(other) else square[others].mean() for other in matched]
    return float(square[members].mean() / np.mean(usual))
