"""The kernels' formulas on a torch device: descent, and the closed form M8 where o = 0.

Imported only when a sweep is given `device`. Same formulas, so the same numbers to roundoff.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from linmodel.errors import refuse
from linmodel.kernels import descent as kernel
from linmodel.kernels import lanes as lanes
from linmodel.kernels.flow_closed import closed_constants, closed_sharpness
from linmodel.problem import ESCAPE
from linmodel.sweeps.plan import Column

# Steps between two looks at the cells: a look copies them to the host.
LOOK = 1024


def _pair(function: Any) -> Any:
    def call(left: Any, right: Any) -> Any:
        like = left if isinstance(left, torch.Tensor) else right
        return function(
            *(torch.as_tensor(v, dtype=like.dtype, device=like.device) for v in (left, right))
        )

    return call


TORCH = SimpleNamespace(
    sqrt=torch.sqrt,
    exp=torch.exp,
    absolute=torch.abs,
    maximum=_pair(torch.maximum),
    minimum=_pair(torch.minimum),
    where=torch.where,
)


def checked_device(name: str) -> torch.device:
    """The torch device of that name. Raises InvalidInput where there is none."""
    try:
        device = torch.device(name)
        torch.zeros(1, dtype=torch.float64, device=device).cpu()
    except (RuntimeError, AssertionError, TypeError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        refuse("device", name, "a torch device with float64", f"torch says: {reason}")
    return device


def descend(
    start: Column,
    count: int,
    final: Column,
    events: Column,
    status: Column,
    taken: Column,
    device: str,
) -> None:
    """kernels.descent.descend on a device; cells that settled or escaped leave at the next look."""
    on = checked_device(device)
    rows = torch.as_tensor(start, device=on)
    cells, left = np.arange(start.shape[1]), count
    while len(cells):
        before, made = rows, min(LOOK, left)
        for _ in range(made // kernel.UNROLL):
            moved = kernel.steps(TORCH, 0.0, *rows)
            rows = torch.cat([torch.stack(moved), rows[kernel.MOVING_ROWS :]])
        left -= made
        host, earlier = rows.cpu().numpy().copy(), before.cpu().numpy()
        keep = np.ones(len(cells), bool)
        _review(host, earlier, made, left, cells, keep, final, events, status, taken)
        cells = cells[keep]
        rows = torch.as_tensor(np.ascontiguousarray(host[:, keep]), device=on)


@lanes.kernel
def _review(host, before, made, left, cells, keep, final, events, status, taken):
    """After `made` steps: write out the cells that escaped, settled or have no steps left.

    A cell that escaped, or where a first dip or edge may be, and every cell in the last few steps,
    is replayed one step at a time.
    """
    one = np.empty(kernel.ROWS)
    for place in range(cells.size):
        cell, done = cells[place], made
        one[:] = host[:, place]
        largest = max(abs(one[kernel.C]), abs(one[kernel.EPSILON]), abs(one[kernel.N]))
        high = ESCAPE if one[kernel.PLACES] >= 0 else np.inf
        escaped = not abs(one[kernel.MANTISSA]) < high or not largest < ESCAPE
        cut = escaped or made % kernel.UNROLL != 0
        if cut or kernel.has_news(one, events, cell):
            one[:] = before[:, place]
            done = kernel.one_by_one(one, made, taken[cell], events, cell)
            if cut:
                host[:, place] = one
            one[:] = host[:, place]
        verdict = kernel.DIVERGED if done < made else kernel.is_settled(one)
        if verdict == kernel.RUNNING and left > 0:
            continue
        keep[place] = False
        status[cell], taken[cell] = verdict, taken[cell] + done
        if verdict != kernel.DIVERGED:
            taken[cell] += left
        kernel.finish(one, left if verdict == kernel.SETTLED else 0, final, cell)
    for place in range(cells.size):
        if keep[place]:
            taken[cells[place]] += made


def closed_flow(columns: dict[str, Column], grid: Column, out: Column, device: str) -> None:
    """Sharpness (cells, times) at grid x T of cells with o = 0 (M8)."""
    on = checked_device(device)
    at = {name: torch.as_tensor(values, device=on)[:, None] for name, values in columns.items()}
    c, epsilon, n = at["c"], at["epsilon"], at["n"]
    span = at["scale"]
    kappa = c * c - epsilon * epsilon - n * n
    signal = at["beta_norm"] * span
    given = (c, epsilon, n * n, 0.0 * c, at["alpha"], signal, span, kappa)
    rows = closed_constants(TORCH, 0.0, *given)
    out[:] = closed_sharpness(TORCH, torch.as_tensor(grid, device=on), *rows)[0].cpu().numpy()
