"""Every question of the ledger put to another solver, cvc5, beside z3.

Each answer comes from a child process that is killed at its limit of processor time (so that a busy
machine does not make time-outs): a solver's own limit is not always kept. `unknown`, `timeout` and
`failed` are never agreement.
"""

from __future__ import annotations

import importlib
import importlib.util
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from linmodel.errors import InvalidInput
from proofs_check.certify import statements
from proofs_check.children import call
from proofs_check.resumed import Kept, Task, answers, versions
from proofs_check.smtlib import Query, queries

SECONDS = 30.0
PATIENCE = 20.0  # times the limit, of wall-clock time: for a child that sleeps, or has no timer
ANSWERS = ("sat", "unsat", "unknown")
TIMEOUT = "timeout"


def require_cvc5() -> None:
    """Raises InvalidInput where cvc5 is not installed."""
    if importlib.util.find_spec("cvc5") is None:
        raise InvalidInput("audit needs cvc5, which is not installed: "
                           "pip install '.[audit]' in this project's folder.")  # fmt: skip


def _z3(text: str) -> str:
    import z3

    solver = z3.SolverFor("QF_NRA")
    solver.from_string(text)
    return str(solver.check())


def _cvc5(text: str) -> str:
    cvc5: Any = importlib.import_module("cvc5")  # its stubs do not show what it has
    solver = cvc5.Solver()
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "query")
    symbols, said = parser.getSymbolManager(), "no answer"
    while not (command := parser.nextCommand()).isNull():
        said = str(command.invoke(solver, symbols)).strip()
    return said


SOLVERS: dict[str, Callable[[str], str]] = {"z3": _z3, "cvc5": _cvc5}


def _child(solver: str, text: str, seconds: float) -> tuple[str, float]:
    """Limits itself: the signal's default action kills, whatever the solver is doing."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)
    begun = time.process_time()
    try:
        said = SOLVERS[solver](text)
    except Exception as error:  # whatever it is, it is no answer, and is said
        said = str(error) or type(error).__name__
    return said, time.process_time() - begun


def ask(solver: str, text: str, seconds: float = SECONDS) -> tuple[str, float]:
    """The answer and the processor time it took.

    The answer is sat, unsat or unknown; timeout where the child was killed; else failed and why.

    seconds  of processor time
    """
    found, status = call(_child, solver, text, seconds, patience=PATIENCE * (1 + seconds))
    if status is None or status == -getattr(signal, "SIGPROF", 0) != 0:
        return TIMEOUT, seconds
    said, spent = found or (f"status {status}", seconds)
    return (said if said in ANSWERS else f"failed: {said.splitlines()[-1]}"), spent


@dataclass(frozen=True)
class Answer:
    """What two solvers say to one question; `seconds` is cvc5's processor time."""

    id: str
    check: str
    z3: str
    cvc5: str
    seconds: float
    expected: str

    @property
    def agree(self) -> bool:
        """Did both give the answer that the ledger counts on?"""
        return self.z3 == self.cvc5 == self.expected

    def as_dict(self) -> dict[str, Any]:
        """The JSON row: id, check, z3, cvc5, seconds."""
        row = asdict(self)
        del row["expected"]
        return row


def audit(
    ids: Iterable[str] | None = None,
    seconds: float = SECONDS,
    each: Callable[[Answer], object] = lambda answer: None,
    kept: Kept | None = None,
) -> list[Answer]:
    """Ask both solvers every question of the ledger (or of the claims named).

    kept  answers of an earlier run to the same texts: not asked again, unless none came in time

    Raises InvalidInput without cvc5 and for an id that the ledger does not have.
    """
    require_cvc5()
    rows = answers(tasks(ids, seconds), kept or Kept(), lambda row: each(Answer(**row)))
    return [Answer(**row) for row in rows]


def tasks(ids: Iterable[str] | None = None, seconds: float = SECONDS) -> list[Task]:
    """Every question of the ledger (or of the claims named), as what can be asked."""
    found, made = [], versions()
    for claim, check, statement in statements(ids):
        for query in queries(statement):
            name = f"{check}: {query.name}" if query.name else check
            question = ("audit", claim, name, query.text, query.expected, made)
            asked = partial(_answer, claim, name, query, seconds)
            found.append(Task(question, asked, _answered))
    return found


def _answer(claim: str, name: str, query: Query, seconds: float) -> dict[str, Any]:
    first, _ = ask("z3", query.text, seconds)
    second, spent = ask("cvc5", query.text, seconds)
    return asdict(Answer(claim, name, first, second, round(spent, 3), query.expected))


def _answered(row: dict[str, Any]) -> bool:
    return row["z3"] in ANSWERS and row["cvc5"] in ANSWERS
