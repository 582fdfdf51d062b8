"""The stored certificates: read, written, and looked up for one check of one claim."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from linmodel.errors import InvalidInput
from linmodel.store import write_text
from proofs_check.certificates.formula import Statement
from proofs_check.certificates.recheck import Certificate, recheck

FILE = Path(__file__).with_name("certificates.json")
VALID, ABSENT = "proved", "no certificate"
REMEDY = "python -m proofs_check certify finds a new one"
ERRORS = (KeyError, TypeError, ValueError, AttributeError, SyntaxError, ArithmeticError,
          RecursionError)  # fmt: skip
Stored = dict[str, dict[str, Any]]  # claim id -> "step/check" -> certificate


@cache
def stored() -> Stored:
    """Everything in FILE (nothing without it). Raises InvalidInput where it is not such JSON."""
    if not FILE.exists():
        return {}
    try:
        found = json.loads(FILE.read_text(encoding="utf-8"))
        good = all(isinstance(part, Mapping) for part in found.values())
    except (OSError, ValueError, AttributeError) as error:
        raise InvalidInput(f"{FILE} cannot be read ({error}): install the package again.") from None
    if not good:
        raise InvalidInput(f"{FILE} is not a table of certificates: install the package again.")
    return found


def save(table: Stored) -> None:
    """Write FILE, one certificate a line."""
    lines = []
    for claim, checks in table.items():
        rows = [f"  {json.dumps(key)}: {json.dumps(entry)}" for key, entry in checks.items()]
        lines.append(f" {json.dumps(claim)}: {{\n" + ",\n".join(rows) + "\n }")
    write_text(FILE, "{\n" + ",\n".join(lines) + "\n}\n")
    stored.cache_clear()


def key(step: int, check: str) -> str:
    """The name of a check within its claim: "2/positive (1)"."""
    return f"{step}/{check}"


def look_up(claim: str, name: str, statement: Statement) -> tuple[str, int]:
    """What the stored certificate says of `statement`: (VALID, its terms), (ABSENT, 0), or what is
    wrong with it."""
    entry = stored().get(claim, {}).get(name)
    if entry is None:
        return ABSENT, 0
    try:
        certificate = Certificate.of(entry)
        if not certificate.statement.same_as(statement):
            return f"the stored certificate belongs to another statement: {REMEDY}", 0
        return recheck(certificate) or VALID, len(certificate)
    except ERRORS as error:
        return f"the stored certificate cannot be read ({type(error).__name__}: {error})", 0


def recheck_all() -> list[dict[str, str]]:
    """Re-check every stored certificate: rows id, check, verdict ("proved" or what is wrong)."""
    return [
        {"id": claim, "check": name, "verdict": _verdict(entry)}
        for claim, checks in stored().items()
        for name, entry in checks.items()
    ]


def _verdict(entry: Any) -> str:
    try:
        return recheck(Certificate.of(entry)) or VALID
    except ERRORS as error:
        return f"cannot be read ({type(error).__name__}: {error})"
