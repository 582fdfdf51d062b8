"""Gradient descent on the reduced state, with o carried as (log|o|, sign o) (section 4, G1)."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from linmodel.arguments import typed
from linmodel.curves import trajectory
from linmodel.errors import integer, real, refuse
from linmodel.events import event_times
from linmodel.problem import ESCAPE, Array, OpposingSignals, State, single


@typed
def gradient_descent(
    problem: OpposingSignals, start: State, step_size: float, steps: int
) -> xr.Dataset:
    """`steps` steps of c+ = c - eta dL/dc, ... on the loss with factor 1/2; exact for any d (G1).

    n+ = n (1 - eta c^2) and o+ = o (1 - eta alpha c^2) are carried as logarithm and sign: o can
    fall to e^(-20000) and come back, and a float that underflows to 0 would call a run settled that
    must diverge.

    Returns a Dataset on `time` = step size x step (step 0 is the start) with the flow's variables,
    `log_abs_o`, `sign_o` and the coordinate `step`; t_edge is the first time alpha c^2 rises
    through 2/eta. Attribute `status`: "completed", or "diverged" with `diverged_at_step`:
    the Dataset ends with the last state below 1e30.

    Raises InvalidInput: step_size <= 0, steps < 1, a batch of states, a start beyond 1e30.
    """
    eta = real("step_size", step_size, above=0)
    steps = integer("steps", steps, low=1)
    largest = max(abs(float(np.asarray(value))) for value in single(start))
    if not largest < ESCAPE:
        refuse("largest component of the start", largest, f"a size below {ESCAPE:g}")
    table, sign_o = _iterate(problem, start, eta, steps)
    count = len(table)
    c, epsilon, n, log_abs_o = table.T
    states = State(c, epsilon, n, sign_o * np.exp(log_abs_o))
    time = eta * np.arange(count)
    t_dip, t_edge = event_times(time, problem.alpha * c**2, 2 / eta)
    dataset = trajectory(
        problem,
        start,
        time,
        states,
        method="descent",
        t_dip=t_dip,
        t_edge=t_edge,
        extra={"log_abs_o": log_abs_o, "sign_o": sign_o},
        step_size=eta,
        steps=steps,
    )
    dataset = dataset.assign_coords(step=("time", np.arange(count), {"units": "1"}))
    dataset.attrs |= {"step_size": eta, "two_over_eta": 2 / eta}
    dataset.attrs["status"] = "completed" if count == steps + 1 else "diverged"
    if count <= steps:
        dataset.attrs["diverged_at_step"] = count
    return dataset


def _iterate(problem: OpposingSignals, start: State, eta: float, steps: int) -> tuple[Array, Array]:
    """Rows (c, epsilon, n, log|o|) and the signs of o, up to the step before escape."""
    alpha, b_norm = problem.alpha, problem.beta_norm
    c, epsilon, n, o = (float(np.asarray(value)) for value in start)
    log_n, sign_n = _log(n), math.copysign(1.0, n)
    log_o, sign_o = _log(o), math.copysign(1.0, o)
    table = np.empty((steps + 1, 4))
    signs = np.empty(steps + 1)
    for step in range(steps + 1):
        table[step] = c, epsilon, n, log_o
        signs[step] = sign_o
        square = c * c
        slope = epsilon * (b_norm - c * epsilon) - c * (n * n + alpha * o * o)
        epsilon += eta * c * (b_norm - c * epsilon)
        factor_n, factor_o = 1 - eta * square, 1 - eta * alpha * square
        log_n, sign_n = log_n + _log(factor_n), math.copysign(sign_n, sign_n * factor_n)
        log_o, sign_o = log_o + _log(factor_o), math.copysign(sign_o, sign_o * factor_o)
        c += eta * slope
        if not max(abs(c), abs(epsilon)) < ESCAPE or max(log_n, log_o) > math.log(ESCAPE):
            return table[: step + 1], signs[: step + 1]
        n, o = sign_n * math.exp(log_n), sign_o * math.exp(log_o)
    return table, signs


def _log(value: float) -> float:
    return math.log(abs(value)) if value != 0 else -math.inf
