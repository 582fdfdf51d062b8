"""kappa (M6) as exactly as float64 can hold it."""

from __future__ import annotations

import numpy as np

from linmodel.arguments import typed
from linmodel.assumptions import arrays
from linmodel.problem import Array, State

SPLIT = 134217729.0  # 2^27 + 1: halves a float64's 53 bits


@typed
def conserved(start: State) -> Array:
    """M6: kappa = c^2 - epsilon^2 - n^2 - o^2, as if computed with twice the digits.

    Squares are split into a float and its exact rounding error, and summed with compensation: the
    relative error is near 1e-16 unless kappa is 1e-16 of the largest square or less.
    """
    c, epsilon, n, o = arrays(start)
    terms: list[Array] = []
    for sign, value in ((1.0, c), (-1.0, epsilon), (-1.0, n), (-1.0, o)):
        square, rest = _exact_square(value)
        terms += [sign * square, sign * rest]
    total: Array = np.zeros(start.shape)
    lost: Array = np.zeros(start.shape)
    for term in terms:
        total, error = _exact_sum(total, term)
        lost = lost + error
    return np.asarray(total + lost)


def _exact_square(a: Array) -> tuple[Array, Array]:
    """a^2 = square + rest exactly (Dekker), for |a| < 1e150."""
    big = SPLIT * a
    high = big - (big - a)
    low = a - high
    square = a * a
    return square, ((high * high - square) + 2 * high * low) + low * low


def _exact_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """a + b = total + rest exactly (Knuth)."""
    total = a + b
    moved = total - a
    return total, (a - (total - moved)) + (b - moved)
