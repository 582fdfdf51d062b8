"""Gradient flow of many cells at once: a Taylor series while o matters, the closed form M8 after.

Cells travel in groups of LANES and share the step in normalised time s = t / T, so that nothing in
a group branches. A lane's o^2 is set to zero once o^2 < 1e-18 c^2, where it moves the sharpness by
less than 2e-9 even at a crossing of eigenvalues; when every lane has got there, the rest of the
way is explicit. Formulas are in modules `flow_series` and `flow_closed`.
"""

from __future__ import annotations

import numpy as np

from linmodel.kernels.flow_closed import CLOSED_ROWS, closed_rows, closed_sharpness_rows
from linmodel.kernels.flow_series import (
    ALPHA,
    EPSILON,
    FIRST,
    KAPPA,
    N2,
    O2,
    ORDER,
    SIGNAL,
    SIZES,
    SOURCE_ROWS,
    SPAN,
    STATE_ROWS,
    WORK_ROWS,
    C,
    advance_rows,
    series_rows,
    series_sharpness_rows,
)
from linmodel.kernels.lanes import LANES, kernel

TOLERANCE = 4e-9
# The same where epsilon0 < c0 / 100: c and epsilon may nearly cancel along what grows.
CONTRARY = 1e-12
# Share of (c, epsilon) left in that direction below which such a cell is handed back.
LOST = 1e-3
# Largest decay rate times step while o^2 is carried: there e^-x's series is still positive.
STABLE = 4.4
# After each so many a group hands back its fastest cell: stiff, on a long crawl at small c.
MOST_STEPS = 500

# Status of a cell: solved; or handed back: stiff, ill-conditioned or not a number.
GOOD, BACK = 0, 1


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
                series_sharpness_rows(grid[done] - s, work, buffer[done:])
                done += 1
            advance_rows(h, work, after)
            steps += 1
            matters = accept(steps, state, work, after, status, cells[group])
            s += h
        if done < times:
            closed_rows(0.0, state, closed)
            hand_back_lost(closed, status, cells[group])
            for place in range(done, times):
                closed_sharpness_rows(grid[place] - s, closed, buffer[place:])
        for lane in range(LANES):
            row = out[cells[group, lane]]
            for place in range(times):
                row[place] = buffer[place, lane]
