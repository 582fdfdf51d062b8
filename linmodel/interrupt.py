"""Ctrl-C and SIGTERM end a command with one line and status 128 + the signal's number.

Imported first by the packages, so that it holds while their imports still run; only where Python
was started as `python -m PACKAGE`: a library leaves a program's signals alone.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

PACKAGES = ("linmodel", "proofs_check", "realnet", "figures")
SIGNALS = (signal.SIGINT, signal.SIGTERM)
AGAIN = 0.05  # seconds until a signal whose exception was swallowed is raised once more
LINE = "nothing half-written is left, and the same command goes on from what it had saved."
_swallowed: list[int] = []


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
    """Signals raise `Stopped`, so that open files and folders are put right on the way out.

    A signal may arrive where Python prints an exception and goes on: in a callback from C, as
    compilers make them, or a finalizer. There it is raised again a little later, until it holds.
    """
    _handle(_raise)
    sys.unraisablehook = _raise_again


def _raise(number: int, _frame: FrameType | None) -> None:
    _handle(_leave)  # a second signal does not wait for the tidying up
    raise Stopped(number)


def was_swallowed() -> int | None:
    """The signal whose exception was swallowed: an error that follows is its consequence.

    A compiler whose callback was cut short finds "no compiled object yet".
    """
    return _swallowed[-1] if _swallowed else None


def _raise_again(unraisable: sys.UnraisableHookArgs) -> None:
    if not isinstance(stopped := unraisable.exc_value, Stopped):
        sys.__unraisablehook__(unraisable)
        return
    _swallowed.append(stopped.number)
    _handle(_raise)
    timer = threading.Timer(AGAIN, _send, [stopped.number])
    timer.daemon = True
    timer.start()


def _send(number: int) -> None:
    """To the main thread, whose sleep or wait it ends, where the system has threads' signals."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, number)
    else:
        signal.raise_signal(number)


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
