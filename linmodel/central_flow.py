"""G6: the central flow, the time average of descent at the edge of stability."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from linmodel.arguments import typed
from linmodel.assumptions import require_standing
from linmodel.bounds import largest_stable_step
from linmodel.curves import trajectory
from linmodel.errors import real, refuse
from linmodel.flow import gradient_flow
from linmodel.problem import Array, OpposingSignals, State, single
from linmodel.times import time_grid


@typed
def central_flow(
    problem: OpposingSignals, start: State, times: ArrayLike, step_size: float
) -> xr.Dataset:
    """G6: the flow up to t_edge, then alpha c^2 = 2/eta held by <o^2>; a Dataset as the flow's.

    From t_edge on: c = sqrt(2 / (eta alpha)), epsilon' = c (B - c epsilon), n' = -c^2 n, explicit,
    and o is the root mean square: <o^2> = (epsilon B / c - epsilon^2 - n^2) / alpha >= 0, which
    holds c still. It ends at epsilon = B sqrt(eta alpha / 2). Where alpha c^2 never crosses 2/eta:
    the flow. `sharpness` and `loss` are those of the averaged state.

    Raises InvalidInput outside the standing hypotheses, bad times, step_size <= 0 or > eta* (G3).
    """
    grid, eta = time_grid(times), real("step_size", step_size, above=0)
    require_standing(problem, single(start))
    largest = largest_stable_step(problem)
    if eta > largest:
        refuse(
            "step_size", eta, f"at most eta* = {largest:g} (G3)", "No minimum is stable above it."
        )
    flow = gradient_flow(problem, start, grid, step_size=eta)
    t_edge = float(flow.t_edge)
    columns = {name: flow[name].values.copy() for name in ("c", "epsilon", "n", "o")}
    if np.isfinite(t_edge):
        entry = gradient_flow(problem, start, [t_edge])
        after = grid >= t_edge
        held = _at_the_edge(problem, entry, eta, grid[after] - t_edge)
        for name, values in zip(columns, held, strict=True):
            columns[name][after] = values
    dataset = trajectory(
        problem,
        start,
        grid,
        State(**columns),
        method="central_flow",
        t_dip=float(flow.t_dip),
        t_edge=t_edge,
        step_size=eta,
    )
    dataset.attrs |= {"step_size": eta, "two_over_eta": 2 / eta}
    return dataset


def _at_the_edge(
    problem: OpposingSignals, entry: xr.Dataset, eta: float, since: Array
) -> tuple[Array, Array, Array, Array]:
    """(c, epsilon, n, root mean square o) a time `since` after the crossing."""
    square = 2 / (eta * problem.alpha)
    c = np.sqrt(square)
    decay = np.exp(-square * since)
    top = problem.beta_norm / c
    epsilon = top - (top - float(entry.epsilon[0])) * decay
    n = float(entry.n[0]) * decay
    mean_square = np.maximum(epsilon * (top - epsilon) - n**2, 0) / problem.alpha
    return np.full(since.shape, c), epsilon, n, np.sqrt(mean_square)
