"""`python -m realnet bridge SMALL [--second SECOND] --step-size ETA`: its options. No torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def bridge(
    small: Annotated[
        Path,
        typer.Argument(
            metavar="SMALL",
            help="Small-step run: run folder, NetCDF, or CSV with sharpness and time or step;"
            " or the folder of `train --pair`.",
        ),
    ],
    second: Annotated[
        Path | None, typer.Option(help="Run from the same start at about twice the step size.")
    ] = None,
    step_size: Annotated[
        list[float] | None, typer.Option(help="Forecast the edge at it (repeatable).")
    ] = None,
    of_step_size: Annotated[
        float | None, typer.Option(help="Step size of SMALL, where the file does not say it.")
    ] = None,
    second_step_size: Annotated[
        float | None, typer.Option(help="Step size of SECOND, likewise.")
    ] = None,
    larger: Annotated[
        Path | None, typer.Option(help="A run at a larger step size: scored and drawn.")
    ] = None,
    larger_step_size: Annotated[float | None, typer.Option(help="Its step size, likewise.")] = None,
    level: Annotated[float, typer.Option(help="Nominal coverage of the intervals.")] = 0.9,
    time_column: Annotated[str | None, typer.Option(help="Column of time = eta x step.")] = None,
    step_column: Annotated[str | None, typer.Option(help="Column of step numbers.")] = None,
    sharpness_column: Annotated[str | None, typer.Option(help="Column of sharpness.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the forecast's rows here.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw it here (.png, .svg, .pdf).")] = None,
    out: Annotated[Path | None, typer.Option(help="Write everything to this NetCDF file.")] = None,
    scales: Annotated[
        int, typer.Option(help="Of the fit. 2: of time and of sharpness; 1: their product is 1.")
    ] = 2,
    data: Annotated[
        str | None,
        typer.Option(
            help="Fit the spectrum toy too, with the data's spectrum: run (the run's own), or .npz"
            " with x and y."
        ),
    ] = None,
    draws: Annotated[int, typer.Option(help="Bootstrap draws for the fit's intervals.")] = 0,
    seed: Annotated[int, typer.Option(help="Of the fit's starts and the bootstrap.")] = 0,
) -> None:
    """When does a larger step size reach the edge of stability? From small-step runs alone.

    Without --step-size: fit the toy to SMALL; exit status 1 where it does not describe the curve.
    """
    from realnet.bridge.asking import Request, answer_request
    from realnet.bridge.reading import Columns

    columns = Columns(time_column, step_column, sharpness_column)
    request = Request(
        small=small,
        second=second,
        larger=larger,
        step_sizes=tuple(step_size or ()),
        small_step_size=of_step_size,
        second_step_size=second_step_size,
        larger_step_size=larger_step_size,
        columns=columns,
        level=level,
        scales=scales,
        data=data,
        draws=draws,
        seed=seed,
        json=json,
        plot=plot,
        out=out,
    )
    raise typer.Exit(answer_request(request))
