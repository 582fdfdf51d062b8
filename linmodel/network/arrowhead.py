"""Top eigenvalue of symmetric arrowhead matrices: a corner, a border, a diagonal; batched."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from linmodel.arguments import typed
from linmodel.problem import Array

HALVINGS = 120


@typed
def top_eigenvalue(corner: ArrayLike, border: ArrayLike, diagonal: ArrayLike) -> Array:
    """lambda_max of [[corner, border^T], [border, diag(diagonal)]]: (...), (..., m), (..., m).

    The largest root of x = corner + sum_i border_i^2 / (x - diagonal_i) above max diagonal, by
    bisection on the distance from the largest diagonal entry: O(m) a step, no dense matrix.
    """
    border = np.asarray(border, dtype=float)
    diagonal = np.broadcast_to(np.asarray(diagonal, dtype=float), border.shape)
    highest = diagonal.max(axis=-1)
    gap = highest[..., None] - diagonal
    height = np.asarray(corner, dtype=float) - highest
    square = border**2
    low = np.zeros(highest.shape)
    # At x = highest + y: y - height >= |border|^2 / y suffices for all roots to lie below x.
    high = np.maximum(height, 0.0) + np.sqrt(square.sum(axis=-1))
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        distance = middle[..., None] + gap
        share = np.divide(square, distance, out=np.zeros_like(square), where=square > 0)
        below = middle - height < share.sum(axis=-1)
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return highest + high
