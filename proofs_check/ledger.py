"""What a claim is, what a verdict is, and how a claim gets one. Nothing here knows the model."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from proofs_check.certificates import archive
from proofs_check.certificates.formula import Statement
from proofs_check.certificates.idle import idle
from proofs_check.lemmas import LEMMAS


class Verdict(StrEnum):
    """From strong to weak. A claim is as weak as its weakest step."""

    PROVED = "proved"  # identity, or no counterexample over the reals, for all parameters
    CERTIFIED = "certified"  # interval enclosure over a stated box
    TESTED = "tested"  # sampled, or fixed small dimensions: never called a proof
    OPEN = "open"  # nobody knows, or the solver did not decide
    REFUTED = "refuted"  # a counterexample is attached
    ERROR = "error"  # the check itself failed: says nothing about the claim


STRENGTH = {verdict: rank for rank, verdict in enumerate(reversed(Verdict))}
PASSES = (Verdict.PROVED, Verdict.CERTIFIED, Verdict.TESTED)


@dataclass(frozen=True)
class Outcome:
    """What one check found, and the evidence for it in words."""

    verdict: Verdict
    evidence: str
    second: str = ""  # the other kernel that came to the same answer: CERTIFICATE or FLINT
    replay: str = ""  # a line of Python that shows a counterexample again


CERTIFICATE, FLINT = "certificate", "python-flint"


@dataclass(frozen=True)
class Check:
    """One thing that a machine decides.

    method     how: "sympy", "z3", "arb", "sampling"
    decide     runs it
    formula    LaTeX of what is decided, made only when somebody reads it
    statement  what is decided as plain text, for checks that a certificate can prove
    mutants    the same check of statements with one edit (`mutants.Mutant`), which it should refuse
    """

    method: str
    decide: Callable[[], Outcome]
    formula: Callable[[], str] = lambda: ""
    statement: Callable[[], Statement] | None = None
    mutants: Callable[[], Iterable[Any]] = tuple


@dataclass(frozen=True)
class Step:
    """A sentence of a proof with the checks that carry it, by `lemma` where one is named.

    With a lemma, `checks` are its hypotheses for the case at hand: every one of them, by name.
    """

    says: str
    checks: dict[str, Check]
    lemma: str = ""


def step(says: str, *checks: Check) -> Step:
    """A step that its checks decide directly."""
    if not checks:
        raise ValueError(f"step without a check: {says}")
    return Step(says, {f"check {i + 1}": check for i, check in enumerate(checks)})


def by_lemma(name: str, says: str, **hypotheses: Check | tuple[Check, ...]) -> Step:
    """A step that follows from LEMMAS[name], each of whose hypotheses is checked here.

    Raises ValueError when a hypothesis has no check or a check names no hypothesis: a lemma
    may not be used on trust.
    """
    wanted = set(LEMMAS[name].hypotheses)
    if set(hypotheses) != wanted:
        raise ValueError(f"lemma {name!r} needs checks for {sorted(wanted)}, got {hypotheses}")
    checks: dict[str, Check] = {}
    for key, given in hypotheses.items():
        group = given if isinstance(given, tuple) else (given,)
        if not group:
            raise ValueError(f"lemma {name!r}: hypothesis {key!r} has no check")
        for i, check in enumerate(group):
            checks[key if len(group) == 1 else f"{key} ({i + 1})"] = check
    return Step(says, checks, name)


@dataclass(frozen=True)
class Claim:
    """A statement, how it is checked, and the verdict it is recorded to have.

    witness   for a refuted claim: one line of Python that asserts a counterexample: replay it
    reason    why the verdict is only `tested` or `open`
    by_hand   what of the proof no check decides, beside lemmas and readings (see `by_hand`)
    function  the linmodel function that embodies the statement, as "module.name"
    rests_on  ids of claims that the proof uses; the verdict is never stronger than theirs
    """

    id: str
    title: str
    statement: str
    latex: str
    recorded: Verdict
    source: str = "ours"
    hypotheses: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    rests_on: tuple[str, ...] = ()
    witness: str = ""
    reason: str = ""
    function: str = ""
    by_hand: str = ""

    def __post_init__(self) -> None:
        if self.recorded == Verdict.REFUTED and not self.witness:
            raise ValueError(f"{self.id}: a refuted claim needs a witness")
        if self.recorded in (Verdict.TESTED, Verdict.OPEN) and not self.reason:
            raise ValueError(f"{self.id}: {self.recorded} needs a written reason")
        if self.recorded in PASSES and not self.steps:
            raise ValueError(f"{self.id}: {self.recorded} needs steps")


@dataclass(frozen=True)
class StepResult:
    """A step with the outcome of each of its checks."""

    step: Step
    outcomes: dict[str, Outcome]

    @property
    def verdict(self) -> Verdict:
        return weakest(outcome.verdict for outcome in self.outcomes.values())


@dataclass(frozen=True)
class Result:
    """A claim with the verdict it got."""

    claim: Claim
    verdict: Verdict
    method: str
    evidence: str
    seconds: float
    steps: tuple[StepResult, ...] = field(default=())

    @property
    def as_recorded(self) -> bool:
        return self.verdict == self.claim.recorded

    def as_dict(self) -> dict[str, object]:
        """The JSON row: id, statement, source, verdict, method, evidence, seconds."""
        return {
            "id": self.claim.id,
            "statement": self.claim.statement,
            "source": self.claim.source,
            "verdict": str(self.verdict),
            "method": self.method,
            "evidence": self.evidence,
            "seconds": round(self.seconds, 3),
        }


def weakest(verdicts: Iterable[Verdict]) -> Verdict:
    """The weakest of the verdicts; of none at all: open, because nothing was shown."""
    return min(verdicts, key=STRENGTH.__getitem__, default=Verdict.OPEN)


def decide(claim: Claim, known: dict[str, Verdict] | None = None) -> Result:
    """Run every check of `claim`; `known` holds the verdicts of the claims it rests on."""
    begun = time.perf_counter()
    steps = tuple(_decide_step(claim.id, i, part) for i, part in enumerate(claim.steps, 1))
    inherited = [(known or {}).get(name, Verdict.OPEN) for name in claim.rests_on]
    methods = [check.method for part in claim.steps for check in part.checks.values()]
    verdict = weakest([part.verdict for part in steps] + inherited)
    evidence = _evidence(claim, steps, inherited)
    if claim.witness:
        methods.append("witness")
        refutation = replayed(claim.witness)
        supported = not (steps or inherited) or verdict in (Verdict.PROVED, Verdict.CERTIFIED)
        if refutation.verdict != Verdict.REFUTED or supported:
            verdict = refutation.verdict
        else:
            verdict = Verdict.ERROR if verdict == Verdict.ERROR else Verdict.OPEN
        evidence = "; ".join(filter(None, (refutation.evidence, evidence)))
    method = " + ".join(dict.fromkeys(methods)) or "none"
    return Result(claim, verdict, method, evidence, time.perf_counter() - begun, steps)


def _decide_step(claim: str, number: int, part: Step) -> StepResult:
    outcomes = {
        name: _seconded(run_check(check), check, claim, archive.key(number, name))
        for name, check in part.checks.items()
    }
    return StepResult(part, outcomes)


def _seconded(outcome: Outcome, check: Check, claim: str, name: str) -> Outcome:
    """The outcome with what the stored certificate says; a check that carries nothing is `error`.

    A certificate that is damaged or belongs to another statement makes the check an `error`; where
    there is none the evidence says so.
    """
    if check.statement is None or outcome.verdict != Verdict.PROVED:
        return outcome
    statement = check.statement()
    if carries_nothing := idle(statement):
        return Outcome(Verdict.ERROR, carries_nothing)
    found, terms = archive.look_up(claim, name, statement)
    if found == archive.ABSENT:
        return Outcome(outcome.verdict, f"{outcome.evidence}; {found}")
    if found != archive.VALID:
        return Outcome(Verdict.ERROR, f"certificate: {found}")
    evidence = f"{outcome.evidence}; certificate of {terms} terms expands to 0"
    return Outcome(outcome.verdict, evidence, CERTIFICATE)


def run_check(check: Check) -> Outcome:
    """The outcome of a check; whatever it raises becomes `error`, never a pass."""
    try:
        outcome = check.decide()
    except (Exception, SystemExit) as error:  # a failing check is `error`; it must not end the run
        return Outcome(Verdict.ERROR, f"{type(error).__name__}: {error}")
    if not (isinstance(outcome, Outcome) and isinstance(outcome.verdict, Verdict)):
        return Outcome(Verdict.ERROR, f"check returned {outcome!r}, not an Outcome with a Verdict")
    return outcome


def replayed(witness: str) -> Outcome:
    """Execute a witness: its assertion must hold for the claim to be refuted."""
    try:
        if not _asserts(witness):
            return Outcome(Verdict.ERROR, f"the witness asserts nothing: {witness}")
        exec(compile(witness, "<witness>", "exec", optimize=0), {})
    except AssertionError:
        return Outcome(Verdict.OPEN, f"the witness does not refute: {witness}")
    except (Exception, SystemExit) as error:
        return Outcome(Verdict.ERROR, f"the witness raises {type(error).__name__}: {error}")
    return Outcome(Verdict.REFUTED, f"witness: {witness}")


def _asserts(witness: str) -> bool:
    """Is there a top-level assert that could fail? A tuple or a constant cannot, or always does."""
    tests = [node.test for node in ast.parse(witness).body if isinstance(node, ast.Assert)]
    return any(not isinstance(test, ast.Tuple | ast.Constant) for test in tests)


def _evidence(claim: Claim, steps: tuple[StepResult, ...], inherited: list[Verdict]) -> str:
    """One line: what failed if anything did, else how much was checked and on what it rests."""
    failed = [
        f"{part.step.says}: {name}: {outcome.evidence}"
        for part in steps
        for name, outcome in part.outcomes.items()
        if outcome.verdict not in PASSES
    ]
    pairs = zip(claim.rests_on, inherited, strict=True)
    failed += [f"rests on {name}, which is {v}" for name, v in pairs if v not in PASSES]
    if failed:
        return " | ".join(failed)
    if len(steps) == 1 and len(steps[0].outcomes) == 1:
        texts = [next(iter(steps[0].outcomes.values())).evidence]
    elif steps:
        texts = [f"{len(steps)} steps, {sum(len(p.outcomes) for p in steps)} checks, all pass"]
        found = [outcome for part in steps for outcome in part.outcomes.values()]
        texts += [outcome.evidence for outcome in found if outcome.verdict != Verdict.PROVED]
    else:
        texts = [claim.reason] if claim.reason else []
    lemmas = list(dict.fromkeys(part.step.lemma for part in steps if part.step.lemma))
    if lemmas:
        texts.append("lemmas: " + ", ".join(lemmas))
    if claim.rests_on:
        texts.append("rests on " + ", ".join(claim.rests_on))
    if claim.reason and steps:
        texts.append(claim.reason)
    return "; ".join(texts)
