"""The command `experiments`: estimate first, then run what is missing; resumes by itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from linmodel.console import progress
from linmodel.errors import InvalidInput
from linmodel.extra import require
from linmodel.files import require_writable
from realnet.experiments.kit.definition import Scale


def experiments(
    names: Annotated[list[str] | None, typer.Argument(help="Which; none: all.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of run folders and results.")] = Path(
        "experiments"
    ),
    list_only: Annotated[
        bool,
        typer.Option(
            "--list", help="Say what there is and measure how long it takes; keep no run."
        ),
    ] = False,
    quick: Annotated[
        bool, typer.Option(help="Two seeds, a tenth of the steps, into OUT/quick.")
    ] = False,
    device: Annotated[str, typer.Option(help="One of auto, cpu, cuda.")] = "cpu",
    size: Annotated[int, typer.Option(help="Training samples; 0: each experiment's own.")] = 0,
) -> None:
    """Run the experiments; finished ones are kept, interrupted ones go on where they were.

    OUT holds runs/, one NetCDF file for each finished experiment, and manifest.json. Exit status 1
    where an experiment could not be run.
    """
    require("realnet experiments", "realnet", "torch")
    from realnet.experiments.kit.registry import chosen

    scale = Scale(device=device, size=size or None, quick=quick)
    wanted = chosen(names or [])
    folder = out / "quick" if quick else out
    require_writable(out / "manifest.json" if out.is_dir() else out)
    folder.mkdir(parents=True, exist_ok=True)
    seconds = _estimates(wanted, scale, folder)
    if list_only:
        return
    failed = [one.name for one in wanted if not _run(one, scale, folder, seconds[one.name])]
    if failed:
        print(f"not finished: {', '.join(failed)}", file=sys.stderr)
        raise typer.Exit(1)
    print(f"{len(wanted)} experiments in {folder}")


def _estimates(wanted: list, scale: Scale, folder: Path) -> dict[str, float]:
    """Prints a line for each experiment and the sum; seconds by name, NaN where not known."""
    seconds: dict[str, float] = {}
    for one in wanted:  # each line as it comes: all of them are measured for a minute or two
        seconds[one.name] = left = _estimate(one, scale, folder)
        known = "finished" if left == 0 else f"about {left / 60:.1f} min"
        state = known if left == left else "cannot be run"
        print(f"{one.name:18} {len(one.configs(scale)):4} runs  {state:16} {one.title}", flush=True)
    total = sum(each for each in seconds.values() if each == each)
    print(f"all: about {total / 60:.0f} min on this machine, one process")
    return seconds


def _estimate(one, scale: Scale, folder: Path) -> float:
    """Seconds; NaN, and the reason said, where its data are not there."""
    from realnet.experiments.kit.engine import estimate

    try:
        return estimate(one, scale, folder)
    except InvalidInput as error:
        print(f"{one.name}: {error}", file=sys.stderr)
        return float("nan")


def _run(one, scale: Scale, folder: Path, seconds: float) -> bool:
    from realnet.experiments.kit.engine import run_experiment

    try:
        with progress(max(1, len(one.configs(scale))), one.name) as advance:
            data = run_experiment(one, scale, folder, advance)
    except InvalidInput as error:
        print(f"{one.name}: {error}", file=sys.stderr)
        return False
    took = "was there" if seconds == 0 else "done"
    print(f"{one.name}: {took}, {folder / one.name}.nc ({len(data.data_vars)} variables)")
    return True
