"""Command line: python -m figures NAME|all|experiments|report, and python -m figures explore."""

from __future__ import annotations

import sys
import webbrowser
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import figures.installed  # noqa: F401  first: it says which extra is missing
from figures.catalogue import module, names
from figures.experiments.kit.shown import figure, finished
from figures.explorer import CLAIMS, explorer_page, overlay, statements
from figures.options import Options
from figures.report import build, check_format, draw_to, make_folder
from figures.style import save
from linmodel.console import new_app, progress, run
from linmodel.errors import InvalidInput
from linmodel.store import require_writable, write_text
from realnet.bridge import read_curve


class DrawFirst(TyperGroup):
    """`python -m figures NAME ...` means `draw NAME ...`: only the other commands are named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = bool(args) and (args[0] in self.commands or args == ["--help"] or args == ["-h"])
        return super().parse_args(ctx, args if named or not args else ["draw", *args])


app = new_app("Draw one figure, all of them, or the report; or make the explorer.", cls=DrawFirst)
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
    open: Annotated[bool, typer.Option("--open", help="Show the report in a browser.")] = False,
) -> None:
    """Data go to OUT/data with a manifest and are used again while nothing changed."""
    options = Options(train_size, steps, step_size, every, sweep_points, seed)
    if name == "report":
        path, worked = build(options, out)
        print(f"{path}" + ("" if worked else ": written, but a part failed (see the page)"))
        if open and not webbrowser.open(path.resolve().as_uri()):
            print(f"No browser was found here: open {path} yourself.", file=sys.stderr)
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


@app.command()
def explore(
    run: Annotated[
        Path | None,
        typer.Option(
            help="A real run to lay over: run folder, NetCDF, or CSV with sharpness and time."
        ),
    ] = None,
    step_size: Annotated[
        float | None, typer.Option(help="eta of the run, where the file does not say it.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The HTML file.")] = Path("explorer.html"),
) -> None:
    """One HTML page to play with the model: open it by double click, no network needed.

    A run that cannot be read or fitted is explained in one sentence, on the page too; the page is
    made all the same, and the exit status is 1.
    """
    require_writable(out)
    shown, message = None, ""
    if run is not None:
        try:
            shown = overlay(read_curve(run, step_size=step_size), str(run))
        except InvalidInput as error:
            message = f"The run is not shown: {error}"
            shown = {"message": message}
    with progress(len(CLAIMS), "statements") as advance:
        claims = statements(lambda note: advance(1, note))
    print(write_text(out, explorer_page(claims, shown)))
    if message:
        print(message, file=sys.stderr)
        raise typer.Exit(1)


def _experiments(out: Path, format: str) -> None:
    """Every finished experiment of the project's own curves, one figure each."""
    check_format(format)
    make_folder(out)
    for each in finished():
        print(save(figure(each), out / f"{each}.{format}"))


if __name__ == "__main__":
    run(app, "python -m figures")
