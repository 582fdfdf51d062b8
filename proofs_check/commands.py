"""Commands about the ledger itself: its certificates, and who checks the checks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from linmodel import console, store

JsonFile = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Write the rows as JSON.")
]
Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Claims, such as F4.")]


def add_to(app: typer.Typer) -> None:
    """Give `app` the commands of this module."""
    for command in (certificates, certify):
        app.command()(command)


def certificates(json_file: JsonFile = None) -> None:
    """Re-check every stored certificate exactly, with neither z3 nor sympy. Status 0: all hold."""
    from proofs_check.certificates.store import VALID, recheck_all

    _ready(json_file)
    rows = recheck_all()
    wrong = [row for row in rows if row["verdict"] != VALID]
    _write(rows, json_file)
    _show(wrong)
    print(f"{len(rows)} certificates: {len(rows) - len(wrong)} proved, {len(wrong)} not")
    raise typer.Exit(1 if wrong or not rows else 0)


def certify(ids: Ids = None) -> None:
    """Find and store the certificates that are missing or do not fit. Status 0: none is missing."""
    from proofs_check.certificates.store import ABSENT
    from proofs_check.certify import certify as find
    from proofs_check.certify import statements

    total = sum(1 for _ in statements(ids))
    with console.progress(total, "certifying") as advance:
        rows = find(ids, each=lambda row: advance(1, row["id"]))
    missing = [row for row in rows if row["verdict"] == ABSENT]
    _show(missing)
    count = Counter(row["verdict"] for row in rows)
    print(f"{len(rows)} inequalities: {', '.join(f'{n} {word}' for word, n in count.items())}")
    raise typer.Exit(1 if missing else 0)


def _ready(json_file: Path | None) -> None:
    if json_file is not None:
        store.require_writable(json_file)


def _write(rows: Sequence[Mapping[str, Any]], json_file: Path | None) -> None:
    if json_file is not None:
        store.write_text(json_file, json.dumps(rows, indent=1, ensure_ascii=False) + "\n")


def _show(rows: Sequence[Mapping[str, Any]]) -> None:
    """The rows as a table; nothing for none."""
    if not rows:
        return
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    Console(width=140).print(table)
