"""Which figures there are, in the order of the report."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import Any

import figures
from linmodel.errors import refuse

ORDER = (
    "overview",
    "edge",
    "oscillation",
    "settling",
    "closed_form",
    "ledger",
    "sweeps",
    "real_run",
    "bridge",
    "signals",
)


def names() -> list[str]:
    """Every figure that is present: those of ORDER, then any other module with `draw`."""
    present = {module.name for module in pkgutil.iter_modules(figures.__path__)}
    found = [name for name in ORDER if name in present]
    rest = sorted(name for name in present - set(ORDER) if not name.startswith("_"))
    return found + [name for name in rest if hasattr(import_module(f"figures.{name}"), "draw")]


def module(name: str) -> Any:
    """The module of a figure. Raises InvalidInput for an unknown name, listing what exists."""
    if name not in names():
        refuse("figure", name, "one of " + ", ".join([*names(), "all", "experiments", "report"]))
    return import_module(f"figures.{name}")
