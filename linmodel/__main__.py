"""Command line of the model: `python -m linmodel flow|descent|spectrum|sweep`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
import xarray as xr
from rich.console import Console
from rich.table import Table

from linmodel.console import new_app, run
from linmodel.descent import gradient_descent
from linmodel.errors import integer, real, refuse
from linmodel.files import require_writable
from linmodel.flow import gradient_flow
from linmodel.landscape import hessian_spectrum
from linmodel.problem import OpposingSignals, State
from linmodel.reduction import standard_state
from linmodel.store import save
from linmodel.sweeps.command import sweep

app = new_app(
    "The two-layer linear model of opposing signals (Rosenfeld & Risteski 2024, section 3.3):"
    " its gradient flow, gradient descent, Hessian spectrum, and sweeps. Loss with factor 1/2;"
    " time = step size x step."
)
app.command()(sweep)

Alpha = Annotated[float, typer.Option(help="Magnitude of the opposing signal, >= 0.")]
BetaNorm = Annotated[float, typer.Option(help="||beta||, strength of the signal, >= 0.")]
K = Annotated[float, typer.Option("--k", help="Pervasiveness d2 / d1, > 0.")]
D1 = Annotated[int, typer.Option("--d1", help="Number of signal coordinates.")]
Support = Annotated[str, typer.Option(help="isotropic or aligned opposing covariance.")]
Seed = Annotated[int, typer.Option(help="Seed of the standard initialisation.")]
Start = Annotated[
    str | None,
    typer.Option("--state", help="Start as c,epsilon,n,o instead of a draw, e.g. 1,0.1,0.4,0.9."),
]
Out = Annotated[Path | None, typer.Option(help="Write the curves to this NetCDF file.")]


@app.command()
def flow(
    alpha: Alpha,
    beta_norm: BetaNorm,
    k: K = 1.0,
    d1: D1 = 100,
    support: Support = "isotropic",
    seed: Seed = 0,
    state: Start = None,
    t_end: Annotated[
        float | None, typer.Option(help="Last time. Default: 3 ln(100 B + 10) / max(B, 0.1).")
    ] = None,
    points: Annotated[int, typer.Option(help="Number of times, evenly spaced from 0.")] = 400,
    step_size: Annotated[
        float | None, typer.Option(help="eta: report when alpha c^2 rises through 2/eta.")
    ] = None,
    out: Out = None,
) -> None:
    """Gradient flow: sharpness in time, the dip and the crossing of 2/eta."""
    problem, start = _problem_and_start(alpha, beta_norm, k, d1, support, seed, state)
    end = _default_end(problem) if t_end is None else real("t_end", t_end, above=0)
    times = np.linspace(0, end, integer("points", points, low=2))
    if out is not None:
        require_writable(out)
    _show(gradient_flow(problem, start, times, step_size=step_size), out)


@app.command()
def descent(
    alpha: Alpha,
    beta_norm: BetaNorm,
    step_size: Annotated[float, typer.Option(help="eta, > 0.")],
    steps: Annotated[int, typer.Option(help="Number of steps.")] = 2000,
    k: K = 1.0,
    d1: D1 = 100,
    support: Support = "isotropic",
    seed: Seed = 0,
    state: Start = None,
    out: Out = None,
) -> None:
    """Gradient descent at a step size: sharpness against 2/eta, and how it ends."""
    problem, start = _problem_and_start(alpha, beta_norm, k, d1, support, seed, state)
    if out is not None:
        require_writable(out)
    _show(gradient_descent(problem, start, step_size, steps), out)


@app.command()
def spectrum(
    alpha: Alpha,
    beta_norm: BetaNorm,
    k: K = 1.0,
    d1: D1 = 100,
    support: Support = "isotropic",
    seed: Seed = 0,
    state: Start = None,
    t_end: Annotated[float, typer.Option(help="Time along the gradient flow.")] = 0.0,
    out: Out = None,
) -> None:
    """The whole Hessian spectrum, with multiplicities (H1), at a time of the gradient flow."""
    problem, start = _problem_and_start(alpha, beta_norm, k, d1, support, seed, state)
    if out is not None:
        require_writable(out)
    flow = gradient_flow(problem, start, [real("t_end", t_end, low=0)])
    there = State(*(float(flow[name][0]) for name in ("c", "epsilon", "n", "o")))
    values, multiplicity = hessian_spectrum(problem, there)
    table = Table("eigenvalue", "multiplicity", caption=f"time {t_end:g}, loss factor 1/2 (H1)")
    for value, count in zip(values, multiplicity, strict=True):
        table.add_row(f"{value:.12g}", str(count))
    Console().print(table)
    if out is not None:
        flow["eigenvalue"] = ("mode", values, {"units": "curvature", "long_name": "eigenvalue"})
        flow["multiplicity"] = ("mode", list(multiplicity), {"units": "1"})
        save(flow, out)


def _problem_and_start(
    alpha: float,
    beta_norm: float,
    k: float,
    d1: int,
    support: str,
    seed: int,
    state: str | None,
) -> tuple[OpposingSignals, State]:
    problem = OpposingSignals(alpha, beta_norm, k, d1, support)
    return problem, standard_state(problem, seed) if state is None else _parse_state(state)


def _parse_state(text: str) -> State:
    parts = text.split(",")
    if len(parts) != 4:
        refuse("--state", text, "four numbers c,epsilon,n,o", "For example 1,0.1,0.4,0.9.")
    return State(*(real(name, part) for name, part in zip("ceno", parts, strict=True)))


def _default_end(problem: OpposingSignals) -> float:
    """A time by which the flow has converged for ordinary starts."""
    return float(3 * np.log(100 * problem.beta_norm + 10) / max(problem.beta_norm, 0.1))


def _show(dataset: xr.Dataset, out: Path | None) -> None:
    if out is not None:
        save(dataset, out)
    table = Table("quantity", "start", "least", "greatest", "end", title=dataset.attrs["title"])
    for name, variable in dataset.data_vars.items():
        if variable.dims:
            values = variable.values
            numbers = (values[0], values.min(), values.max(), values[-1])
            table.add_row(str(name), *(f"{number:.6g}" for number in numbers))
    console = Console()
    console.print(table)
    for name in ("t_dip", "t_edge"):
        console.print(f"{name} = {float(dataset[name]):.9g}")
    for name in ("two_over_eta", "status", "diverged_at_step"):
        if name in dataset.attrs:
            console.print(f"{name} = {dataset.attrs[name]}")
    if out is not None:
        console.print(f"wrote {out}", soft_wrap=True)


if __name__ == "__main__":
    run(app, "python -m linmodel")
