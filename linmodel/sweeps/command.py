"""`python -m linmodel sweep`: a sweep from the shell, with progress in cells per second."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
import xarray as xr

from linmodel.console import progress
from linmodel.errors import real, refuse
from linmodel.problem import Array, State
from linmodel.store import save
from linmodel.sweeps.frame import DESCENT_STATUS, FLOW_STATUS
from linmodel.sweeps.run import sweep as run_sweep

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
) -> None:
    """Flow, or with --steps descent, for every combination of alpha, beta_norm, k, step size."""
    streamed = out is not None and out.suffix != ".nc"
    scale = None if time_scale is None else _scale(time_scale)
    begun, done = time.monotonic(), 0
    sizes = [len(axis(*pair)) for pair in _given(alpha, beta_norm, k, step_size)]
    with progress(int(np.prod(sizes, dtype=object)), "sweep") as advance:

        def told(cells: int) -> None:
            nonlocal done
            done += cells
            rate = done / max(time.monotonic() - begun, 1e-9)
            advance(cells, f"{rate:,.0f} cells/s")

        found = run_sweep(
            alpha=axis("alpha", alpha),
            beta_norm=axis("beta_norm", beta_norm),
            k=axis("k", k),
            step_size=None if step_size is None else axis("step_size", step_size),
            state=None if state is None else _state(state),
            times=None if times is None else axis("times", times),
            time_scale=scale,
            steps=None if steps is None else axis("steps", steps),
            variables=None if variables is None else variables.split(","),
            out=out if streamed else None,
            client=scheduler,
            threads=threads,
            device=device,
            progress=told,
        )
    if out is not None and not streamed:
        save(found, out)
    _report(found, out)


def _given(alpha: str, beta_norm: str, k: str, step_size: str | None) -> list[tuple[str, str]]:
    named = {"alpha": alpha, "beta_norm": beta_norm, "k": k, "step_size": step_size}
    return [(name, text) for name, text in named.items() if text is not None]


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
