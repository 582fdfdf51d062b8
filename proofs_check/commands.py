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
from linmodel.errors import InvalidInput
from proofs_check.resumed import Task, answers, beside

JsonFile = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Write the rows as JSON.")
]
Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Claims, such as F4.")]


def add_to(app: typer.Typer) -> None:
    """Give `app` the commands of this module."""
    for command in (certificates, certify, audit, mutate, export):
        app.command()(command)


def certificates(json_file: JsonFile = None) -> None:
    """Re-check every stored certificate exactly, with neither z3 nor sympy. Status 0: all hold."""
    from proofs_check.certificates.archive import VALID, recheck_all

    _ready(json_file)
    rows = recheck_all()
    wrong = [row for row in rows if row["verdict"] != VALID]
    _write(rows, json_file)
    _show(wrong)
    print(f"{len(rows)} certificates: {len(rows) - len(wrong)} proved, {len(wrong)} not")
    raise typer.Exit(1 if wrong or not rows else 0)


def certify(ids: Ids = None) -> None:
    """Find and store the certificates that are missing or do not fit. Status 0: none is missing."""
    from proofs_check.certificates.archive import ABSENT
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


def audit(
    ids: Ids = None,
    json_file: JsonFile = None,
    seconds: Annotated[
        float,
        typer.Option(min=0.1, help="Processor time of each answer; then the solver is killed."),
    ] = 30.0,
) -> None:
    """Put every inequality to cvc5 too and print who agrees. Status 0: both, on every question.

    With --json answers are kept in FILE.rows as they come; a killed run goes on where it was.
    """
    from proofs_check import audit as asking

    asking.require_cvc5()
    _ready(json_file)
    rows = _long_run(asking.tasks(ids, seconds), json_file, "asking cvc5")
    answers = [asking.Answer(**row) for row in rows]
    _write([answer.as_dict() for answer in answers], json_file)
    asked = Counter(answer.id for answer in answers)
    agreed = Counter(answer.id for answer in answers if answer.agree)
    _show([{"id": name, "questions": n, "agreed": agreed[name]} for name, n in asked.items()])
    odd = [answer for answer in answers if not answer.agree]
    _show([answer.as_dict() for answer in odd])
    good = len(answers) - len(odd)
    print(f"{len(answers)} questions: z3 and cvc5 agree on {good}, not on {len(odd)}")
    raise typer.Exit(1 if odd or not answers else 0)


def mutate(
    ids: Ids = None,
    sample: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="So many edits, each check in turn.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Which edits the sample draws.")] = 0,
    model: Annotated[bool, typer.Option("--model", help="Only the edits of the model.")] = False,
    json_file: JsonFile = None,
) -> None:
    """Edit statements and model, and print which edits the ledger does not notice.

    With --json answers are kept in FILE.rows as they come; a killed run goes on where it was.
    Status 0 whatever survives: survivors are for reading.
    """
    from proofs_check import mutate as run

    if model and (ids or sample):
        raise InvalidInput("--model takes no claims and no --sample: all edits of the model are "
                           "tried on the whole ledger.")  # fmt: skip
    _ready(json_file)
    tasks = run.model_tasks() if model else run.tasks(ids, sample, seed)
    rows = _long_run(tasks, json_file, "editing")
    _write(rows, json_file)
    for row in rows:
        if row["verdict"] in (run.SURVIVED, run.UNDECIDED):
            print(f"{row['verdict']}: {row['id']} {row['check']} ({row['kind']}): {row['mutant']}")
    kinds = dict.fromkeys(row["kind"] for row in rows)
    _show([{"kind": kind, **_counted([r for r in rows if r["kind"] == kind])} for kind in kinds])
    print(f"{len(rows)} edits: {100 * run.kill_rate(rows):.1f}% killed of those that claim more")


def export(
    path: Annotated[Path, typer.Argument(metavar="FILE.v", help="The file to write.")],
    ids: Ids = None,
    lemmas: Annotated[
        bool, typer.Option("--lemmas", help="With the analytic lemmas (needs Coquelicot).")
    ] = False,
    compile_it: Annotated[
        bool, typer.Option("--compile", help="Have coqc compile it; status 1 if it does not.")
    ] = False,
) -> None:
    """Write the certificates as lemmas for Rocq (Coq): hypotheses -> conclusion, each proved."""
    from proofs_check.rocq import export as rocq

    store.require_writable(path)
    source = rocq.text(ids, lemmas)
    store.write_text(path, source)
    print(f"{len(rocq.labels(ids))} lemmas written to {path}")
    if compile_it:
        found = rocq.compiled(source, classical=lemmas)
        print("\n".join([found.said, *(f"  {name}" for name in found.assumptions)]))
        raise typer.Exit(0 if found.good else 1)


def _counted(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    from proofs_check.mutate import KILLED, SURVIVED, UNDECIDED, WEAKER

    count = Counter(row["verdict"] for row in rows)
    return {word: count[word] for word in (KILLED, UNDECIDED, WEAKER, SURVIVED)}


def _long_run(tasks: Sequence[Task], json_file: Path | None, what: str) -> list[dict[str, Any]]:
    """The row of every task; those that an earlier run kept beside `json_file` are not done."""
    with beside(json_file) as kept:
        new = sum(not kept.has(task) for task in tasks)
        if new < len(tasks):
            print(f"{len(tasks) - new} of {len(tasks)} rows are taken from {kept.path}")
        with console.progress(new, what) as advance:
            return list(answers(tasks, kept, lambda row: advance(1, row["id"])))


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
