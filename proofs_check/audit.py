"""Every question of the ledger put to another solver, cvc5, beside z3.

Each answer comes from a child process that is killed at its limit of processor time (so that a busy
machine does not make time-outs): a solver's own limit is not always kept. `unknown`, `timeout` and
`failed` are never agreement.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from linmodel.errors import InvalidInput
from proofs_check.certify import statements
from proofs_check.resumed import Kept, Task, answers, versions
from proofs_check.smtlib import Query, queries

SECONDS = 30.0
PATIENCE = 20.0  # times the limit, of wall-clock time: for a child that sleeps, or has no timer
ANSWERS = ("sat", "unsat", "unknown")
# A child limits itself, once its modules are there; the signal kills whatever the solver is doing.
LIMITED = """
import sys, signal, {solver}
if hasattr(signal, "setitimer"): signal.setitimer(signal.ITIMER_PROF, {seconds})
"""
CHILDREN = {
    "z3": "s = z3.SolverFor('QF_NRA'); s.from_string(sys.stdin.read()); print(s.check())",
    "cvc5": "s = cvc5.Solver(); p = cvc5.InputParser(s); "
    "p.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, sys.stdin.read(), 'query'); "
    "m = p.getSymbolManager(); c = p.nextCommand()\n"
    "while not c.isNull(): said = str(c.invoke(s, m)).strip(); c = p.nextCommand()\n"
    "print(said)",
}


def require_cvc5() -> None:
    """Raises InvalidInput where cvc5 is not installed."""
    if importlib.util.find_spec("cvc5") is None:
        raise InvalidInput("audit needs cvc5, which is not installed: "
                           "pip install '.[audit]' in this project's folder.")  # fmt: skip


def ask(solver: str, text: str, seconds: float = SECONDS) -> str:
    """sat, unsat or unknown; timeout where the child was killed; else failed and why.

    seconds  of processor time
    """
    code = LIMITED.format(solver=solver, seconds=seconds) + CHILDREN[solver]
    try:
        done = subprocess.run([sys.executable, "-I", "-c", code], input=text, capture_output=True,
                              text=True, timeout=PATIENCE * (1 + seconds))  # fmt: skip
    except subprocess.TimeoutExpired:
        return "timeout"
    if done.returncode == -getattr(signal, "SIGPROF", 0) != 0:
        return "timeout"
    answer = done.stdout.strip()
    if done.returncode == 0 and answer in ANSWERS:
        return answer
    return f"failed: {(done.stderr.strip() or answer or 'no answer').splitlines()[-1]}"


@dataclass(frozen=True)
class Answer:
    """What two solvers say to one question; `seconds` is cvc5's processor time, start included."""

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
    first = ask("z3", query.text, seconds)
    begun = os.times()
    second = ask("cvc5", query.text, seconds)
    ended = os.times()
    spent = round(ended.children_user + ended.children_system
                  - begun.children_user - begun.children_system, 3)  # fmt: skip
    return asdict(Answer(claim, name, first, second, spent, query.expected))


def _answered(row: dict[str, Any]) -> bool:
    return row["z3"] in ANSWERS and row["cvc5"] in ANSWERS
