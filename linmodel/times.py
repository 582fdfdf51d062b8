"""Checks of the arguments that flow, closed form and descent share."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from linmodel.errors import real, refuse
from linmodel.problem import Array


def time_grid(times: ArrayLike) -> Array:
    """`times` as a 1-d float array, finite, >= 0, strictly increasing; else InvalidInput."""
    allowed = "a 1-d sequence of finite times >= 0 that strictly increase"
    try:
        grid = np.array(times, dtype=float, ndmin=1)
    except (TypeError, ValueError, OverflowError):
        refuse("times", times, allowed)
    if grid.ndim != 1 or grid.size == 0:
        refuse("times", f"an array of shape {grid.shape}", allowed)
    if not np.isfinite(grid).all():
        refuse("times", f"a grid with {grid[~np.isfinite(grid)][0]}", allowed)
    if grid[0] < 0:
        refuse("times", f"a grid that starts at {grid[0]}", allowed)
    steps = np.diff(grid)
    if (steps <= 0).any():
        at = int(np.argmax(steps <= 0))
        refuse("times", f"a grid with {grid[at + 1]} after {grid[at]}", allowed, "Sort it.")
    return grid


def optional_step_size(step_size: float | None) -> float | None:
    """A step size eta > 0, or None."""
    return None if step_size is None else real("step_size", step_size, above=0)
