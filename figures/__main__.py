"""Command line: python -m figures NAME|all|experiments|report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from figures.catalogue import module, names
from figures.experiments import figure, finished
from figures.options import Options
from figures.report import build, check_format, draw_to, make_folder
from figures.style import save
from linmodel.console import new_app, progress, run

app = new_app("Draw one figure, all of them, or the report.")
DEFAULT = Options()
EXISTING = ", ".join(names())


@app.command(
    help=f"Draw a figure, all, experiments (the finished ones), or the report. Figures: {EXISTING}."
)
def draw(
    name: Annotated[
        str, typer.Argument(metavar="NAME|all|experiments|report", help="What to make.")
    ],
    out: Annotated[Path, typer.Option(help="Folder; the report is its index.html.")] = Path(
        "report"
    ),
    format: Annotated[str, typer.Option(help="Of single figures: png, svg or pdf.")] = "png",
    train_size: Annotated[int, typer.Option(help="Images of the real run.")] = DEFAULT.train_size,
    steps: Annotated[int, typer.Option(help="Steps of the real run.")] = DEFAULT.steps,
    step_size: Annotated[float, typer.Option(help="eta of the real run.")] = DEFAULT.step_size,
    every: Annotated[int, typer.Option(help="Steps between sharpness values.")] = DEFAULT.every,
    sweep_points: Annotated[int, typer.Option(help="Per axis of a sweep.")] = DEFAULT.sweep_points,
    seed: Annotated[int, typer.Option(help="Of the real run and the fit.")] = DEFAULT.seed,
) -> None:
    """Data go to OUT/data with a manifest and are used again while nothing changed."""
    options = Options(train_size, steps, step_size, every, sweep_points, seed)
    if name == "report":
        path, worked = build(options, out)
        print(f"{path}" + ("" if worked else ": written, but a part failed (see the page)"))
        raise typer.Exit(0 if worked else 1)
    if name == "experiments":
        _experiments(out, format)
        return
    wanted = names() if name == "all" else [name]
    for each in wanted:
        module(each)
    check_format(format)
    make_folder(out)
    with progress(len(wanted), "figures") as advance:
        for each in wanted:
            path = draw_to(each, options, out, out / "data", format)
            advance(1, str(path))
            print(path)


def _experiments(out: Path, format: str) -> None:
    """Every finished experiment of the project's own curves, one figure each."""
    check_format(format)
    make_folder(out)
    for each in finished():
        print(save(figure(each), out / f"{each}.{format}"))


if __name__ == "__main__":
    run(app, "python -m figures")
