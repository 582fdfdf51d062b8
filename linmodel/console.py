"""What the command lines share: clean errors, and progress that suits a terminal or a log."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from typer.core import TyperGroup

from linmodel import interrupt
from linmodel.errors import FlowFailed, InvalidInput
from linmodel.extra import MissingExtra

Advance = Callable[[int, str], None]
MOST_CHARACTERS = 2000  # of an error's line


def new_app(
    help_text: str, cls: type[TyperGroup] = TyperGroup, completion: bool = False
) -> typer.Typer:
    """A typer application as all four packages use it: plain errors.

    completion  offer --install-completion: of a command that is installed under its own name
    """
    return typer.Typer(
        cls=cls,
        help=help_text,
        add_completion=completion,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def run(app: typer.Typer, name: str) -> None:
    """Run `app` and exit: bad input, and what the machine refuses, is one line and status 2.

    So is a flow that stops short, sizes beyond the memory, a full disk, a standard output that
    takes nothing. SIGINT and SIGTERM are one line and status 130 and 143.
    """
    interrupt.raise_from_now_on()
    try:
        status = _status(app, name)
        interrupt.leave_from_now_on()
    except interrupt.Stopped as stopped:
        interrupt.leave(stopped.number)
    except Exception:
        _leave_where_stopped()
        raise
    _leave_where_stopped()
    sys.exit(status)


def _leave_where_stopped() -> None:
    if (number := interrupt.arrived()) is not None:
        interrupt.leave(number)


def _status(app: typer.Typer, name: str) -> int | str | None:
    try:
        try:
            app(prog_name=name)
            status: int | str | None = 0
        except SystemExit as done:
            status = done.code
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except (InvalidInput, FlowFailed, MissingExtra) as error:
        return _failed(str(error))
    except MemoryError as error:
        return _failed(f"too large for this machine's memory ({error}).")
    except OSError as error:
        with suppress(OSError):  # what waits in the buffer would fail again at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1 if error.errno == errno.EPIPE else _failed(f"{error}.")


def _failed(message: str) -> int:
    _leave_where_stopped()
    with suppress(OSError):
        print(f"error: {' '.join(message.split())[:MOST_CHARACTERS]}", file=sys.stderr, flush=True)
    return 2


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
        pace = f" ({rate:.3g}/s, {(total - done) / rate:.0f} s left)" if done else ""
        line = f"{what}: {done}/{total}{pace} {note}"
        with suppress(OSError):  # a log that is full or closed does not stop the work
            print(line.rstrip(), file=sys.stderr, flush=True)

    return advance
