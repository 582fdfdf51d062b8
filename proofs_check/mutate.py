"""Does the ledger notice? Its statements with one edit, and its model with one edit, are run."""

from __future__ import annotations

import random
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from threading import current_thread, main_thread
from typing import Any

from proofs_check import catalogue, run
from proofs_check.certificates import archive
from proofs_check.children import call
from proofs_check.ledger import PASSES, Check, Claim, Result, Verdict, decide, run_check, step
from proofs_check.mutants import Mutant
from proofs_check.resumed import Kept, Task, answers, code, versions

KILLED, UNDECIDED, WEAKER, SURVIVED = "killed", "undecided", "weaker", "survived"
COUNTED = (KILLED, UNDECIDED, SURVIVED)
Row = dict[str, str]
Place = tuple[str, str, Check]
MODEL = "model"
SECONDS = 5.0  # of processor time for one edit
DECIDES = ("ledger", "smt", "symbolic", "second", "certificates")  # the code that does
NAMES = ("VELOCITY", "LOSS", "KAPPA")


def places(ids: Iterable[str] | None = None) -> list[Place]:
    """Claim, check and its decision, for every check of the ledger that can be edited."""
    return [
        (claim.id, archive.key(number, name), check)
        for claim in catalogue(ids)
        for number, part in enumerate(claim.steps, 1)
        for name, check in part.checks.items()
        if check.mutants is not tuple
    ]


def mutate(
    ids: Iterable[str] | None = None,
    sample: int | None = None,
    seed: int = 0,
    each: Callable[[Row], object] = lambda row: None,
    kept: Kept | None = None,
) -> list[Row]:
    """Rows id, check, kind, mutant, verdict: killed, undecided, weaker or survived.

    sample  so many edits of statements (see `tasks`); without it every edit of every statement,
            and every edit of the model
    weaker  the edit only lowered what is claimed: it is no fault that it passes, and not counted
    kept    answers of an earlier run to the same edits, made by the same code: not asked again

    Raises InvalidInput for an id that the ledger does not have.
    """
    return list(answers(tasks(ids, sample, seed), kept or Kept(), each))


def tasks(ids: Iterable[str] | None = None, sample: int | None = None, seed: int = 0) -> list[Task]:
    """The edits, as what can be asked.

    A sample goes round: one edit of each check, in an order drawn anew each time, until there are
    so many. So every check counts the same, however long its statement is.
    """
    decides = code(*DECIDES, "mutants", "claims/field")
    made = (versions(), decides, f"{SECONDS:g} s")
    found = []
    for claim, name, mutant in _chosen(places(ids), sample, seed):
        question = ("mutate", claim, name, mutant.kind, *mutant.exact, *made)
        found.append(Task(question, partial(_row, claim, name, mutant)))
    if ids is None and sample is None:
        found += model_tasks()
    return found


def model_tasks() -> list[Task]:
    """Every edit of the model, as what can be asked: the whole ledger answers each."""
    made = (versions(), code(*DECIDES, "enclosure", "sampling", "lemmas", "claims"))
    return [
        Task(("model", name, shown, *made), partial(_model_row, name, number, shown), _decided_row)
        for name, number, shown in model_edits()
    ]


def _row(claim: str, name: str, mutant: Mutant) -> Row:
    return {"id": claim, "check": name, "kind": mutant.kind, "mutant": mutant.shown,
            "verdict": verdict(mutant)}  # fmt: skip


def kill_rate(rows: Sequence[Row]) -> float:
    """Killed of those that count; NaN of none."""
    count = Counter(row["verdict"] for row in rows)
    total = sum(count[word] for word in COUNTED)
    return count[KILLED] / total if total else float("nan")


class _OutOfTime(BaseException):
    """Not an Exception: a check that fails is one, and would be called noticed."""


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Processor time after which _OutOfTime is raised; none where the system has no such timer.

    Raised again each second after it: a callback from C would swallow the first.
    """

    def stop(number: int, frame: object) -> None:
        raise _OutOfTime

    if not hasattr(signal, "setitimer") or current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def verdict(mutant: Mutant, seconds: float = SECONDS) -> str:
    """What the ledger makes of the edited statement. Not to be decided (in time) is not to pass."""
    try:
        with _limited(seconds):
            return _verdict(mutant)
    except _OutOfTime:
        return UNDECIDED


def _verdict(mutant: Mutant) -> str:
    found = _decided(mutant.check)
    if found not in PASSES:
        return UNDECIDED if found == Verdict.OPEN else KILLED
    if mutant.weaker is not None and run_check(mutant.weaker).verdict in PASSES:
        return WEAKER
    return SURVIVED


def _decided(check: Check) -> Verdict:
    """As the ledger decides it, so that a check that carries nothing is refused."""
    claim = Claim("mutant", "", "", "", Verdict.PROVED, steps=(step("edited", check),))
    return decide(claim).verdict


def _chosen(found: list[Place], sample: int | None, seed: int) -> Iterator[tuple[str, str, Mutant]]:
    if sample is None:
        yield from ((claim, name, one) for claim, name, check in found for one in check.mutants())
        return
    yield from islice(_in_turn(found, random.Random(seed)), sample)


def _in_turn(found: list[Place], rng: random.Random) -> Iterator[tuple[str, str, Mutant]]:
    """Rounds of one edit of each check that has one left, in a new order each."""
    left: dict[int, list[Mutant]] = {}
    while order := [at for at in range(len(found)) if left.get(at) != []]:
        for at in rng.sample(order, len(order)):
            claim, name, check = found[at]
            have = left[at] if at in left else left.setdefault(at, list(check.mutants()))
            if have:
                yield claim, name, have.pop(rng.randrange(len(have)))


def edited_model(part: Any, number: int) -> Any:
    """The model's `part` (an expression or a tuple of them) with its edit of this number."""
    return list(_model_edits(part))[number][1]


def model_edits() -> Iterator[tuple[str, int, str]]:
    """Name, number and text of every edit of the model's velocity, loss and kappa."""
    from proofs_check.claims import field

    for name in NAMES:
        for number, (_, new) in enumerate(_model_edits(getattr(field, name))):
            yield name, number, f"{name} = {new}"


def _model_edits(part: Any) -> Iterator[tuple[str, Any]]:
    from proofs_check.mutants import edits

    if not isinstance(part, tuple):
        yield from edits(part)
        return
    for i, entry in enumerate(part):
        for kind, new in edits(entry):
            yield kind, (*part[:i], new, *part[i + 1 :])


def _model_row(name: str, number: int, shown: str) -> Row:
    noticed, status = call(_who_notices, name, number)
    row = {"id": noticed or "", "check": name, "kind": MODEL, "mutant": shown}
    if status is None or status < 0:  # killed from outside, or for memory: nobody noticed anything
        return row | {"verdict": UNDECIDED}
    if status > 0:
        return row | {"id": "import", "verdict": KILLED}
    return row | {"verdict": KILLED if noticed else SURVIVED}


def _decided_row(row: Row) -> bool:
    return row["verdict"] != UNDECIDED


def _who_notices(name: str, number: int) -> str:
    """In a child that has no claims yet: edit the model, make them; the first that notices.

    Raises whatever the claims raise: one that cannot be made has noticed as well.
    """
    from proofs_check.claims import field

    setattr(field, name, edited_model(getattr(field, name), number))
    from proofs_check.claims import model, reduction

    for claim in (reduction.M6, model.M10):  # those that notice most, before all are made
        if any(part.verdict not in PASSES for part in decide(claim).steps):
            return claim.id
    try:
        run(None, each=_raise_unless_recorded)
    except _Noticed as noticed:
        return str(noticed)
    return ""


class _Noticed(Exception):
    """The id of the claim that is not as recorded."""


def _raise_unless_recorded(result: Result) -> None:
    if not result.as_recorded:
        raise _Noticed(result.claim.id)
