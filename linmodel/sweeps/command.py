"""`python -m linmodel sweep`: a sweep from the shell, with progress in cells per second."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
import xarray as xr

from linmodel.console import progress
from linmodel.errors import real, refuse
from linmodel.files import require_writable
from linmodel.problem import Array, State
from linmodel.store import save
from linmodel.sweeps.frame import DESCENT_STATUS, FLOW_STATUS
from linmodel.sweeps.grid import make_plan
from linmodel.sweeps.plan import Plan

MOST_VALUES = 2**24  # along an axis: 128 MB of numbers
MOST_SECONDS, MOST_BYTES = 600, 10**10  # of a sweep that begins without being asked for twice
TRIED = 500  # cells solved to estimate the time
RANGE = "START:STOP:COUNT, START:STOP:COUNT:log, or values with commas"


def axis(name: str, text: str) -> Array:
    """`10:1e5:50:log` (log-spaced), `0:1:11` (evenly spaced) or `1,2,5` as numbers.

    Raises InvalidInput.
    """
    parts = text.split(":")
    if len(parts) == 1:
        return np.array([real(name, part) for part in text.split(",")])
    if len(parts) not in (3, 4) or (len(parts) == 4 and parts[3] not in ("log", "lin")):
        refuse(name, text, RANGE)
    first, last, count = (real(name, part) for part in parts[:3])
    if count != int(count) or count < 1:
        refuse(name, text, RANGE, "COUNT is a whole number, at least 1.")
    if count > MOST_VALUES:
        refuse(name, text, f"at most {MOST_VALUES:,} values along an axis")
    if parts[-1] != "log":
        return np.linspace(first, last, int(count))
    if first <= 0 or last <= 0:
        refuse(name, text, "START and STOP > 0 for log")
    return np.geomspace(first, last, int(count))


def sweep(
    alpha: Annotated[str, typer.Option(help=f"Magnitudes of the opposing signal: {RANGE}.")],
    beta_norm: Annotated[str, typer.Option(help="Strengths of the signal, likewise.")],
    k: Annotated[str, typer.Option("--k", help="Pervasiveness d2/d1, likewise.")] = "1",
    step_size: Annotated[
        str | None, typer.Option(help="Step sizes eta, likewise: t_edge of the flow, or descent.")
    ] = None,
    times: Annotated[
        str | None, typer.Option(help="Times of the flow, likewise. Default: to convergence.")
    ] = None,
    time_scale: Annotated[
        str | None, typer.Option(help="Unit of --times: a number, or growth = 3 ln(100 B)/B.")
    ] = None,
    steps: Annotated[
        str | None, typer.Option(help="Descent: number of steps, or the steps to record.")
    ] = None,
    state: Annotated[
        str | None,
        typer.Option(help="Start c,epsilon,n,o. Default: 1, .1, (1+k)^-1/2, (k/(1+k))^1/2."),
    ] = None,
    variables: Annotated[
        str | None, typer.Option(help="Variables with commas. Default: the scalars.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="A .zarr store (streamed, resumable) or a .nc file.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a dask scheduler, like tcp://host:8786.")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads. Default: all cores.")] = None,
    device: Annotated[
        str | None, typer.Option(help="A torch device such as cuda: descent, or the flow at o = 0.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Begin a sweep of over 10 minutes or 10 GB unasked.")
    ] = False,
) -> None:
    """Flow, or with --steps descent, for every combination of alpha, beta_norm, k, step size."""
    streamed = out is not None and out.suffix != ".nc"
    scale = None if time_scale is None else _scale(time_scale)
    if out is not None and not streamed:
        require_writable(out)
    given: dict[str, Any] = {
        "alpha": axis("alpha", alpha),
        "beta_norm": axis("beta_norm", beta_norm),
        "k": axis("k", k),
        "step_size": None if step_size is None else axis("step_size", step_size),
        "state": None if state is None else _state(state),
        "times": None if times is None else axis("times", times),
        "time_scale": scale,
        "steps": None if steps is None else axis("steps", steps),
        "variables": None if variables is None else tuple(variables.split(",")),
        "device": device,
    }
    from linmodel.sweeps.running import (
        sweep as run_sweep,  # late: needs numba, which takes a second
    )

    plan = make_plan(**given, product=True)
    if streamed and not yes:
        _ask(plan, threads)
    begun, done = time.monotonic(), 0
    with progress(plan.cells, "sweep") as advance:

        def report(cells: int) -> None:
            nonlocal done
            done += cells
            rate = done / max(time.monotonic() - begun, 1e-9)
            advance(cells, f"{rate:,.0f} cells/s")

        found = run_sweep(
            **given,
            out=out if streamed else None,
            client=scheduler,
            threads=threads,
            progress=report,
        )
    if out is not None and not streamed:
        save(found, out)
    _report(found, out)


def _ask(plan: Plan, threads: int | None) -> None:
    """Before a large sweep: cells, bytes and expected time, and whether to begin.

    Raises InvalidInput where nobody is there to answer, or the answer is no.
    """
    seconds = _expected_seconds(plan) / (threads or os.cpu_count() or 1)
    if seconds <= MOST_SECONDS and plan.bytes <= MOST_BYTES:
        return
    size = f"{plan.cells:,} cells, {plan.bytes:,} bytes, about {seconds / 3600:,.1f} hours here"
    asked = sys.stdin is not None and sys.stdin.isatty()
    if not (asked and typer.confirm(f"This sweep has {size}. Begin?")):
        refuse("size of the sweep", size, "one that is confirmed", "Add --yes to begin it.")


def _expected_seconds(plan: Plan) -> float:
    """Processor seconds of the whole sweep, from a few cells at its start, middle and end."""
    from linmodel.sweeps.solve import empty, solve

    count = min(TRIED, plan.cells)
    places = [0, (plan.cells - count) // 2, plan.cells - count]
    solve(plan, 0, 1, empty(plan, 1))  # compiles
    begun = time.process_time()
    for low in places:
        solve(plan, low, low + count, empty(plan, count))
    return (time.process_time() - begun) * plan.cells / (count * len(places))


def _scale(text: str) -> str | float:
    return text if text == "growth" else real("time_scale", text, above=0)


def _state(text: str) -> State:
    values = axis("state", text)
    if len(values) != 4:
        refuse("state", text, "four numbers c,epsilon,n,o")
    return State(*(float(value) for value in values))


def _report(found: xr.Dataset, out: Path | None) -> None:
    """How many cells ended how; where the results are."""
    names = FLOW_STATUS if found.attrs["method"] == "flow" else DESCENT_STATUS
    counts = np.bincount(found.status.values.ravel(), minlength=len(names))
    parts = [f"{count:,} {name}" for name, count in zip(names, counts, strict=True) if count]
    print(f"{found.status.size:,} cells: {', '.join(parts)}")
    if out is None:
        print(found)
    else:
        print(f"written to {out}")
