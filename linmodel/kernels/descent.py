"""Gradient descent of many cells: WIDTH abreast, a finished lane refilled with the next cell.

o is carried as mantissa x 2^(512 places), |mantissa| within [2^-256, 2^256), so that o may fall to
e^-20000 and come back, exactly, without a logarithm a step. Where places < 0, o^2 is below 2^-512
and cannot change a digit of c.
"""

from __future__ import annotations

import math

import numpy as np

from linmodel.kernels.lanes import compiled, kernel
from linmodel.problem import ESCAPE

WIDTH = 16
UNROLL = 8
# Steps between two looks at a lane: has it settled, escaped, finished?
BLOCK = 128
# A cell is settled when all the motion that is left moves c and epsilon by less than this.
RESIDUE = 1e-13
# ... and eta times the curvature stays below 2 by more than this.
MARGIN = 1e-9
# Status: steps used up while still moving; at a linearly stable minimum (G2); escaped.
RUNNING, SETTLED, DIVERGED = 0, 1, 2

C, EPSILON, N, MANTISSA, PLACES, PEAK, RISE, ETA, ALPHA, SIGNAL = range(10)
MOVING_ROWS, ROWS = 7, 10
# Columns of `events`: step of the first dip, c^2 there, step of the first rise through 2/eta.
DIP, DIP_SQUARE, EDGE = 0, 1, 2
_BIG, _SMALL, _PLACE = 2.0**256, 2.0**-256, 2.0**512
_LOG_PLACE = 512 * math.log(2)


def steps(xp, _, c, epsilon, n, mantissa, places, peak, rise, eta, alpha, signal):
    """UNROLL steps of G1 (loss with factor 1/2): c, epsilon, n, o, and the largest c^2 and largest
    rise of c^2 in a step so far.
    """
    here = xp.where(places < 0.0, 0.0, 1.0) * alpha
    q = c * c
    for _ in range(UNROLL):
        residual = signal - c * epsilon
        pull = n * n + here * (mantissa * mantissa)
        n, mantissa = n - n * (eta * q), mantissa - mantissa * (alpha * (eta * q))
        step = eta * c
        c = c + eta * (epsilon * residual) - step * pull
        epsilon = epsilon + step * residual
        last, q = q, c * c
        peak, rise = xp.maximum(peak, q), xp.maximum(rise, q - last)
    size = xp.absolute(mantissa)
    under, over = size < _SMALL, size > _BIG
    lifted = xp.where(under, mantissa * _PLACE, xp.where(over, mantissa / _PLACE, mantissa))
    shift = xp.where(under, -1.0, xp.where(over, 1.0, 0.0))
    return [c, epsilon, n, lifted, places + shift, peak, rise]


_steps = compiled(steps, ROWS, WIDTH)


@kernel
def one_by_one(lane, count, begun, events, cell):
    """The same steps for one lane's (ROWS,) values in place; returns the steps before escape.

    Fills in what row `cell` of events does not know yet; `begun` steps were made before.
    """
    c, epsilon, n, mantissa, places, peak, rise, eta, alpha, signal = lane
    level, q = 2 / (eta * alpha), c * c
    for step in range(count):
        lane[:MOVING_ROWS] = (c, epsilon, n, mantissa, places, peak, rise)
        residual = signal - c * epsilon
        here = 0.0 if places < 0 else mantissa
        pull = n * n + alpha * (here * here)
        n, mantissa = n - n * (eta * q), mantissa - mantissa * (alpha * (eta * q))
        c, epsilon = c + eta * (epsilon * residual) - eta * c * pull, epsilon + eta * c * residual
        if mantissa != 0 and abs(mantissa) < _SMALL:
            mantissa, places = mantissa * _PLACE, places - 1
        elif abs(mantissa) > _BIG and places < 0:
            mantissa, places = mantissa / _PLACE, places + 1
        escaped = places >= 0 and not abs(mantissa) < ESCAPE
        if escaped or not max(abs(c), abs(epsilon), abs(n)) < ESCAPE:
            return step
        last, q = q, c * c
        peak, rise = max(peak, q), max(rise, q - last)
        if q > last and np.isnan(events[cell, DIP]):
            events[cell, DIP], events[cell, DIP_SQUARE] = begun + step, last
        if last < level <= q and np.isnan(events[cell, EDGE]):
            events[cell, EDGE] = begun + step + 1
    lane[:MOVING_ROWS] = (c, epsilon, n, mantissa, places, peak, rise)
    return count


@kernel
def has_news(lane, events, cell):
    """Whether, of what row `cell` of events does not know yet, something may have happened."""
    rose = lane[RISE] > 0 and np.isnan(events[cell, DIP])
    return rose or (lane[PEAK] * lane[ETA] * lane[ALPHA] >= 2 and np.isnan(events[cell, EDGE]))


@kernel
def is_settled(values):
    """SETTLED when what is left to move is below RESIDUE, in the linear regime of a stable minimum.

    Otherwise RUNNING. With s = c^2 + epsilon^2 the residual r = B - c epsilon shrinks by
    |1 - eta s| a step, n^2 and o^2 by (1 - eta c^2)^2 and (1 - eta alpha c^2)^2; summed to the end
    they move c and epsilon by at most the sums below. Where o is 0 it stays so, whatever alpha c^2.
    """
    c, epsilon, n, mantissa, places, _, _, eta, alpha, signal = values
    q = c * c
    s, opposing = q + epsilon * epsilon, alpha * q
    top = s if mantissa == 0 else max(s, opposing)
    if not 0 < eta * top < 2 - MARGIN:
        return RUNNING
    o2 = 0.0 if places < 0 else mantissa * mantissa
    across = n * n / (q * (2 - eta * q))
    if alpha * o2 > 0:
        across += o2 / (q * (2 - eta * opposing))
    along = abs(signal - c * epsilon) / min(s, 2 / eta - s)
    left = (1 + s / min(s, 2 / eta - s)) * across + along * max(abs(epsilon / c), abs(c / epsilon))
    return SETTLED if left < RESIDUE else RUNNING


@kernel
def finish(values, left, final, cell):
    """Write c, epsilon, n, log|o|, sign o, largest c^2; `left` more steps are made at fixed c."""
    c, epsilon, n, mantissa, places, peak, _, eta, alpha, _ = values
    factor_n, factor_o = 1 - eta * c * c, 1 - eta * alpha * c * c
    log_o = math.log(abs(mantissa)) + places * _LOG_PLACE if mantissa != 0 else -math.inf
    sign = math.copysign(1.0, mantissa)
    if left > 0:
        n *= factor_n**left
        log_o += left * (math.log(abs(factor_o)) if factor_o != 0 else -math.inf)
        sign = -sign if factor_o < 0 and left % 2 == 1 else sign
    final[0, cell], final[1, cell], final[2, cell] = c, epsilon, n
    final[3, cell], final[4, cell], final[5, cell] = log_o, sign, peak


@kernel
def descend(start, count, final, events, status, taken):
    """`count` steps for every cell.

    start   (ROWS, cells): c, epsilon, n, o, 0, c^2, 0, eta, alpha, B
    final   (6, cells): c, epsilon, n, log|o|, sign o, largest c^2 on the way
    events  (cells, 3): see DIP; NaN on entry and where there is none
    status  (cells,): RUNNING, SETTLED or DIVERGED (final is the last state below ESCAPE)
    taken   (cells,): steps to that state; `count` unless it diverged
    """
    rows, before = np.empty((ROWS, WIDTH)), np.empty((ROWS, WIDTH))
    owner, left, one = np.empty(WIDTH, np.int64), np.empty(WIDTH, np.int64), np.empty(ROWS)
    following = 0
    for lane in range(WIDTH):
        following = _refill(rows, lane, start, owner, following)
        left[lane] = count
    busy = following
    while busy > 0:
        for row in range(ROWS):
            for lane in range(WIDTH):
                before[row, lane] = rows[row, lane]
        for _ in range(BLOCK // UNROLL):
            _steps(0.0, rows, rows)
        for lane in range(WIDTH):
            cell = owner[lane]
            if cell < 0:
                continue
            verdict, left[lane] = _review(rows, before, lane, count, left[lane], one, events, cell)
            if verdict == RUNNING and left[lane] > 0:
                continue
            status[cell] = verdict
            taken[cell] = count - left[lane] if verdict == DIVERGED else count
            finish(one, left[lane] if verdict == SETTLED else 0, final, cell)
            busy -= 1
            begun = following
            following = _refill(rows, lane, start, owner, following)
            busy += following - begun
            left[lane] = count


@kernel
def _review(rows, before, lane, count, left, one, events, cell):
    """A lane's verdict after a block, its values (into `one`) and the steps it has left.

    A block that ends in an escape, or passes the last step, or holds the first dip or edge, is
    replayed step by step; the last two only for the event.
    """
    for row in range(ROWS):
        one[row] = rows[row, lane]
    made = wanted = min(BLOCK, left)
    largest = max(abs(one[C]), abs(one[EPSILON]), abs(one[N]))
    high = not abs(one[MANTISSA]) < (ESCAPE if one[PLACES] >= 0 else np.inf)
    cut = wanted < BLOCK or high or not largest < ESCAPE
    if cut or has_news(one, events, cell):
        for row in range(ROWS):
            one[row] = before[row, lane]
        made = one_by_one(one, wanted, count - left, events, cell)
        for row in range(ROWS):
            if cut:
                rows[row, lane] = one[row]
            one[row] = rows[row, lane]
    if made < wanted:
        return DIVERGED, left - made
    return is_settled(one), left - made


@kernel
def _refill(rows, lane, start, owner, following):
    """Give the lane its next cell, or park it (eta = 0) where none is left."""
    if following >= start.shape[1]:
        owner[lane] = -1
        for row in range(ROWS):
            rows[row, lane] = 0.0
        return following
    owner[lane] = following
    for row in range(ROWS):
        rows[row, lane] = start[row, following]
    return following + 1
