"""What a sweep runs over: axes checked, cells numbered, cut into chunks, fingerprinted."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linmodel.errors import refuse
from linmodel.problem import Array, State
from linmodel.times import time_grid

Column = NDArray[Any]
Block = tuple[slice, ...]
Results = dict[str, Column]
AXES = ("alpha", "beta_norm", "k", "step_size")
FLOW_CURVES = ("c", "epsilon", "n", "o", "loss", "opposing_curvature", "sharpness")
FLOW_SCALARS = ("t_dip", "dip_depth", "t_edge", "final_sharpness", "status")
DESCENT_CURVES = ("c", "epsilon", "n", "log_abs_o", "loss", "opposing_curvature", "sharpness")
DESCENT_SCALARS = (
    "t_dip",
    "dip_depth",
    "t_edge",
    "final_c",
    "final_epsilon",
    "final_n",
    "final_log_abs_o",
    "final_sharpness",
    "peak_curvature",
    "steps_taken",
    "regime",
    "status",
)
DEVICE_FLOW = ("final_sharpness", "sharpness", "status")
KINDS: dict[str, np.dtype[Any]] = {
    "status": np.dtype("i1"),
    "regime": np.dtype("i1"),
    "steps_taken": np.dtype("i8"),
}
MOST_CELLS = 2**40
CHUNK_CELLS, CHUNK_BYTES = 65_536, 2**23


def growth_time(beta_norm: ArrayLike) -> Array:
    """3 ln(100 B) / B: by then the flow has converged from any usual start (B >= 1/10)."""
    strength = np.asarray(beta_norm, dtype=float)
    return 3 * np.log(100 * strength) / strength


def typical_state(k: ArrayLike) -> State:
    """c = 1, epsilon = 0.1, n^2 = 1/(1+k), o^2 = k/(1+k): a typical isotropic standard start."""
    ratio = np.asarray(k, dtype=float)
    return State(1.0, 0.1, np.sqrt(1 / (1 + ratio)), np.sqrt(ratio / (1 + ratio)))


@dataclass(frozen=True)
class Plan:
    """A checked sweep. Cells are numbered in C order of `shape`.

    dims        names of the cells' dimensions: the four axes (product) or ("cell",) (list)
    axes        name -> values; in a list all of one length
    start       c, epsilon, n, o and the time scale T, each along the dimension named in `along`
    grid        times in units of T (flow), or step numbers (descent)
    device      a torch device, or None for the compiled kernels
    limits      cells and bytes of a chunk, at most
    """

    method: str
    dims: tuple[str, ...]
    axes: dict[str, Array]
    start: dict[str, Array]
    along: dict[str, str]
    grid: Column
    variables: tuple[str, ...]
    device: str | None = None
    limits: tuple[int, int] = field(default_factory=lambda: (CHUNK_CELLS, CHUNK_BYTES))

    @property
    def shape(self) -> tuple[int, ...]:
        """Cells along each dimension."""
        if self.dims == ("cell",):
            return (len(self.axes["alpha"]),)
        return tuple(len(self.axes[name]) for name in self.dims)

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return math.prod(self.shape)

    @property
    def curves(self) -> tuple[str, ...]:
        """The variables that have one value for each time."""
        known = FLOW_CURVES if self.method == "flow" else DESCENT_CURVES
        return tuple(name for name in self.variables if name in known)

    @property
    def time_dim(self) -> str:
        """Name of the last dimension of a curve."""
        return "time" if self.method == "flow" else "step"

    @property
    def bytes(self) -> int:
        """Size of all results."""
        return self.cells * self.bytes_per_cell

    @property
    def bytes_per_cell(self) -> int:
        """Size of the results of one cell."""
        values = len(self.curves) * len(self.grid) + len(self.variables) - len(self.curves)
        return 8 * values

    @property
    def chunk(self) -> tuple[int, ...]:
        """Cells of a chunk along each dimension: whole trailing dimensions, a part of one, then 1s.

        So a chunk is a run of consecutive cells, and depends on the plan alone.
        """
        cells, size_in_bytes = self.limits
        room = max(64, min(cells, size_in_bytes // self.bytes_per_cell))
        sizes: list[int] = []
        for size in reversed(self.shape):
            if room >= size:
                sizes.append(size)
                room //= size
            else:
                sizes.append(math.ceil(size / math.ceil(size / max(room, 1))))
                room = 0
        return tuple(reversed(sizes))

    @property
    def chunks(self) -> int:
        """How many chunks there are."""
        return math.prod(
            math.ceil(n / part) for n, part in zip(self.shape, self.chunk, strict=True)
        )

    def blocks(self) -> Iterator[tuple[slice, ...]]:
        """The chunks as slices along the dimensions, in order."""
        counts = [math.ceil(size / part) for size, part in zip(self.shape, self.chunk, strict=True)]
        for place in np.ndindex(*counts):
            yield tuple(
                slice(at * part, min((at + 1) * part, size))
                for at, part, size in zip(place, self.chunk, self.shape, strict=True)
            )

    def span(self, block: tuple[slice, ...]) -> tuple[int, int]:
        """First cell number of a block, and the one after its last."""
        low = int(np.ravel_multi_index([part.start for part in block], self.shape))
        return low, low + math.prod(part.stop - part.start for part in block)

    def columns(self, low: int, high: int) -> dict[str, Array]:
        """alpha, beta_norm, k, step_size (if any), c, epsilon, n, o, scale of cells low to high."""
        places = np.unravel_index(np.arange(low, high), self.shape)
        at = dict(zip(self.dims, places, strict=True))
        found = {name: values[at.get(name, places[0])] for name, values in self.axes.items()}
        for name, values in self.start.items():
            found[name] = values[at[self.along[name]]]
        return found

    def fingerprint(self) -> dict[str, str]:
        """Digest of each part of the plan: where two sweeps differ, the message says."""
        parts: dict[str, str] = {
            "method": self.method,
            "device": str(self.device),
            "dims": " ".join(self.dims),
            "variables": " ".join(self.variables),
            "times" if self.method == "flow" else "steps": _digest(self.grid),
        }
        for name, values in (self.axes | self.start).items():
            parts[name] = _digest(values)
        return parts


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


def _digest(values: Column) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()[:16]
