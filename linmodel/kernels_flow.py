"""Gradient flow of many cells at once: a Taylor series while o matters, the closed form M8 after.

Cells travel in groups of LANES and share the step in normalised time s = t / T, so that nothing in
a group branches. In s, with q = c^2 from the conserved quantity (M6), the flow is

    epsilon' = T (B c - q epsilon),  (n^2)' = -2 T q n^2,  (o^2)' = -2 T alpha q o^2,

four Cauchy products an order. A lane's o^2 is set to zero once o^2 < 1e-18 c^2, where it moves the
sharpness by less than 2e-9 even at a crossing of eigenvalues; when every lane has got there, the
rest of the way is explicit.
"""

from __future__ import annotations

import numba
import numpy as np

from linmodel.kernels_lanes import LANES, compiled, horner

ORDER = 13
TOLERANCE = 3e-9
GONE = 1e-18
"""o^2 / c^2 below which o^2 is set to zero."""
CANCELLED = 1e-3
"""c^2 below this share of the terms it is the difference of: the cell is handed back."""
STABLE = 4.4
"""Largest 2 alpha c^2 T h while o^2 is carried: there e^-x's series to order 13 is positive."""

GOOD, CANCELS = 0, 1
"""Status of a cell: solved; or c^2 lost its digits, or c crossed 0."""

# Rows of a group's state and of its parameters.
EPSILON, N2, O2, STATE_ROWS = 0, 1, 2, 3
ALPHA, SIGNAL, SPAN, KAPPA = 3, 4, 5, 6
SOURCE_ROWS = 7
SERIES = ORDER + 1
RATIO = 4 * SERIES
SERIES_ROWS = RATIO + 4


def _cosine_third() -> list[float]:
    """Coefficients in u = 2 s - 1 of cos(2/3 arccos s), 0 <= s <= 1, to 2e-11.

    With s = sqrt((1 + r)/2) this is cos(arccos(r)/3), and it is analytic on the whole interval
    (its nearest singularity is s = -1), where cos(arccos(r)/3) itself has a root at r = -1.
    """

    def third(u):
        return np.cos(2 / 3 * np.arccos(np.clip((u + 1) / 2, 0, 1)))

    return np.polynomial.chebyshev.cheb2poly(
        np.polynomial.chebyshev.chebinterpolate(third, 14)
    ).tolist()


_THIRD = _cosine_third()


def series(xp, _, epsilon, n2, o2, alpha, signal, span, kappa):
    """Taylor coefficients in s of epsilon, n^2, o^2, c at the group's state; then 4 size rows.

    signal = B T, span = T. Size rows: the largest relative coefficient of orders ORDER - 2,
    ORDER - 1 and ORDER over lanes and variables, and the largest 2 alpha c^2 T where o^2 > 0.
    """
    e, n, o = [epsilon], [n2], [o2]
    q = [kappa + epsilon * epsilon + n2 + o2]
    c = [xp.sqrt(q[0])]
    half = 0.5 / c[0]
    double, quick = span * -2.0, span * alpha * -2.0
    for order in range(ORDER):
        share = 1.0 / (order + 1)
        e.append((signal * c[order] - span * _product(q, e)) * share)
        n.append(_product(q, n) * double * share)
        o.append(_product(q, o) * quick * share)
        q.append(_product(e, e) + n[-1] + o[-1])
        inner = c[1:]
        c.append((q[-1] - _product(inner, inner) if inner else q[-1]) * half)
    scale_q, scale_c = 1.0 / q[0], half * 2.0
    scale_e = 1.0 / xp.maximum(xp.absolute(epsilon), c[0])
    sizes = []
    for order in (ORDER - 2, ORDER - 1, ORDER):
        size = xp.maximum(xp.absolute(n[order]), xp.absolute(o[order])) * scale_q
        size = xp.maximum(size, xp.absolute(c[order]) * scale_c)
        sizes.append(xp.across(xp.maximum(size, xp.absolute(e[order]) * scale_e)))
    decay = xp.where(o2 > 0.0, quick * q[0] * -1.0, 0.0)
    return [*e, *n, *o, *c, *sizes, xp.across(decay)]


def _product(left, right):
    """Coefficient of the highest order of left x right; half the work where left is right."""
    size = len(left)
    if left is not right:
        return sum((left[i] * right[-1 - i] for i in range(1, size)), left[0] * right[-1])
    terms = [left[i] * left[-1 - i] for i in range(size // 2)]
    total = sum(terms[1:], terms[0]) * 2.0 if terms else None
    if size % 2:
        middle = left[size // 2] * left[size // 2]
        total = middle if total is None else total + middle
    return total


def values(xp, x, *rows):
    """epsilon, n^2, o^2 and c at s0 + x from the series rows."""
    return [horner(rows[place * SERIES : (place + 1) * SERIES], x) for place in range(4)]


def cubic_sharpness(xp, alpha, strength, epsilon, n2, o2, c):
    """H1: the largest root of the cubic, by the trigonometric formula."""
    q = c * c
    b2 = epsilon * epsilon + n2
    first, last = b2 + alpha * o2, alpha * q
    couple_b = (q * b2 - strength * c * epsilon) * 4.0 + strength * strength
    couple_o = last * alpha * o2 * 4.0
    mean = (first + q + last) * (1 / 3)
    x, y, z = first - mean, q - mean, last - mean
    squares = (x * x + y * y + z * z) * (1 / 6) + (couple_b + couple_o) * (1 / 3)
    spread = xp.sqrt(squares)
    determinant = x * y * z - couple_b * z - couple_o * y
    r = determinant / (squares * spread)
    s = xp.sqrt(xp.maximum(r * 0.25 + 0.5, 0.0))
    return mean + spread * 2.0 * horner(_THIRD, xp.minimum(s, 1.0) * 2.0 - 1.0)


def series_sharpness(xp, x, alpha, strength, _, *rows):
    """Sharpness at s0 + x from the series rows."""
    return [cubic_sharpness(xp, alpha, strength, *values(xp, x, *rows))]


def advance(xp, x, kappa, *rows):
    """The next state epsilon, n^2, o^2; then c^2's share of its terms, negative if c lost its sign.

    o^2 becomes 0 where it no longer matters.
    """
    epsilon, n2, o2, c = values(xp, x, *rows)
    b2 = epsilon * epsilon + n2
    q = kappa + b2 + o2
    o2 = xp.where(o2 < q * GONE, 0.0, o2)
    share = q / (xp.absolute(kappa) + b2 + xp.absolute(o2))
    return [epsilon, n2, o2, xp.where(c > 0.0, share, -1.0)]


def closed_constants(xp, _, epsilon, n2, o2, alpha, signal, span, kappa):
    """M8 from a state with o^2 = 0: rows alpha, B, T, rho2, lam, p, m, n2, g, b, and 1/rho2, ..."""
    strength = signal / span
    c = xp.sqrt(kappa + epsilon * epsilon + n2)
    rho = xp.sqrt(strength * strength + kappa * kappa * 0.25)
    g = xp.where(
        kappa > 0.0, rho + kappa * 0.5, strength * strength / (rho + xp.absolute(kappa) * 0.5)
    )
    scale = 1.0 / xp.sqrt(strength * strength + g * g)
    b, g = strength * scale, g * scale
    p, m = b * epsilon + g * c, b * c - g * epsilon
    return [
        alpha,
        strength,
        span,
        rho * 2.0,
        kappa,
        p * b,
        p * g,
        m * b,
        m * g,
        n2,
        p * p * 0.5 / rho,
        m * m * 0.5 / rho,
    ]


CLOSED_ROWS = 12


def closed_values(xp, x, alpha, strength, span, rho2, lam, pb, pg, mb, mg, n2, pp, mm):
    """c^2, |b|^2, c epsilon, n^2, and a number of c's sign, at s* + x by M8 without e^(rho t)."""
    t = span * x
    grown = xp.exp(rho2 * t * -1.0)
    z = lam * t
    faded = xp.exp((rho2 + lam) * t * -1.0)
    small = t * (1.0 - z * (0.5 - z * (1 / 6 - z * (1 / 24))))
    tiny = xp.absolute(z) < 1e-3
    drift = xp.where(tiny, small * grown, (grown - faded) / xp.where(tiny, 1.0, lam))
    rest = 1.0 - grown
    total = grown + pp * rest + mm * grown * rest + n2 * drift
    up, side = pg + mb * grown, pb - mg * grown
    inverse = 1.0 / total
    b2 = (side * side + n2 * faded) * inverse
    return [up * up * inverse, b2, up * side * inverse, n2 * faded * inverse, up]


def closed_sharpness(xp, x, *rows):
    """H1 at o = 0, where the cubic is alpha c^2 and a quadratic."""
    alpha, strength = rows[:2]
    q, b2, product, _, _ = closed_values(xp, x, *rows)
    couple = (q * b2 - strength * product) * 4.0 + strength * strength
    gap = (b2 - q) * 0.5
    root = (b2 + q) * 0.5 + xp.sqrt(gap * gap + xp.maximum(couple, 0.0))
    return [xp.maximum(root, alpha * q)]


series_rows = compiled(series, SOURCE_ROWS)
advance_rows = compiled(advance, 1 + 4 * SERIES)
closed_rows = compiled(closed_constants, SOURCE_ROWS)
_series_sharpness = compiled(series_sharpness, 3 + 4 * SERIES)
_closed_sharpness = compiled(closed_sharpness, CLOSED_ROWS)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def step_length(sizes, tolerance):
    """h that keeps the last three terms of the series below `tolerance`, and o^2 positive."""
    h = STABLE / sizes[3, 0]
    for place in range(3):
        h = min(h, (tolerance / sizes[place, 0]) ** (1 / (ORDER - 2 + place)))
    return h


@numba.njit(cache=True, nogil=True, error_model="numpy")
def begin(source, state, work):
    """Load a group: its state, and rows alpha, B, kappa of work. True where o matters at all."""
    matters = False
    for lane in range(LANES):
        for row in range(SOURCE_ROWS):
            state[row, lane] = source[row, lane]
        work[0, lane] = source[ALPHA, lane]
        work[1, lane] = source[SIGNAL, lane] / source[SPAN, lane]
        work[2, lane] = source[KAPPA, lane]
        matters = matters or source[O2, lane] > 0.0
    return matters


@numba.njit(cache=True, nogil=True, error_model="numpy")
def accept(state, work, after, status, cells):
    """Take the next state. Lanes that lost c^2 get a status and stand still at a minimum from here.

    True where o still matters in some lane.
    """
    matters = False
    for lane in range(LANES):
        if not after[3, lane] > CANCELLED:
            status[cells[lane]] = CANCELS
            after[0, lane], after[1, lane], after[2, lane] = 1.0, 0.0, 0.0
            state[ALPHA, lane], state[SIGNAL, lane] = 1.0, 1e-9
            state[SPAN, lane], state[KAPPA, lane] = 1e-9, 0.0
            work[0, lane], work[1, lane], work[2, lane] = 1.0, 1.0, 0.0
        for row in range(STATE_ROWS):
            state[row, lane] = after[row, lane]
        matters = matters or after[O2, lane] > 0.0
    return matters


@numba.njit(cache=True, nogil=True, error_model="numpy")
def flow_sharpness(source, cells, grid, out, status):
    """Sharpness of each cell at times grid x T, into out[cell]; status[cell] where it failed.

    source  (groups, SOURCE_ROWS, LANES): epsilon, n^2, o^2, alpha, B T, T, kappa, all with c0 > 0
    cells   (groups, LANES): row of `out` and `status` for each lane
    grid    (times,): ascending, >= 0
    out     (rows, times); status (rows,), GOOD on entry
    """
    times = grid.size
    work = np.empty((3 + SERIES_ROWS, LANES))
    state = np.empty((SOURCE_ROWS, LANES))
    after = np.empty((4, LANES))
    closed = np.empty((CLOSED_ROWS, LANES))
    buffer = np.empty((times, LANES))
    for group in range(source.shape[0]):
        matters = begin(source[group], state, work)
        s, done = 0.0, 0
        while matters and done < times:
            series_rows(0.0, state, work[3:])
            h = step_length(work[3 + RATIO :], TOLERANCE)
            while done < times and grid[done] <= s + h:
                _series_sharpness(grid[done] - s, work, buffer[done:])
                done += 1
            advance_rows(h, work[2:], after)
            matters = accept(state, work, after, status, cells[group])
            s += h
        if done < times:
            closed_rows(0.0, state, closed)
            for place in range(done, times):
                _closed_sharpness(grid[place] - s, closed, buffer[place:])
        for lane in range(LANES):
            for place in range(times):
                out[cells[group, lane], place] = buffer[place, lane]


def pack(alpha, strength, c, epsilon, n, o, span):
    """Cells in lanes: sorted so that a group's are alike, the last group filled up with its last.

    All arguments of shape (cells,), c != 0, B > 0, T > 0. Returns (source, cells) for the kernels;
    s -> -s (M10) makes c0 > 0.
    """
    b2 = n * n + epsilon * epsilon
    kappa = (np.abs(c) - np.abs(o)) * (np.abs(c) + np.abs(o)) - b2
    rate, depth = np.log(alpha * span + 1e-300), np.log(b2 / (c * c) + 1e-300)
    band = np.floor(8 * (depth - depth.min()) / (np.ptp(depth) + 1e-9))
    # Bands of like depth of the dip, up and down in rate, so that neighbours stay alike.
    order = np.argsort(band * 1e4 + rate * (1 - 2 * (band % 2)))
    order = np.concatenate([order, np.full(-len(order) % LANES, order[-1])])
    rows = np.array([epsilon * np.sign(c), n * n, o * o, alpha, strength * span, span, kappa])
    source = rows[:, order].reshape(SOURCE_ROWS, -1, LANES).transpose(1, 0, 2)
    return np.ascontiguousarray(source), order.reshape(-1, LANES)
