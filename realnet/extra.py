"""What to say when the optional dependencies of realnet are not installed."""

from __future__ import annotations

from importlib.util import find_spec

from linmodel.errors import InvalidInput

INSTALL = "pip install '.[realnet]' in this project's folder"


def need_torch(what: str) -> None:
    """Raise InvalidInput that names the extra to install, where torch is missing."""
    if find_spec("torch") is None:
        raise InvalidInput(f"{what} needs torch, which is not installed. Run: {INSTALL}")
