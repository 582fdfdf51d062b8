"""Command line: python -m realnet train | bridge | signals | experiments."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from linmodel.console import new_app, run
from realnet.experiments.command import experiments
from realnet.signals.command import signals
from realnet.training.command import train

app = new_app("Train real networks with their sharpness tracked; compare them with the theory.")


@app.callback()
def main() -> None:
    """Train real networks with their sharpness tracked; compare them with the theory."""


app.command()(train)
app.command()(signals)
app.command()(experiments)


@app.command()
def bridge(
    run_path: Annotated[
        Path, typer.Argument(metavar="RUN", help="Run folder, or NetCDF with sharpness on time.")
    ],
    out: Annotated[Path | None, typer.Option(help="Write everything to this NetCDF file.")] = None,
    scales: Annotated[
        int,
        typer.Option(help="2: scales of time and sharpness both fitted; 1: their product is 1."),
    ] = 2,
    draws: Annotated[int, typer.Option(help="Bootstrap draws for intervals; 0: none.")] = 0,
    step_size: Annotated[
        list[float] | None, typer.Option(help="Forecast edge and plateau at it (repeatable).")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the starts and the bootstrap.")] = 0,
) -> None:
    """Fit the toy's sharpness curve to a run's (no torch needed); forecast larger step sizes.

    Exit status 1: the toy does not describe the curve, or the fit did not converge.
    """
    from realnet.bridge.command import bridge_command

    etas = tuple(step_size or ())
    status = bridge_command(run_path, out, scales=scales, seed=seed, draws=draws, step_sizes=etas)
    raise typer.Exit(status)


if __name__ == "__main__":
    run(app, "python -m realnet")
