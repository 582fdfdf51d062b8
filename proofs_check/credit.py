"""Who vouches for a claim: what a machine checked of it, and what is argued by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from proofs_check.ledger import CERTIFICATE, FLINT, Claim, Result
from proofs_check.lemmas import LEMMAS

KINDS = {
    "sympy": "identities and limits (sympy)",
    "z3": "inequalities (z3)",
    "arb": "enclosures (Arb)",
    "sampling": "samples",
}
SECONDED = {FLINT: "again by python-flint", CERTIFICATE: "again by an exact certificate"}
STEPS = "that its checks say what their sentences say, and that these give the statement"
WITNESS = "that the witness contradicts the statement"
ROCQ = " (proved in Rocq)"
NOTHING = "nothing: it is open"


@dataclass(frozen=True)
class Credit:
    """How much of a claim is whose.

    checks    decided by a machine (a replayed witness counts as one)
    lemmas    names of the textbook lemmas used, each once
    readings  what is said in words only: sentences of the claim's `by_hand`
    """

    checks: int
    lemmas: tuple[str, ...]
    readings: tuple[str, ...]

    @classmethod
    def of(cls, claim: Claim) -> Credit:
        """From the claim as it stands; runs nothing."""
        checks = sum(len(part.checks) for part in claim.steps) + bool(claim.witness)
        lemmas = tuple(dict.fromkeys(part.lemma for part in claim.steps if part.lemma))
        readings = [part.strip() for part in claim.by_hand.split(";") if part.strip()]
        if claim.steps:
            readings.append(STEPS)
        if claim.witness:
            readings.append(WITNESS)
        return cls(checks, lemmas, tuple(readings) or (NOTHING,))


def by_machine(result: Result) -> str:
    """One line: the checks by kind, and how many a second kernel confirmed."""
    claim = result.claim
    kinds = Counter(check.method for part in claim.steps for check in part.checks.values())
    second = Counter(outcome.second for part in result.steps for outcome in part.outcomes.values())
    texts = [f"{count} {KINDS.get(kind, kind)}" for kind, count in kinds.items()]
    texts += [f"{second[name]} of them {words}" for name, words in SECONDED.items() if second[name]]
    if claim.witness:
        texts.append("the witness is replayed")
    return ", ".join(texts) or "nothing"


def by_hand(claim: Claim) -> str:
    """One line: the lemmas used, then what is read into the checks."""
    credit = Credit.of(claim)
    lemmas = [f"lemma {name}{ROCQ if LEMMAS[name].rocq else ''}" for name in credit.lemmas]
    return "; ".join([*lemmas, *credit.readings])


def totals(claims: list[Claim]) -> str:
    """A sentence for README and report: how much is whose in all."""
    credits = [Credit.of(claim) for claim in claims]
    uses = sum(len(credit.lemmas) for credit in credits)
    names = {name for credit in credits for name in credit.lemmas}
    plain = (STEPS, WITNESS, NOTHING)
    read = sum(1 for credit in credits for text in credit.readings if text not in plain)
    checks = sum(credit.checks for credit in credits)
    rocq = sum(1 for name in names if LEMMAS[name].rocq)
    return (
        f"{checks} checks by machine; by hand {len(names)} textbook lemmas, {rocq} of them "
        f"proved in Rocq, used by claims {uses} times, and {read} readings"
    )
