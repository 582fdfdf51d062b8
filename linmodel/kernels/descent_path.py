"""Gradient descent of one cell after another, with states recorded at chosen steps."""

from __future__ import annotations

import numpy as np

from linmodel.kernels.descent import DIVERGED, RUNNING, finish, is_settled, one_by_one
from linmodel.kernels.lanes import kernel


@kernel
def descend_path(start, record, final, events, status, taken, curves):
    """As kernels.descent.descend with every step taken, and the states after record[i] steps.

    record  (records,): ascending step numbers, the last the number of steps
    curves  (cells, 4, records): c, epsilon, n, log|o|; NaN from the step a cell escapes at
    """
    made_values, one = np.empty((6, 1)), np.empty(start.shape[0])
    for cell in range(start.shape[1]):
        one[:] = start[:, cell]
        step, verdict = 0, RUNNING
        for place in range(record.size):
            wanted = record[place] - step
            made = one_by_one(one, wanted, step, events, cell)
            step += made
            if made < wanted:
                verdict = DIVERGED
                break
            finish(one, 0, made_values, 0)
            for row in range(4):
                curves[cell, row, place] = made_values[row, 0]
        if verdict != DIVERGED:
            verdict = is_settled(one)
        finish(one, 0, final, cell)
        status[cell], taken[cell] = verdict, step
