"""What the command lines share: clean errors, and progress that suits a terminal or a log."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from linmodel.errors import FlowFailed, InvalidInput

Advance = Callable[[int, str], None]


def new_app(help_text: str) -> typer.Typer:
    """A typer application as all four packages use it: plain errors, no completion commands."""
    return typer.Typer(
        help=help_text,
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def run(app: typer.Typer, name: str) -> None:
    """Run `app`; bad input prints one line on standard error and exits with status 2.

    So does what the input makes impossible: a flow that stops short, sizes beyond the memory.
    """
    try:
        app(prog_name=name)
    except (InvalidInput, FlowFailed) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except MemoryError as error:
        print(f"error: too large for this machine's memory ({error}).", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


@contextmanager
def progress(total: int, what: str, log_seconds: float = 5.0) -> Iterator[Advance]:
    """Yield `advance(count, note)`. A bar on a terminal; plain lines in a log."""
    console = Console(stderr=True)
    if console.is_terminal and "NO_PROGRESS" not in os.environ:
        with _bar(console, total, what) as advance:
            yield advance
    else:
        yield _log_lines(total, what, log_seconds)


@contextmanager
def _bar(console: Console, total: int, what: str) -> Iterator[Advance]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(what, total=total, note="")

        def advance(count: int = 1, note: str = "") -> None:
            bar.update(task, advance=count, note=note)

        yield advance


def _log_lines(total: int, what: str, log_seconds: float) -> Advance:
    begun = time.monotonic()
    last = begun
    done = 0

    def advance(count: int = 1, note: str = "") -> None:
        nonlocal done, last
        done += count
        now = time.monotonic()
        if done < total and now - last < log_seconds:
            return
        last = now
        rate = done / max(now - begun, 1e-9)
        left = (total - done) / rate if rate > 0 else float("nan")
        line = f"{what}: {done}/{total} ({rate:.3g}/s, {left:.0f} s left) {note}"
        print(line.rstrip(), file=sys.stderr, flush=True)

    return advance
