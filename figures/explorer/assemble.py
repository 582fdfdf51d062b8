"""The explorer's page put together: template, styles, scripts and data in one HTML text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib import metadata, resources

import xarray as xr

# The arithmetic (a twin of linmodel, also run in a worker) and the page itself, in order.
ARITHMETIC = (
    "legendre",
    "collocation",
    "model",
    "bounds",
    "flow",
    "descent",
    "optimisers",
    "random",
    "start",
    "comparison",
    "envelope_pieces",
    "envelope",
    "central_flow",
    "phases",
)
PAGE = (
    "parameters",
    "api",
    "axes",
    "plot",
    "compute",
    "panels",
    "map_worker",
    "map_panel",
    "readings",
    "cursor",
    "exports",
    "controls",
    "main",
)
# Statements that the page's readings carry.
CLAIMS = (
    *("M5", "M9", "H1", "F4", "F5", "F7", "F10", "F11", "F11c", "F12"),
    *("G1", "G2", "G3", "G4", "G4b", "G6", "G7", "S1", "S3", "S4"),
)
FIELDS = ("id", "title", "statement", "verdict", "evidence", "function")


def explorer_page(claims: dict[str, dict[str, str]], run: dict[str, object] | None = None) -> str:
    """The whole page as HTML text: self-contained, no request leaves it.

    claims  statements by id, as `statements` gives them
    run     a real run's curve and the state to begin with, as `overlay` gives it
    """
    first = run.get("first", {}) if run else {}
    data = {"claims": claims, "run": run, "first": first}
    parts = {
        "page_style": _text("style.css"),
        "plot_style": _text("plot.css"),
        "arithmetic": _scripts(ARITHMETIC),
        "page": _scripts(PAGE),
        "data": json.dumps(data, allow_nan=False).replace("<", "\\u003c"),
        "foot": f"opposing-signals {metadata.version('opposing-signals')}. Loss with the factor "
        "1/2; time is step size × step. Made by python -m figures explore.",
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _text("page.html"))


def statements(each: Callable[[str], object] = lambda note: None) -> dict[str, dict[str, str]]:
    """The statements that the page cites, checked now (about 20 s); `each` hears of every one."""
    from proofs_check import run  # late: sympy and z3 take a second to import

    results = run(CLAIMS, each=lambda result: each(f"{result.claim.id}: {result.verdict}"))
    rows = {}
    for result in results:
        row = {name: str(getattr(result.claim, name, "")) for name in FIELDS}
        rows[result.claim.id] = row | {"verdict": str(result.verdict), "evidence": result.evidence}
    return rows


def statements_of(table: xr.Dataset) -> dict[str, dict[str, str]]:
    """The same from the report's ledger, without checking anything again."""
    known = [str(name) for name in table.claim.values]
    rows = {}
    for name in (each for each in CLAIMS if each in known):
        row = table.sel(claim=name)
        texts = {key: str(row[key].item()) if key in row else "" for key in FIELDS}
        rows[name] = texts | {"id": name}
    return rows


def _scripts(names: tuple[str, ...]) -> str:
    return "\n".join(_text(f"scripts/{name}.js") for name in names)


def _text(name: str) -> str:
    return resources.files("figures.explorer").joinpath(name).read_text(encoding="utf-8")
