"""The same flow with its states recorded and its events found: the dip and the crossing of 2/eta.

Events are roots on the step's own series or on the closed form, found for all lanes at once.
"""

from __future__ import annotations

import numba
import numpy as np

from linmodel.kernels_flow import (
    ALPHA,
    CLOSED_ROWS,
    N2,
    O2,
    RATIO,
    SERIES,
    SERIES_ROWS,
    SOURCE_ROWS,
    accept,
    advance_rows,
    begin,
    closed_rows,
    closed_values,
    series_rows,
    step_length,
    values,
)
from linmodel.kernels_lanes import LANES, compiled, horner

TOLERANCE = 1e-12
"""Tighter than for sharpness alone: a dip's time is less well conditioned than its depth."""
ROUNDS = 80
"""Most halvings of a bracket: down to the last bit of a float64 time."""
T_DIP, Q_DIP, T_EDGE = 0, 1, 2


def series_state(xp, x, _a, _b, _c, *rows):
    """epsilon, n^2, o^2 and c at s0 + x."""
    return values(xp, x, *rows)


def closed_state(xp, x, *rows):
    """The same from the closed form; o^2 = 0."""
    q, _, product, n2, up = closed_values(xp, x, *rows)
    c = xp.sqrt(q)
    c = xp.where(up < 0.0, -c, c)
    return [product / c, n2, 0.0, c]


def series_probe(xp, _, x, *rows):
    """Slope of c (its sign is that of (c^2)'), and c^2, at s0 + x, x a row."""
    c = rows[3 * SERIES : 4 * SERIES]
    value = horner(c, x)
    slope = [coefficient * float(order) for order, coefficient in enumerate(c)][1:]
    return [horner(slope, x), value * value]


def closed_probe(xp, _, x, *rows):
    """(c^2)' / 2 in time t, and c^2, at s* + x, x a row: c c' = B c epsilon - c^2 |b|^2."""
    q, b2, product, _, _ = closed_values(xp, x, *rows)
    return [rows[1] * product - q * b2, q]


_series_state = compiled(series_state, 3 + 4 * SERIES)
_closed_state = compiled(closed_state, CLOSED_ROWS)
_series_probe = compiled(series_probe, 1 + 4 * SERIES)
_closed_probe = compiled(closed_probe, 1 + CLOSED_ROWS)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _probe(on_series, rows, found):
    if on_series:
        _series_probe(0.0, rows, found)
    else:
        _closed_probe(0.0, rows, found)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _roots(on_series, rows, what, level, low, high):
    """Halve [low, high] in each lane: probe row `what` is above `level` at high, not at low."""
    found = np.empty((2, LANES))
    for _ in range(ROUNDS):
        for lane in range(LANES):
            rows[0, lane] = 0.5 * (low[lane] + high[lane])
        _probe(on_series, rows, found)
        open_lanes = False
        for lane in range(LANES):
            middle = rows[0, lane]
            open_lanes = open_lanes or (middle != low[lane] and middle != high[lane])
            if found[what, lane] > level[lane]:
                high[lane] = middle
            else:
                low[lane] = middle
        if not open_lanes:
            break


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _events(on_series, rows, s, h, level, past, events, cells):
    """Find in (s, s + h] the first dip and the first rise of c^2 through `level`, in each lane.

    past (2, LANES): slope and c^2 at s on entry, at s + h on exit.
    """
    last, low, high = np.empty((2, LANES)), np.zeros(LANES), np.empty(LANES)
    for lane in range(LANES):
        rows[0, lane] = high[lane] = h
    _probe(on_series, rows, last)
    dips, rises = False, False
    for lane in range(LANES):
        dips = dips or (past[0, lane] <= 0.0 < last[0, lane])
        rises = rises or last[1, lane] >= level[lane]
    if dips:
        _roots(on_series, rows, 0, np.zeros(LANES), low, high)
        for lane in range(LANES):
            rows[0, lane] = high[lane]
        found = np.empty((2, LANES))
        _probe(on_series, rows, found)
        for lane in range(LANES):
            if past[0, lane] <= 0.0 < last[0, lane]:
                past[1, lane] = found[1, lane]
                if np.isnan(events[cells[lane], T_DIP]):
                    events[cells[lane], T_DIP] = s + high[lane]
                    events[cells[lane], Q_DIP] = found[1, lane]
            else:
                high[lane] = 0.0
    if rises:
        for lane in range(LANES):
            low[lane] = high[lane] if dips else 0.0
            high[lane] = h
        _roots(on_series, rows, 1, level, low, high)
        for lane in range(LANES):
            up = past[1, lane] < level[lane] <= last[1, lane]
            if up and np.isnan(events[cells[lane], T_EDGE]):
                events[cells[lane], T_EDGE] = s + high[lane]
    for lane in range(LANES):
        past[0, lane], past[1, lane] = last[0, lane], last[1, lane]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _record(buffer, place, states, group, cells, sign):
    for lane in range(LANES):
        row, flip = cells[lane], sign[cells[lane]]
        states[row, 0, place] = buffer[3, lane] * flip
        states[row, 1, place] = buffer[0, lane] * flip
        states[row, 2, place] = np.sqrt(max(buffer[1, lane], 0.0))
        left, o = buffer[1, lane] / group[N2, lane], np.sqrt(max(buffer[2, lane], 0.0))
        if left > 0.0:
            # n = n0 e^(-tau), o = o0 e^(-alpha tau): M7 keeps the digits that o^2 itself loses.
            o = np.sqrt(group[O2, lane]) * np.exp(0.5 * group[ALPHA, lane] * np.log(left))
        states[row, 3, place] = o


@numba.njit(cache=True, nogil=True, error_model="numpy")
def flow_path(source, cells, grid, level, sign, states, events, status):
    """States at grid x T and events up to the last of these times.

    source, cells, grid, status as in kernels_flow.flow_sharpness
    level   (rows,): 2/(eta alpha), NaN for no edge;  sign (rows,): of c0
    states  (rows, 4, times): c, epsilon, |n|, |o|
    events  (rows, 3): s_dip, c^2 there, s_edge, in units of T; NaN on entry and where there is none
    """
    times = grid.size
    work, state = np.empty((3 + SERIES_ROWS, LANES)), np.empty((SOURCE_ROWS, LANES))
    after, closed = np.empty((4, LANES)), np.empty((1 + CLOSED_ROWS, LANES))
    probe, buffer = np.empty((1 + 4 * SERIES, LANES)), np.empty((4, LANES))
    levels, past = np.empty(LANES), np.empty((2, LANES))
    for group in range(source.shape[0]):
        at = cells[group]
        matters = begin(source[group], state, work)
        for lane in range(LANES):
            levels[lane] = level[at[lane]]
        s, done, first = 0.0, 0, True
        while matters and done < times:
            series_rows(0.0, state, work[3:])
            h = min(step_length(work[3 + RATIO :], TOLERANCE), grid[times - 1] - s)
            while done < times and grid[done] <= s + h:
                _series_state(grid[done] - s, work, buffer)
                _record(buffer, done, states, source[group], at, sign)
                done += 1
            for row in range(4 * SERIES):
                for lane in range(LANES):
                    probe[1 + row, lane] = work[3 + row, lane]
            if first:
                _start(probe, past, events, at, True)
                first = False
            _events(True, probe, s, h, levels, past, events, at)
            advance_rows(h, work[2:], after)
            matters = accept(state, work, after, status, at)
            s += h
        if done < times:
            closed_rows(0.0, state, closed[1:])
            if first:
                _start(closed, past, events, at, False)
            for place in range(done, times):
                _closed_state(grid[place] - s, closed[1:], buffer)
                _record(buffer, place, states, source[group], at, sign)
            _events(False, closed, s, grid[times - 1] - s, levels, past, events, at)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _start(rows, past, events, cells, on_series):
    """Slope and c^2 at time 0; the dip is at 0 where c^2 rises from the start."""
    for lane in range(LANES):
        rows[0, lane] = 0.0
    _probe(on_series, rows, past)
    for lane in range(LANES):
        if past[0, lane] > 0.0:
            events[cells[lane], T_DIP] = 0.0
            events[cells[lane], Q_DIP] = past[1, lane]
