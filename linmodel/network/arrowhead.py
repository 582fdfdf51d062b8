"""Top eigenvalue of symmetric arrowhead matrices: a corner, a border, a diagonal; batched."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize.elementwise import find_root

from linmodel.arguments import typed
from linmodel.problem import Array


@typed
def top_eigenvalue(corner: ArrayLike, border: ArrayLike, diagonal: ArrayLike) -> Array:
    """lambda_max of [[corner, border^T], [border, diag(diagonal)]]: (...), (..., m), (..., m).

    The largest root of x = corner + sum_i border_i^2 / (x - diagonal_i) above max diagonal, sought
    as a distance from the largest diagonal entry: O(m) a step, no dense matrix.
    """
    border = np.asarray(border, dtype=float)
    diagonal = np.broadcast_to(np.asarray(diagonal, dtype=float), border.shape)
    highest = diagonal.max(axis=-1)
    gap = (highest[..., None] - diagonal).reshape(-1, border.shape[-1])
    height = np.broadcast_to(np.asarray(corner, dtype=float), highest.shape) - highest
    square = border.reshape(gap.shape) ** 2
    return highest + _distance(height.ravel(), square, gap).reshape(highest.shape)


def _distance(height: Array, square: Array, gap: Array) -> Array:
    """Largest y >= 0 with y = height + sum_i square_i / (y + gap_i); 0 where there is none."""

    def excess(y: Array, row: NDArray[np.integer]) -> Array:
        own, below = square[row], y[..., None] + gap[row]
        # y = gap = 0: only where the quadratic's root has underflowed, and the term with it.
        share = np.divide(own, below, out=np.zeros_like(own), where=below > 0)
        return y - height[row] - share.sum(axis=-1)

    # Below: the terms of gap 0 alone, a quadratic. Above: all of them at gap 0.
    low, high = _quadratic(height, (square * (gap == 0)).sum(axis=-1)), np.maximum(height, 0.0)
    high = high + np.sqrt(square.sum(axis=-1))
    rows = np.arange(height.size)
    found = find_root(excess, (low, high), args=(rows,)).x
    # Where the ends coincide but for rounding, either is the root.
    return np.where(excess(low, rows) >= 0, low, np.where(excess(high, rows) <= 0, high, found))


def _quadratic(height: Array, square: Array) -> Array:
    """Largest y >= 0 with y^2 - height y = square, without cancellation."""
    half = (np.abs(height) + np.hypot(height, 2 * np.sqrt(square))) / 2
    return np.where(
        height >= 0, half, np.divide(square, half, out=np.zeros_like(half), where=half > 0)
    )
