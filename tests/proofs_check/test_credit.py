"""Who vouches for what: checks by machine, lemmas and readings by hand."""

from __future__ import annotations

from proofs_check import catalogue
from proofs_check.credit import NOTHING, STEPS, WITNESS, Credit, by_hand, by_machine, totals
from proofs_check.ledger import Verdict, decide
from proofs_check.readme import table


def test_every_claim_says_what_a_person_must_believe():
    for claim in catalogue():
        hand = by_hand(claim)
        assert all(f"lemma {part.lemma}" in hand for part in claim.steps if part.lemma)
        assert (STEPS in hand) == bool(claim.steps) and (WITNESS in hand) == bool(claim.witness)
        assert claim.steps or claim.witness or (hand == NOTHING and claim.recorded == Verdict.OPEN)


def test_the_machines_share_counts_kinds_and_second_kernels():
    (claim,) = catalogue(["M4"])
    said = by_machine(decide(claim, {"M1": Verdict.PROVED}))
    assert said == (
        "2 inequalities (z3), 1 identities and limits (sympy), 1 of them again by python-flint, "
        "2 of them again by an exact certificate"
    )


def test_table_and_total_count_both():
    claims = catalogue()
    assert sum(Credit.of(claim).checks for claim in claims) > 400
    row = next(line for line in table().splitlines() if line.startswith("| F3 |"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1] == "proved" and cells[3:5] == ["6", "2 + 1"]
    assert totals(claims) in table()
