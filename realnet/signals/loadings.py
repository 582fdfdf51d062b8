"""Loadings: who swings, and how far, while descent oscillates at the edge of stability.

At the edge, steps alternate along the top eigenvector u, so that sample i's loss alternates by an
amount proportional to its slope g_i.u. In the steps around a look at the Hessian, the matrix of the
losses' half second differences (steps x samples, each step's mean taken off) is then nearly
course x loading: second differences keep what alternates and drop the common trend of learning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from linmodel.errors import refuse
from realnet.signals.layout import record_index

Array = NDArray[np.float64]
NEAR = 0.8  # of 2/eta: the alternation itself says the rest
AROUND = 5  # steps on either side of a look: longer, and the top eigenvectors turn away
SHORTEST = 6  # steps of a window, to see an alternation
ALTERNATING = 0.8  # least share of steps at which the course changes sign
CONFIRMED = 0.6  # least correlation of loadings with slopes along the top eigenvectors
RANKS = 2  # singular pairs tried in each window
SHUFFLES = 20  # of the null of the energy share
EVERY_STEP = 1e-6  # relative: rounding of the time axis


@dataclass(frozen=True)
class Loading:
    """One signal in one window of steps.

    look        index of the checkpoint; begin, end: first and last record of the window
    values      (N,) unit vector of mean 0: sample i's swing is course x values[i]
    energy      share of the swings' energy that the pair explains (after the pairs before it)
    null        the largest share in 20 shuffles of each step's swings over the samples
    slopes      correlation of values with their best fit by the slopes along the top eigenvectors
    halves      |correlation| of the loadings of the even and of the odd steps alone
    by_step     (T, 2) energy of each step's swings that the pair explains, and all of it
    """

    look: int
    begin: int
    end: int
    values: Array
    energy: float
    null: float
    slopes: float
    halves: float
    by_step: Array


def swing_matrix(losses: Array) -> Array:
    """Half second differences over the steps (T, N) -> (T - 2, N), each step's mean taken off."""
    swings = np.diff(losses.astype(np.float64), axis=0, n=2) / 2
    return swings - swings.mean(axis=1, keepdims=True)


def windows_at_edge(evidence: xr.Dataset) -> list[tuple[int, int, int]]:
    """(begin, end, index of the look) of the windows of records around looks at the edge.

    At the edge: eta lambda_max >= 0.8 x 2. Five steps on either side, at least 6 in all.
    Raises InvalidInput where there is none: far from the edge nothing oscillates, and sides taken
    from what is left say nothing; and where losses were not recorded at every step.
    """
    eta = float(evidence.attrs["step_size"])
    spacing = np.diff(evidence.time.values) / eta
    if np.abs(spacing - 1).max(initial=0.0) > EVERY_STEP:
        refuse("steps between records", f"{spacing.max():.3g}", "1: losses at every step")
    near = evidence.eigenvalue.values[:, 0] * eta / 2
    last = evidence.sizes["time"] - 1
    found = []
    for look, record in enumerate(record_index(evidence).tolist()):
        begin, end = max(record - AROUND, 0), min(record + AROUND, last)
        if near[look] >= NEAR and end - begin >= SHORTEST:
            found.append((begin, end, look))
    if not found:
        refuse(
            "evidence, sharpness / (2/eta) at most",
            f"{near.max():.2f}",
            f"at least {NEAR} at some look at the Hessian, and {SHORTEST} steps around it",
            "Take more steps, or a larger step size.",
        )
    return found


def loadings(evidence: xr.Dataset, seed: int = 0) -> list[Loading]:
    """All confirmed loadings of the windows at the edge, at most two a window.

    Kept: the course changes sign at 4 of 5 steps, the energy share exceeds its null, and the
    loadings correlate >= 0.6 with the slopes along the top eigenvectors (their best fit: where
    eigenvalues are close, in their span). Raises InvalidInput (see `windows_at_edge`).
    """
    generator = np.random.default_rng(seed)
    return [
        loading
        for begin, end, look in windows_at_edge(evidence)
        for loading in _in_window(evidence, begin, end, look, generator)
    ]


def _in_window(
    evidence: xr.Dataset, begin: int, end: int, look: int, generator: np.random.Generator
) -> Iterator[Loading]:
    swings = swing_matrix(evidence.loss.values[begin : end + 1])
    left = swings
    for _ in range(RANKS):
        course, size, rows = np.linalg.svd(left, full_matrices=False)
        energy = size[0] ** 2 / max((size**2).sum(), np.finfo(float).tiny)
        values = rows[0]
        signs = np.sign(course[:, 0])
        alternates = (signs[1:] * signs[:-1] < 0).mean() >= ALTERNATING
        slopes = _fit(values, evidence.slope.values[look])
        null = _energy_null(left, generator)
        if alternates and slopes >= CONFIRMED and energy > null:
            halves = abs(_leading(swings[::2]) @ _leading(swings[1::2]))
            steps = np.column_stack([(left @ values) ** 2, (left**2).sum(axis=1)])
            yield Loading(
                look, begin, end, values, float(energy), null, slopes, float(halves), steps
            )
        left = left - size[0] * np.outer(course[:, 0], rows[0])


def _fit(values: Array, slopes: Array) -> float:
    """Correlation of `values` (N,) with their least-squares fit by the rows of `slopes` (k, N)."""
    centred = slopes - slopes.mean(axis=1, keepdims=True)
    weights = np.linalg.lstsq(centred.T, values - values.mean(), rcond=None)[0]
    fitted = weights @ centred
    size = np.linalg.norm(fitted) * np.linalg.norm(values - values.mean())
    return float(fitted @ values / size) if size > 0 else 0.0


def _leading(swings: Array) -> Array:
    return np.linalg.svd(swings, full_matrices=False)[2][0]


def _energy_null(swings: Array, generator: np.random.Generator) -> float:
    """The largest leading energy share where each step's swings are dealt out anew."""
    total = max((swings**2).sum(), np.finfo(float).tiny)
    shares = []
    for _ in range(SHUFFLES):
        shuffled = generator.permuted(swings, axis=1)
        shares.append(np.linalg.eigvalsh(shuffled @ shuffled.T)[-1] / total)
    return float(max(shares))
