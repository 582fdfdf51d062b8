"""What a sweep runs over: axes, starts, scales and variables checked, and made into a plan."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from linmodel.errors import refuse
from linmodel.problem import Array, State
from linmodel.sweeps.plan import (
    AXES,
    DESCENT_CURVES,
    DESCENT_SCALARS,
    DEVICE_FLOW,
    FLOW_CURVES,
    FLOW_SCALARS,
    Column,
    Plan,
)
from linmodel.times import time_grid

MOST_CELLS = 2**40


def growth_time(beta_norm: ArrayLike) -> Array:
    """3 ln(100 B) / B: by then the flow has converged from any usual start (B >= 1/10)."""
    strength = np.asarray(beta_norm, dtype=float)
    return 3 * np.log(100 * strength) / strength


def typical_state(k: ArrayLike) -> State:
    """c = 1, epsilon = 0.1, n^2 = 1/(1+k), o^2 = k/(1+k): a typical isotropic standard start."""
    ratio = np.asarray(k, dtype=float)
    return State(1.0, 0.1, np.sqrt(1 / (1 + ratio)), np.sqrt(ratio / (1 + ratio)))


def make_plan(
    *,
    alpha: ArrayLike,
    beta_norm: ArrayLike,
    k: ArrayLike,
    step_size: ArrayLike | None,
    product: bool,
    state: State | Callable[[Array], State] | None,
    times: ArrayLike | None,
    time_scale: ArrayLike | str | None,
    steps: ArrayLike | None,
    variables: tuple[str, ...] | list[str] | None,
    device: str | None = None,
) -> Plan:
    """Check everything a sweep is told, and number its cells. Raises InvalidInput."""
    if times is not None and steps is not None:
        refuse("times, steps", (times, steps), "times (flow) or steps (descent), not both")
    method = "flow" if steps is None else "descent"
    if times is None and method == "flow":
        times, time_scale = 1.0, "growth" if time_scale is None else time_scale
    if method == "descent" and step_size is None:
        refuse("step_size", step_size, "positive numbers, for descent")
    axes = _axes(alpha, beta_norm, k, step_size, product)
    dims = tuple(axes) if product else ("cell",)
    along = "k" if product else "cell"
    start = _start(state, axes["k"], product)
    wheres = dict.fromkeys(start, along)
    if method == "flow":
        start["scale"] = _scale(time_scale, axes["beta_norm"])
        wheres["scale"] = "beta_norm" if product else "cell"
    grid: Column = _steps(steps) if times is None else time_grid(times)
    chosen = _variables(variables, method, has_step_size=step_size is not None)
    plan = Plan(method, dims, axes, start, wheres, grid, chosen, device)
    if device is not None:
        _require_fit_for_device(plan)
    if plan.cells > MOST_CELLS:
        refuse(
            "number of cells",
            plan.cells,
            f"at most {MOST_CELLS:,}",
            f"This product of {' x '.join(map(str, plan.shape))} would take {plan.bytes:,} bytes.",
        )
    return plan


def _require_fit_for_device(plan: Plan) -> None:
    if plan.method == "descent" and plan.curves:
        refuse("variables", plan.curves, "scalars, for descent on a device")
    if plan.method == "flow":
        beyond = [name for name in plan.variables if name not in DEVICE_FLOW]
        if beyond:
            refuse("variables", beyond, f"{', '.join(DEVICE_FLOW)}, for the flow on a device")
        if plan.start["o"].any() or (plan.axes["beta_norm"] == 0).any():
            refuse("state", "one with o != 0, or B = 0", "o = 0 and B > 0, for a device (M8)")


def _axis(name: str, values: ArrayLike) -> Array:
    positive = name in ("k", "step_size")
    allowed = f"a sequence of finite numbers {'> 0' if positive else '>= 0'}, at least one"
    try:
        axis = np.array(values, dtype=float, ndmin=1)
    except (TypeError, ValueError, OverflowError):
        refuse(name, values, allowed)
    if axis.ndim != 1 or axis.size == 0:
        refuse(name, f"an array of shape {axis.shape}", allowed)
    bad = ~np.isfinite(axis) | (axis < 0) | (positive & (axis == 0))
    if bad.any():
        refuse(name, f"{axis[bad][0]} at position {int(np.argmax(bad))}", allowed)
    return axis


def _axes(
    alpha: ArrayLike, beta_norm: ArrayLike, k: ArrayLike, step_size: ArrayLike | None, product: bool
) -> dict[str, Array]:
    given = zip(AXES, (alpha, beta_norm, k, step_size), strict=True)
    axes = {name: _axis(name, values) for name, values in given if values is not None}
    if product:
        return axes
    length = max(len(axis) for axis in axes.values())
    for name, axis in axes.items():
        if len(axis) not in (1, length):
            refuse(
                name,
                f"{len(axis)} values",
                f"{length} values, or one",
                "A list needs equal lengths.",
            )
    return {name: np.broadcast_to(axis, length).copy() for name, axis in axes.items()}


def _start(
    state: State | Callable[[Array], State] | None, k: Array, product: bool
) -> dict[str, Array]:
    made = typical_state if state is None else state
    start = made(k) if callable(made) else made
    if start.shape not in ((), k.shape):
        along = "values of k" if product else "cells"
        refuse("state", f"of shape {start.shape}", f"one state, or as many as {along}: {k.shape}")
    names = ("c", "epsilon", "n", "o")
    return {
        name: np.broadcast_to(np.asarray(value, dtype=float), k.shape).copy()
        for name, value in zip(names, start, strict=True)
    }


def _scale(time_scale: ArrayLike | str | None, beta_norm: Array) -> Array:
    if time_scale is None:
        return np.ones_like(beta_norm)
    if isinstance(time_scale, str):
        if time_scale != "growth":
            refuse("time_scale", time_scale, 'None, "growth", or positive numbers')
        if (beta_norm < 0.1).any():
            refuse(
                "beta_norm",
                beta_norm.min(),
                '>= 0.1 with time_scale="growth", the default without times',
                "Give times for smaller ones.",
            )
        return growth_time(beta_norm)
    scale = _axis("time_scale", time_scale)
    if len(scale) not in (1, len(beta_norm)) or (scale == 0).any():
        refuse("time_scale", scale, f"one positive number, or {len(beta_norm)}")
    return np.broadcast_to(scale, beta_norm.shape).copy()


def _steps(steps: ArrayLike | None) -> Column:
    grid = time_grid(steps if steps is not None else [])
    if (grid != np.round(grid)).any() or grid[-1] < 1 or grid[-1] > 2**53:
        refuse("steps", steps, "whole numbers, the last >= 1")
    return grid.astype(np.int64)


def _variables(
    variables: tuple[str, ...] | list[str] | None, method: str, has_step_size: bool
) -> tuple[str, ...]:
    flow = method == "flow"
    scalars: tuple[str, ...] = FLOW_SCALARS if flow else DESCENT_SCALARS
    if not has_step_size:
        scalars = tuple(name for name in scalars if name != "t_edge")
    known = (*scalars, *(FLOW_CURVES if flow else DESCENT_CURVES))
    if variables is None:
        return scalars
    for name in variables:
        if name not in known:
            remedy = "t_edge needs step_size." if name == "t_edge" else ""
            refuse("variable", name, f"any of {', '.join(known)}", remedy)
    # One order, so that the order asked in does not make another sweep of it.
    return tuple(name for name in known if name in variables or name == "status")
