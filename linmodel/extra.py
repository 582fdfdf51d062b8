"""What to say when a part's optional dependencies are not installed."""

from __future__ import annotations

from importlib.util import find_spec

from linmodel.errors import InvalidInput


class MissingExtra(InvalidInput, ImportError):
    """A part whose optional dependencies are not installed; the message names the extra."""


def require(what: str, extra: str, *modules: str) -> None:
    """Raises MissingExtra that names the extra to install, where one of `modules` is missing."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
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
