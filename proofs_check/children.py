"""Work in a child process, by a fork of one that has imported what is slow to import."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from multiprocessing import resource_tracker
from typing import Any

# Nothing here imports the claims: a child may edit the model before they are made.
PRELOADED = ["__main__", "sympy", "z3", "cvc5", "proofs_check.audit", "proofs_check.mutate",
             "proofs_check.smt", "proofs_check.symbolic", "proofs_check.enclosure"]  # fmt: skip


@cache
def _context() -> Any:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(PRELOADED)
    return found


def call(
    work: Callable[..., Any], *arguments: Any, patience: float | None = None
) -> tuple[Any, int | None]:
    """What `work` returns in a child (None where it did not end well), and its exit status.

    patience  seconds of wall-clock time after which it is killed; its status is then None
    """
    here, there = _context().Pipe(duplex=False)
    child = _context().Process(target=_send, args=(there, work, *arguments), daemon=True)
    with _keyboard_held():
        child.start()
    there.close()
    try:
        child.join(patience)
        if child.exitcode is None:
            return None, None
        return (here.recv() if child.exitcode == 0 else None), child.exitcode
    finally:  # a signal to this process ends the child too
        if child.exitcode is None:
            child.kill()
            child.join()


@contextmanager
def _keyboard_held() -> Iterator[None]:
    """Ctrl-C reaches the whole group: what starts here never sees it, and is killed by us."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # started later, it would let the keyboard in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _send(to: Any, work: Callable[..., Any], *arguments: Any) -> None:
    with suppress(BrokenPipeError):  # nobody waits any more
        to.send(work(*arguments))
