"""The flow while o matters: one step of a Taylor series in s = t / T, and the sharpness on it.

With the growth e^(-tau) taken out (M7), (c, epsilon, n) = (X, Y, n*) / sqrt(w), w = e^(2 (tau -
tau*)), the flow is linear but for o^2 and w, and nothing cancels, whatever c does:

    X' = B Y + kappa X - (alpha - 1) o^2 X,  Y' = B X,  w' = 2 X^2,  (o^2)' = -2 alpha o^2 X^2 / w
"""

from __future__ import annotations

import numpy as np

from linmodel.kernels.lanes import compiled, horner

ORDER = 13
# o^2 / c^2 below which o^2 is set to zero.
GONE = 1e-18

# Rows of a group's state and of its parameters.
C, EPSILON, N2, O2, STATE_ROWS = 0, 1, 2, 3, 4
ALPHA, SIGNAL, SPAN, KAPPA = 4, 5, 6, 7
SOURCE_ROWS = 8
# Rows of a group's work: alpha, B, n^2, then the series of X, Y, o^2, w, then four sizes.
SERIES = ORDER + 1
FIRST = 3
SIZES = FIRST + 4 * SERIES
WORK_ROWS = SIZES + 4


def _cosine_third() -> list[float]:
    """Coefficients in u = 2 s - 1 of cos(2/3 arccos s), 0 <= s <= 1, to 4e-12.

    With s = sqrt((1 + r)/2) this is cos(arccos(r)/3), and it is analytic on the whole interval
    (its nearest singularity is s = -1), where cos(arccos(r)/3) itself has a root at r = -1.
    """

    def third(u):
        return np.cos(2 / 3 * np.arccos(np.clip((u + 1) / 2, 0, 1)))

    return np.polynomial.chebyshev.cheb2poly(
        np.polynomial.chebyshev.chebinterpolate(third, 12)
    ).tolist()


_THIRD = _cosine_third()


def series(xp, _, c, epsilon, n2, o2, alpha, signal, span, kappa):
    """Taylor coefficients in s of X, Y, o^2, w from a state with w = 1; then 4 size rows.

    signal = B T, span = T. Size rows, each the largest over lanes: coefficients of orders
    ORDER - 2, ORDER - 1 and ORDER against what their variables may err by, and the decay rate.
    """
    x, y, o, w, q = [c], [epsilon], [o2], [1.0 + 0.0 * c], []
    double, pull, lift = span * 2.0, (alpha - 1.0) * span, kappa * span
    quick = span * alpha * -2.0
    for order in range(ORDER):
        share = 1.0 / (order + 1)
        square = _product(x, x)
        q.append(square - _product(w[1:], q) if order else square)
        y_next = signal * x[order] * share
        o_next = _product(q, o) * quick * share
        x_next = (signal * y[order] + lift * x[order] - pull * _product(o, x)) * share
        w.append(double * square * share)
        x.append(x_next)
        y.append(y_next)
        o.append(o_next)
    size_c, size_e = xp.absolute(c), xp.absolute(epsilon)
    # c matters relative to itself until alpha c^2 < B, where B sets the sharpness.
    floor = xp.sqrt(signal / (quick * -0.5))
    scale_x = 1.0 / xp.maximum(size_c, xp.minimum(floor, size_e))
    # c may yet fall below epsilon, so epsilon matters relative to itself from the start.
    scale_y = 1.0 / xp.maximum(size_e, 1e-4 * size_c)
    scale_o = 1.0 / xp.maximum(q[0], o2)
    sizes = []
    for order in (ORDER - 2, ORDER - 1, ORDER):
        size = xp.maximum(xp.absolute(x[order]) * scale_x, xp.absolute(y[order]) * scale_y)
        size = xp.maximum(size, xp.absolute(o[order]) * scale_o)
        sizes.append(xp.across(xp.maximum(size, xp.absolute(w[order]))))
    decay = xp.where(o2 > 0.0, xp.maximum(q[0], o2) * quick * -1.0, 0.0)
    return [*x, *y, *o, *w, *sizes, xp.across(decay)]


def _product(left, right):
    """Coefficient of the highest order of left x right; half the work where left is right."""
    # The newest coefficients come last, so that the sum need not wait for them.
    size = len(left)
    if left is not right:
        order = sorted(range(size), key=lambda i: max(i, size - 1 - i))
        total = left[order[0]] * right[-1 - order[0]]
        for i in order[1:]:
            total = total + left[i] * right[-1 - i]
        return total
    terms = [left[i] * left[-1 - i] for i in reversed(range(size // 2))]
    total = sum(terms[1:], terms[0]) * 2.0 if terms else None
    if size % 2:
        middle = left[size // 2] * left[size // 2]
        total = middle if total is None else total + middle
    return total


def values(xp, x, n2, *rows):
    """c^2, |b|^2, c epsilon, o^2, n^2 and 1/w at s0 + x from the series rows."""
    big_x, big_y, o2, w = (
        horner(rows[place * SERIES : (place + 1) * SERIES], x) for place in range(4)
    )
    inverse = 1.0 / w
    b2 = (big_y * big_y + n2) * inverse
    return big_x * big_x * inverse, b2, big_x * big_y * inverse, o2, n2 * inverse, big_x, big_y, w


def cubic_sharpness(xp, alpha, strength, q, b2, product, o2):
    """H1: the cubic's largest root, by the trigonometric formula; q = c^2, product = c epsilon."""
    first, last = b2 + alpha * o2, alpha * q
    couple_b = (q * b2 - strength * product) * 4.0 + strength * strength
    couple_o = last * alpha * o2 * 4.0
    mean = (first + q + last) * (1 / 3)
    x, y, z = first - mean, q - mean, last - mean
    squares = (x * x + y * y + z * z) * (1 / 6) + (couple_b + couple_o) * (1 / 3)
    spread = xp.sqrt(squares)
    determinant = x * y * z - couple_b * z - couple_o * y
    r = determinant / (squares * spread)
    s = xp.sqrt(xp.maximum(r * 0.25 + 0.5, 0.0))
    return mean + spread * 2.0 * horner(_THIRD, xp.minimum(s, 1.0) * 2.0 - 1.0)


def series_sharpness(xp, x, alpha, strength, n2, *rows):
    """Sharpness at s0 + x from the series rows."""
    q, b2, product, o2, *_ = values(xp, x, n2, *rows)
    return [cubic_sharpness(xp, alpha, strength, q, b2, product, o2)]


def advance(xp, x, _alpha, _strength, n2, *rows):
    """The next state c, epsilon, n^2, o^2; o^2 becomes 0 where it no longer matters."""
    q, _, _, o2, n2, big_x, big_y, w = values(xp, x, n2, *rows)
    root = 1.0 / xp.sqrt(w)
    return [big_x * root, big_y * root, n2, xp.where(o2 > q * GONE, o2, 0.0)]


series_rows = compiled(series, SOURCE_ROWS)
advance_rows = compiled(advance, SIZES)
series_sharpness_rows = compiled(series_sharpness, SIZES)
