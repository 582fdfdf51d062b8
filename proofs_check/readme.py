"""The docs' table statement -> function -> verdict, written from the ledger.

`python -m proofs_check.readme` rewrites the lines between the two markers.
"""

from __future__ import annotations

import sys
from pathlib import Path

from linmodel.errors import InvalidInput
from linmodel.files import write_text
from proofs_check import catalogue
from proofs_check.credit import Credit, totals

BEGIN = "<!-- ledger: written by python -m proofs_check.readme docs/statements.md -->"
END = "<!-- end of ledger -->"


def table() -> str:
    """Markdown table of every claim, and who vouches for it.

    Its columns "by machine" and "by hand" count checks, and lemmas + readings.
    """
    rows = [
        "| id | verdict | statement | by machine | by hand | function | from |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    claims = catalogue()
    for claim in claims:
        function = f"`linmodel.{claim.function}`" if claim.function else ""
        credit = Credit.of(claim)
        hand = f"{len(credit.lemmas)} + {len(credit.readings)}"
        title = claim.title.replace("|", "\\|")
        counts = (str(credit.checks), hand)
        cells = (claim.id, claim.recorded, title, *counts, function, claim.source)
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join([*rows, "", f"{totals(claims)}. By hand: lemmas + readings (`show ID`)."])


def with_table(text: str) -> str:
    """`text` with the lines between the markers replaced; InvalidInput without the markers."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise InvalidInput(f"the text lacks the markers {BEGIN!r} and {END!r}: put them back.")
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


if __name__ == "__main__":
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/statements.md")
    write_text(path, with_table(path.read_text(encoding="utf-8")))
