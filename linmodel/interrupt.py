"""Ctrl-C and SIGTERM end a command with one line and status 128 + the signal's number.

Imported first by the packages, so that it holds while their imports still run; only where Python
was started as `python -m PACKAGE`: a library leaves a program's signals alone.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

PACKAGES = ("linmodel", "proofs_check", "realnet", "figures")
SIGNALS = (signal.SIGINT, signal.SIGTERM)
LINE = "nothing half-written is left, and the same command goes on from what it had saved."


class Stopped(BaseException):
    """Raised in the main thread by a signal while a command runs; no `except Exception` eats it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def leave(number: int) -> NoReturn:
    """Say in one line what happened and end the process with 128 + number, without a traceback."""
    word = "interrupted" if number == signal.SIGINT else "terminated"
    try:
        os.write(2, f"{word}: {LINE}\n".encode())
    finally:
        os._exit(128 + number)


def raise_from_now_on() -> None:
    """Signals raise `Stopped`, so that open files and folders are put right on the way out."""
    _handle(_raise)


def _raise(number: int, _frame: FrameType | None) -> None:
    _handle(_leave)  # a second signal does not wait for the tidying up
    raise Stopped(number)


def _leave(number: int, _frame: FrameType | None) -> None:
    leave(number)


def _handle(handler: object) -> None:
    try:
        for number in SIGNALS:
            # A command started with nohup or in the background keeps ignoring what it ignores.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, handler)  # type: ignore[arg-type]
    except ValueError:  # not the main thread
        return


def _is_command() -> bool:
    words = sys.orig_argv
    at = words.index("-m") + 1 if "-m" in words else len(words)
    return at < len(words) and words[at].partition(".")[0] in PACKAGES


if _is_command():
    _handle(_leave)
    from linmodel.errors import show_notices_on_one_line

    show_notices_on_one_line()
