"""A claim as a person reads it: statement, hypotheses, proof steps, what was checked."""

from __future__ import annotations

import shlex
from textwrap import fill

from proofs_check.credit import by_hand, by_machine
from proofs_check.ledger import Claim, Result, StepResult
from proofs_check.lemmas import LEMMAS

WIDTH = 96


def explain(result: Result) -> str:
    """The claim, its proof and its verdict as plain text, formulas in LaTeX."""
    claim = result.claim
    lines = [f"{claim.id}  {claim.title}", "=" * WIDTH, _wrap(claim.statement, "")]
    lines += ["", f"  $ {claim.latex} $", ""] if claim.latex else [""]
    lines += _facts(claim)
    for number, part in enumerate(result.steps, 1):
        lines += ["", *_step(number, part)]
    lines += ["", f"Verdict: {result.verdict} (recorded: {claim.recorded}), {result.seconds:.1f} s"]
    lines.append(_wrap(f"Evidence: {result.evidence}", ""))
    lines.append(_wrap(f"Checked by machine: {by_machine(result)}", ""))
    lines.append(_wrap(f"By hand: {by_hand(claim)}", ""))
    return "\n".join(lines)


def _facts(claim: Claim) -> list[str]:
    lines = [f"Source: {claim.source}"]
    lines.append("Hypotheses: " + ("; ".join(claim.hypotheses) or "none"))
    if claim.rests_on:
        lines.append("Rests on: " + ", ".join(claim.rests_on))
    if claim.function:
        lines.append(f"Function: linmodel.{claim.function}")
    if claim.witness:
        lines += ["Witness, one line of Python:", f"  python -c {shlex.quote(claim.witness)}"]
    if claim.reason:
        lines.append(_wrap(f"Why no stronger verdict: {claim.reason}", ""))
    return lines


def _step(number: int, part: StepResult) -> list[str]:
    lines = [_wrap(f"{number}. {part.step.says}  [{part.verdict}]", "   ")]
    lemma = LEMMAS.get(part.step.lemma)
    if lemma:
        lines.append(_wrap(f"   by lemma '{part.step.lemma}': {lemma.statement}", "   "))
        if lemma.rocq:
            lines.append(f"   (proved in Rocq: {', '.join(lemma.rocq)} of rocq/*.v)")
    for name, outcome in part.outcomes.items():
        check = part.step.checks[name]
        meaning = lemma.hypotheses[name.partition(" (")[0]] if lemma else ""
        label = f"{name}: {meaning}" if meaning else name
        lines.append(_wrap(f"   - {label}: {outcome.verdict} by {check.method}", "     "))
        formula = check.formula()
        if formula:
            lines.append(f"       $ {formula} $")
        lines.append(_wrap(f"       {outcome.evidence}", "       "))
        if outcome.replay:
            lines += ["Once more, in one line:", f"  python -c {shlex.quote(outcome.replay)}"]
    return lines


def _wrap(text: str, indent: str) -> str:
    return fill(text, WIDTH, subsequent_indent=indent, break_long_words=False)
