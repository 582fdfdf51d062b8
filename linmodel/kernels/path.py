"""The same flow with its states recorded and its events found: the dip and the crossing of 2/eta.

Events are roots on the step's own series or on the closed form, found for all lanes at once.
"""

from __future__ import annotations

import numpy as np

from linmodel.kernels.flow import accept, begin, hand_back_lost, step_length
from linmodel.kernels.flow_closed import CLOSED_ROWS, closed_rows, closed_values
from linmodel.kernels.flow_series import (
    ALPHA,
    FIRST,
    N2,
    O2,
    SIZES,
    SOURCE_ROWS,
    STATE_ROWS,
    WORK_ROWS,
    advance_rows,
    series_rows,
    values,
)
from linmodel.kernels.lanes import LANES, compiled, kernel

# Tighter than for sharpness alone: a dip's time is less well conditioned than its depth.
TOLERANCE = 1e-12
# Most halvings of a bracket: down to the last bit of a float64 time.
ROUNDS = 80
T_DIP, Q_DIP, T_EDGE = 0, 1, 2


def series_state(xp, x, _alpha, _strength, n2, *rows):
    """c, epsilon, n^2, o^2 at s0 + x."""
    _, _, _, o2, n2, big_x, big_y, w = values(xp, x, n2, *rows)
    root = 1.0 / xp.sqrt(w)
    return [big_x * root, big_y * root, n2, o2]


def closed_state(xp, x, *rows):
    """The same from the closed form; o^2 = 0."""
    q, b2, product, n2, up = closed_values(xp, x, *rows)
    size = xp.sqrt(q)
    c = xp.where(up < 0.0, -size, size)
    return [c, xp.where(size > 0.0, product / c, xp.sqrt(b2 - n2)), n2, 0.0]


def series_probe(xp, _, x, alpha, strength, n2, *rows):
    """(c^2)'/2 in time t and c^2 at s0 + x, x a row: B c epsilon - c^2 (|b|^2 + alpha o^2)."""
    q, b2, product, o2, *_ = values(xp, x, n2, *rows)
    return [strength * product - q * (b2 + alpha * o2), q]


def closed_probe(xp, _, x, *rows):
    """The same from the closed form."""
    q, b2, product, _, _ = closed_values(xp, x, *rows)
    return [rows[1] * product - q * b2, q]


_series_state = compiled(series_state, SIZES)
_closed_state = compiled(closed_state, CLOSED_ROWS)
_series_probe = compiled(series_probe, 1 + SIZES)
_closed_probe = compiled(closed_probe, 1 + CLOSED_ROWS)


@kernel
def _probe(on_series, rows, found):
    if on_series:
        _series_probe(0.0, rows, found)
    else:
        _closed_probe(0.0, rows, found)


@kernel
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


@kernel
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


@kernel
def _record(buffer, place, states, group, cells):
    for lane in range(LANES):
        row = cells[lane]
        states[row, 0, place], states[row, 1, place] = buffer[0, lane], buffer[1, lane]
        states[row, 2, place] = np.sqrt(max(buffer[2, lane], 0.0))
        left, o = buffer[2, lane] / group[N2, lane], np.sqrt(max(buffer[3, lane], 0.0))
        if left > 0.0:
            # n = n0 e^(-tau), o = o0 e^(-alpha tau): M7 keeps the digits that o^2 itself loses.
            o = np.sqrt(group[O2, lane]) * np.exp(0.5 * group[ALPHA, lane] * np.log(left))
        states[row, 3, place] = o


@kernel
def flow_path(source, cells, grid, level, states, events, status):
    """States at grid x T and events up to the last of these times.

    source, cells, grid, status as in kernels.flow.flow_sharpness
    level   (rows,): 2/(eta alpha), NaN for no edge
    states  (rows, 4, times): c, epsilon, |n|, |o|
    events  (rows, 3): s_dip, c^2 there, s_edge, in units of T; NaN on entry and where there is none
    """
    times = grid.size
    work, state = np.empty((WORK_ROWS, LANES)), np.empty((SOURCE_ROWS, LANES))
    after, closed = np.empty((STATE_ROWS, LANES)), np.empty((1 + CLOSED_ROWS, LANES))
    probe, buffer = np.empty((1 + SIZES, LANES)), np.empty((4, LANES))
    levels, past = np.empty(LANES), np.empty((2, LANES))
    for group in range(source.shape[0]):
        at = cells[group]
        matters = begin(source[group], state, work)
        for lane in range(LANES):
            levels[lane] = level[at[lane]]
        s, done, steps = 0.0, 0, 0
        while matters and done < times:
            series_rows(0.0, state, work[FIRST:])
            h = min(step_length(work, TOLERANCE), grid[times - 1] - s)
            while done < times and grid[done] <= s + h:
                _series_state(grid[done] - s, work, buffer)
                _record(buffer, done, states, source[group], at)
                done += 1
            for row in range(SIZES):
                for lane in range(LANES):
                    probe[1 + row, lane] = work[row, lane]
            if steps == 0:
                _start(probe, past, events, at, True)
            _events(True, probe, s, h, levels, past, events, at)
            advance_rows(h, work, after)
            steps += 1
            matters = accept(steps, state, work, after, status, at)
            s += h
        if done < times:
            closed_rows(0.0, state, closed[1:])
            hand_back_lost(closed[1:], status, at)
            if steps == 0:
                _start(closed, past, events, at, False)
            for place in range(done, times):
                _closed_state(grid[place] - s, closed[1:], buffer)
                _record(buffer, place, states, source[group], at)
            _events(False, closed, s, grid[times - 1] - s, levels, past, events, at)


@kernel
def _start(rows, past, events, cells, on_series):
    """Slope and c^2 at time 0; the dip is at 0 where c^2 rises from the start."""
    for lane in range(LANES):
        rows[0, lane] = 0.0
    _probe(on_series, rows, past)
    for lane in range(LANES):
        if past[0, lane] > 0.0:
            events[cells[lane], T_DIP] = 0.0
            events[cells[lane], Q_DIP] = past[1, lane]
