"""Finding the certificates of the ledger's inequalities, and storing them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from proofs_check import catalogue
from proofs_check.certificates import archive
from proofs_check.certificates.finder import find
from proofs_check.certificates.formula import Statement
from proofs_check.certificates.hints import HINTS

Row = dict[str, str]


def statements(ids: Iterable[str] | None = None) -> Iterator[tuple[str, str, Statement]]:
    """Claim id, check and statement of every inequality of the ledger (or of the claims named).

    Raises InvalidInput for an id that the ledger does not have.
    """
    for claim in catalogue(ids):
        for number, step in enumerate(claim.steps, 1):
            for name, check in step.checks.items():
                if check.statement is not None:
                    yield claim.id, archive.key(number, name), check.statement()


def certify(
    ids: Iterable[str] | None = None, each: Callable[[Row], object] = lambda row: None
) -> list[Row]:
    """Find what certificates are missing or do not fit, and store them; drop those of no check.

    Rows id, check, verdict: "kept", "found" or "no certificate". Without ids for the whole ledger.
    """
    wanted = None if ids is None else list(ids)
    table = {} if wanted is None else {k: v for k, v in archive.stored().items() if k not in wanted}
    rows = []
    for claim, name, statement in statements(wanted):
        entry = archive.stored().get(claim, {}).get(name)
        verdict = "kept"
        if archive.look_up(claim, name, statement)[0] != archive.VALID:
            found = find(statement, HINTS.get((claim, name), ()))
            entry = found.as_dict() if found else None
            verdict = "found" if found else archive.ABSENT
        if entry is not None:
            table.setdefault(claim, {})[name] = entry
        rows.append({"id": claim, "check": name, "verdict": verdict})
        each(rows[-1])
    order = [claim.id for claim in catalogue() if claim.id in table]
    archive.save({claim: table[claim] for claim in order})
    return rows
