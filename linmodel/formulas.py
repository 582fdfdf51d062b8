"""The model's formulas on plain arrays: alpha, B and the state broadcast together (M1, H1).

For one problem and its states `linmodel.landscape` says the same, with checks.
"""

from __future__ import annotations

import numpy as np

from linmodel.problem import Array

Values = Array | float  # alpha and B: one for all, or one for each state


def loss(alpha: Values, b_norm: Values, c: Array, epsilon: Array, n: Array, o: Array) -> Array:
    """M1: L - L_min = 1/2 ((c epsilon - B)^2 + c^2 n^2 + alpha c^2 o^2), factor 1/2; >= 0."""
    return 0.5 * ((c * epsilon - b_norm) ** 2 + (c * n) ** 2 + alpha * (c * o) ** 2)


def signal_border(b_norm: Values, c: Array, epsilon: Array, n: Array) -> Array:
    """|2 c b - beta|, the Hessian's border along the signal (H1)."""
    return np.hypot(2 * c * epsilon - b_norm, 2 * c * n)


def arrowhead(alpha: Values, c: Array, epsilon: Array, n: Array, o: Array, border: Array) -> Array:
    """H1's 3 x 3 block in (c; v; o), v along 2 c b - beta: shape (..., 3, 3).

    border  `signal_border`; its sign does not change the spectrum
    """
    block = np.zeros((*np.broadcast_shapes(*map(np.shape, (alpha, c, epsilon, n, o))), 3, 3))
    block[..., 0, 0] = epsilon**2 + n**2 + alpha * o**2
    block[..., 0, 1] = block[..., 1, 0] = border
    block[..., 0, 2] = block[..., 2, 0] = 2 * alpha * c * o
    block[..., 1, 1] = c**2
    block[..., 2, 2] = alpha * c**2
    return block


def sharpness(alpha: Values, b_norm: Values, c: Array, epsilon: Array, n: Array, o: Array) -> Array:
    """Largest eigenvalue of the Hessian (H1); NaN where an entry is not finite in float64."""
    block = arrowhead(alpha, c, epsilon, n, o, signal_border(b_norm, c, epsilon, n))
    finite = np.isfinite(block).all((-1, -2))
    block[~finite] = 0.0
    return np.where(finite, np.linalg.eigvalsh(block)[..., -1], np.nan)
