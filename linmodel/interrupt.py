"""Ctrl-C and SIGTERM end a command with one line and status 128 + the signal's number.

Imported first by the packages, so that it holds while their imports still run; only where Python
was started as `python -m PACKAGE`: a library leaves a program's signals alone.
"""

from __future__ import annotations

import _thread
import atexit
import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

PACKAGES = ("linmodel", "proofs_check", "realnet", "figures")
SIGNALS = (signal.SIGINT, signal.SIGTERM)
AGAIN = 0.05  # seconds until a signal whose exception was swallowed is raised once more
PATIENCE = 3.0  # seconds for the way out: threads may compile for ten, and a kill loses no more
LINE = "nothing half-written is left, and the same command goes on from what it had saved."
_arrived: list[int] = []
_watching: list[weakref.ref[Stopped]] = []


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

    Somebody may swallow it: Python itself in a callback from C, as compilers make them, or in a
    finalizer; an `except:` of a library, which then computes on with a wrong answer. There the
    signal is raised again a little later, until it holds.
    """
    _handle(_raise)
    sys.unraisablehook = _show_others
    atexit.register(_handle, signal.SIG_IGN)  # the work is done, and its status is known


def leave_from_now_on() -> None:
    """The work is over: a signal has nothing left to put right."""
    _handle(_leave)


def arrived() -> int | None:
    """The signal that was raised: whatever ends the command after it is its consequence.

    A compiler whose callback was cut short finds "no compiled object yet".
    """
    return _arrived[0] if _arrived else None


def _raise(number: int, _frame: FrameType | None) -> None:
    _handle(_leave)  # a second signal does not wait for the tidying up
    if not _arrived:
        _later(PATIENCE, leave, number)
    _arrived.append(number)
    raise _watched(number)


def _watched(number: int) -> Stopped:
    """Raised again where it is dropped: no frame of its traceback may hold it, so it is made here.

    Where somebody keeps it instead, PATIENCE ends the command.
    """
    stopped = Stopped(number)
    _watching.append(weakref.ref(stopped, lambda _: _raise_again(number)))
    return stopped


def _raise_again(number: int) -> None:
    _handle(_raise)
    _later(AGAIN, _send, number)


def _later(seconds: float, work: Callable[[int], object], number: int) -> None:
    """In a thread of its own, without the locks of `threading`, which the main thread may hold."""

    def wait() -> None:
        time.sleep(seconds)
        work(number)

    _thread.start_new_thread(wait, ())


def _show_others(unraisable: sys.UnraisableHookArgs) -> None:
    if not isinstance(unraisable.exc_value, Stopped):
        sys.__unraisablehook__(unraisable)


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
