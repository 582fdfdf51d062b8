"""Gradient flow of many cells at once: a Taylor series while o matters, the closed form M8 after.

With the growth e^(-tau) taken out (M7), (c, epsilon, n) = (X, Y, n*) / sqrt(w), w = e^(2 (tau -
tau*)), the flow is linear but for o^2 and w, and nothing cancels, whatever c does:

    X' = B Y + kappa X - (alpha - 1) o^2 X,  Y' = B X,  w' = 2 X^2,  (o^2)' = -2 alpha o^2 X^2 / w

Cells travel in groups of LANES and share the step in normalised time s = t / T, so that nothing in
a group branches. A lane's o^2 is set to zero once o^2 < 1e-18 c^2, where it moves the sharpness by
less than 2e-9 even at a crossing of eigenvalues; when every lane has got there, the rest of the
way is explicit.
"""

from __future__ import annotations

import numpy as np

from linmodel.kernels.lanes import LANES, compiled, horner, kernel

ORDER = 13
TOLERANCE = 4e-9
# The same where epsilon0 < c0 / 100: c and epsilon may nearly cancel along what grows.
CONTRARY = 1e-12
# Share of (c, epsilon) left in that direction below which such a cell is handed back.
LOST = 1e-3
# o^2 / c^2 below which o^2 is set to zero.
GONE = 1e-18
# Largest decay rate times step while o^2 is carried: there e^-x's series is still positive.
STABLE = 4.4
# After each so many a group hands back its fastest cell: stiff, on a long crawl at small c.
MOST_STEPS = 500

# Status of a cell: solved; or handed back: stiff, ill-conditioned or not a number.
GOOD, BACK = 0, 1

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


def closed_constants(xp, _, c, epsilon, n2, _o2, alpha, signal, span, kappa):
    """M8 from a state with o^2 = 0, lam = kappa: its parts along F's two eigenvectors, +-rho."""
    strength = signal / span
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
advance_rows = compiled(advance, SIZES)
closed_rows = compiled(closed_constants, SOURCE_ROWS)
_series_sharpness = compiled(series_sharpness, SIZES)
_closed_sharpness = compiled(closed_sharpness, CLOSED_ROWS)


@kernel
def begin(source, state, work):
    """Load a group: its state, and rows alpha, B, n^2 of work. True where o matters at all."""
    matters = False
    for lane in range(LANES):
        for row in range(SOURCE_ROWS):
            state[row, lane] = source[row, lane]
        work[0, lane] = source[ALPHA, lane]
        work[1, lane] = source[SIGNAL, lane] / source[SPAN, lane]
        work[2, lane] = source[N2, lane]
        matters = matters or source[O2, lane] > 0.0
    return matters


@kernel
def tolerance_of(source):
    """CONTRARY where a lane of the group starts with c epsilon < c^2 / 100, else TOLERANCE."""
    for lane in range(LANES):
        if source[C, lane] * source[EPSILON, lane] < 0.01 * source[C, lane] ** 2:
            return CONTRARY
    return TOLERANCE


@kernel
def hand_back_lost(closed, status, cells):
    """Status BACK for lanes whose part p along the growing direction is a small difference."""
    for lane in range(LANES):
        p2 = closed[5, lane] ** 2 + closed[6, lane] ** 2
        m2 = closed[7, lane] ** 2 + closed[8, lane] ** 2
        if p2 < LOST**2 * m2:
            status[cells[lane]] = BACK


@kernel
def step_length(work, tolerance):
    """h that keeps the last three terms of the series below `tolerance`, and o^2 positive."""
    h = STABLE / work[SIZES + 3, 0]
    for place in range(3):
        h = min(h, (tolerance / work[SIZES + place, 0]) ** (1 / (ORDER - 2 + place)))
    return h


@kernel
def accept(steps, state, work, after, status, cells):
    """Take the next state; True where o still matters in some lane.

    A lane that is not a number, and every MOST_STEPS the fastest one, gets a status and stands
    still at a minimum from here.
    """
    matters, stiff, fastest = False, -1, 0.0
    if steps % MOST_STEPS == 0:
        for lane in range(LANES):
            rate = state[ALPHA, lane] * state[SPAN, lane]
            rate *= max(after[O2, lane], after[C, lane] ** 2)
            if after[O2, lane] > 0.0 and rate > fastest:
                stiff, fastest = lane, rate
    for lane in range(LANES):
        finite = abs(after[C, lane]) < np.inf and abs(after[EPSILON, lane]) < np.inf
        if not finite or lane == stiff:
            status[cells[lane]] = BACK
            for row in range(STATE_ROWS):
                after[row, lane] = 1.0 if row < N2 else 0.0
            state[ALPHA, lane], state[KAPPA, lane] = 1.0, 0.0
            state[SIGNAL, lane] = state[SPAN, lane] = 1e-9
            work[0, lane], work[1, lane] = 1.0, 1.0
        for row in range(STATE_ROWS):
            state[row, lane] = after[row, lane]
        work[2, lane] = after[N2, lane]
        matters = matters or after[O2, lane] > 0.0
    return matters


@kernel
def flow_sharpness(source, cells, grid, out, status):
    """Sharpness of each cell at times grid x T, into out[cell]; status[cell] where it failed.

    source  (groups, SOURCE_ROWS, LANES): c, epsilon, n^2, o^2, alpha, B T, T, kappa
    cells   (groups, LANES): row of `out` and `status` for each lane
    grid    (times,): ascending, >= 0
    out     (rows, times); status (rows,), GOOD on entry
    """
    times = grid.size
    work, state = np.empty((WORK_ROWS, LANES)), np.empty((SOURCE_ROWS, LANES))
    after, closed = np.empty((STATE_ROWS, LANES)), np.empty((CLOSED_ROWS, LANES))
    buffer = np.empty((times, LANES))
    for group in range(source.shape[0]):
        matters = begin(source[group], state, work)
        tolerance = tolerance_of(source[group])
        s, done, steps = 0.0, 0, 0
        while matters and done < times:
            series_rows(0.0, state, work[FIRST:])
            h = step_length(work, tolerance)
            while done < times and grid[done] <= s + h:
                _series_sharpness(grid[done] - s, work, buffer[done:])
                done += 1
            advance_rows(h, work, after)
            steps += 1
            matters = accept(steps, state, work, after, status, cells[group])
            s += h
        if done < times:
            closed_rows(0.0, state, closed)
            hand_back_lost(closed, status, cells[group])
            for place in range(done, times):
                _closed_sharpness(grid[place] - s, closed, buffer[place:])
        for lane in range(LANES):
            row = out[cells[group, lane]]
            for place in range(times):
                row[place] = buffer[place, lane]


def pack(alpha, strength, c, epsilon, n, o, span):
    """Cells in lanes: sorted so that a group's are alike, the last group filled up with its last.

    All arguments of shape (cells,), alpha, B, T > 0. Returns (source, cells) for the kernels.
    """
    order = _alike(alpha * span, n * n + epsilon * epsilon, c * epsilon < 0.01 * c * c)
    order = np.concatenate([order, np.full(-len(order) % LANES, order[-1])]).reshape(-1, LANES)
    source = np.empty((len(order), SOURCE_ROWS, LANES))
    _fill(source, order, *map(np.ascontiguousarray, (alpha, strength, c, epsilon, n, o, span)))
    return source, order


def _alike(rate, b2, contrary):
    """An order of cells in which neighbours are alike: bands of like depth of the dip, up and down
    in rate, as whole numbers of 16 bits, which NumPy sorts in linear time.
    """
    depth = _levels(np.log(b2 + 1e-300), 8) + 8 * contrary
    height = _levels(np.log(rate), 2**12)
    return np.argsort(
        (depth * 2**12 + np.where(depth % 2, 2**12 - 1 - height, height)).astype(np.uint16),
        kind="stable",
    )


def _levels(values, count):
    """0 to count - 1, evenly from the least of `values` to the largest."""
    least = values.min()
    return ((values - least) * (count / (np.ptp(values) * (1 + 1e-9) + 1e-9))).astype(np.int64)


@kernel
def _fill(source, order, alpha, strength, c, epsilon, n, o, span):
    for group in range(order.shape[0]):
        for lane in range(LANES):
            cell, rows = order[group, lane], source[group, :, lane]
            rows[C], rows[EPSILON] = c[cell], epsilon[cell]
            rows[N2], rows[O2] = n[cell] ** 2, o[cell] ** 2
            rows[ALPHA], rows[SIGNAL] = alpha[cell], strength[cell] * span[cell]
            rows[SPAN] = span[cell]
            size_c, size_o = abs(c[cell]), abs(o[cell])
            rows[KAPPA] = (size_c - size_o) * (size_c + size_o) - (
                n[cell] ** 2 + epsilon[cell] ** 2
            )
