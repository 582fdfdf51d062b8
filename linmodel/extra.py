"""What to say when a part's optional dependencies are not installed."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import TracebackType

from linmodel.errors import InvalidInput

PROGRAMS = ("linmodel", "proofs_check", "realnet", "figures")


class MissingExtra(InvalidInput, ImportError):
    """A part whose optional dependencies are not installed; the message names the extra."""


def require(what: str, extra: str, *modules: str) -> None:
    """Raises MissingExtra that names the extra to install, where one of `modules` is missing."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        if _program_begins():
            sys.excepthook = _in_one_line
        raise MissingExtra(
            f"{what} needs {', '.join(missing)}, not installed here. "
            f"Run: pip install '.[{extra}]' in this project's folder"
        )


def require_matplotlib() -> None:
    """Raises MissingExtra where pictures cannot be drawn; no extra of a part's own has it alone."""
    if find_spec("matplotlib") is None:
        raise MissingExtra(
            "a picture needs matplotlib, not installed here. Run: pip install matplotlib"
        )


def _program_begins() -> bool:
    """Is this `python -m` one of ours, or the import of its package?"""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    ours = spec is not None and spec.name.partition(".")[0] in PROGRAMS
    return ours or sys.argv[:1] == ["-m"]


def _in_one_line(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """What a program's user reads where its imports fail: no traceback, and status 2."""
    if not isinstance(error, MissingExtra):
        sys.__excepthook__(kind, error, trace)
        return
    print(f"error: {error}", file=sys.stderr)
    raise SystemExit(2)
