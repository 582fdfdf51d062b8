"""Certificates: found, stored, re-checked without solvers, and refused when anything is altered."""

from __future__ import annotations

import copy
import random
import subprocess
import sys

import pytest
import sympy as sp

from proofs_check import catalogue, smt
from proofs_check.certificates import archive, finder
from proofs_check.certificates.cases import cases
from proofs_check.certificates.finder import LADDER, find
from proofs_check.certificates.formula import Statement
from proofs_check.certificates.idle import idle
from proofs_check.certificates.recheck import Certificate, recheck
from proofs_check.certify import statements
from proofs_check.claims.field import B, c, epsilon, o
from proofs_check.ledger import Check, Claim, Outcome, Verdict, decide, step

SQUARES = Statement(("x > 0", "y >= x"), "x**2 + y**2 >= 2*x**2")


def test_every_inequality_of_a_proved_claim_has_a_certificate():
    proved = {claim.id for claim in catalogue() if claim.recorded == Verdict.PROVED}
    found = {
        (claim, name): archive.look_up(claim, name, statement)[0]
        for claim, name, statement in statements()
    }
    assert [k for k, said in found.items() if said != archive.VALID and k[0] in proved] == []
    have = {(claim, name) for claim, names in archive.stored().items() for name in names}
    assert have <= set(found), "a certificate of no check"


def test_they_are_rechecked_with_neither_z3_nor_sympy():
    code = (
        "import sys; sys.modules['sympy'] = None; sys.modules['z3'] = None; "
        "sys.argv = ['proofs_check', 'certificates']; import proofs_check.__main__ as m; m.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "proved, 0 not" in done.stdout


def _altered(entry: dict) -> list[dict]:
    """The certificate with one thing wrong: a digit, a sign, a product, a case, the statement."""
    made = [copy.deepcopy(entry) for _ in range(6)]
    term = [one["proofs"][0]["terms"][0] for one in made]
    term[0][0] = str(int(term[0][0].split("/")[0]) + 1)
    term[1][0] = "-" + term[1][0]
    term[2][1] = [*term[2][1], 0]
    made[3]["proofs"].pop()
    made[4]["then"] = made[4]["then"].replace("2*x", "3*x")
    term[5][2] = "1/0"
    return made


@pytest.mark.parametrize("number", range(6))
def test_an_altered_certificate_proves_nothing(number):
    good = find(SQUARES).as_dict()
    assert recheck(Certificate.of(good)) == ""
    assert archive._verdict(_altered(good)[number]) != archive.VALID


def _with_another_digit(entry: dict, rng: random.Random) -> dict:
    """The certificate with one digit of a coefficient, square or multiplier replaced by another."""
    new = copy.deepcopy(entry)
    rows = [(row, at) for proof in new["proofs"] for row in proof["terms"] for at in (0, 2)]
    rows += [(row, 1) for proof in new["proofs"] for row in proof["multipliers"]]
    places = [(row, at, k) for row, at in rows for k, one in enumerate(row[at]) if one.isdigit()]
    row, at, k = rng.choice(places)
    digit = (int(row[at][k]) + rng.randrange(1, 10)) % 10
    row[at] = f"{row[at][:k]}{digit}{row[at][k + 1 :]}"
    return new


def test_the_ledgers_certificates_with_another_digit_prove_nothing():
    rng = random.Random(0)
    entries = [entry for checks in archive.stored().values() for entry in checks.values()]
    for entry in rng.sample(entries, 60):
        assert archive._verdict(_with_another_digit(entry, rng)) != archive.VALID


CHECK = smt.implies([c > 0, epsilon >= c], c**2 + epsilon**2 >= 2 * c**2)
PLANTED = Claim("X1", "t", "s", "", Verdict.PROVED, steps=(step("only", CHECK),))


def _stored(monkeypatch, entry: dict | None) -> None:
    table = {} if entry is None else {"X1": {"1/check 1": entry}}
    monkeypatch.setattr(archive, "stored", lambda: table)


def test_the_ledger_says_what_the_certificate_says(monkeypatch):
    entry = find(CHECK.statement()).as_dict()
    _stored(monkeypatch, None)
    assert "no certificate" in decide(PLANTED).evidence
    _stored(monkeypatch, entry)
    good = decide(PLANTED)
    assert good.verdict == Verdict.PROVED and "certificate of" in good.evidence
    _stored(monkeypatch, {**entry, "proofs": find(SQUARES).as_dict()["proofs"][:0]})
    assert decide(PLANTED).verdict == Verdict.ERROR
    _stored(monkeypatch, find(SQUARES).as_dict())
    other = decide(PLANTED)
    assert other.verdict == Verdict.ERROR and "belongs to another statement" in other.evidence
    _stored(monkeypatch, {"given": 3})
    assert decide(PLANTED).verdict == Verdict.ERROR


@pytest.mark.parametrize(
    "wrong",
    [
        Statement(("x > 0",), "x >= 1"),
        Statement((), "x**2 > 0"),
        Statement(("x >= 0",), "1/x >= 0"),
        Statement(("x != 0",), "1/x > 0"),
    ],
)
def test_no_certificate_of_what_is_false(wrong):
    assert find(wrong, ladder=LADDER[:4]) is None


def test_division_by_what_may_be_zero_is_a_case_of_its_own():
    found = cases(Statement(("x >= 0",), "1/x >= 0"))
    assert [case.label for case in found] == ["case 1", "divisor x = 0, case 1"]


@pytest.mark.parametrize(
    "text", ["__import__('os')", "x.real > 0", "x > 0 > y", "x**y > 0", "f(x) > 0", "x > 1.5"]
)
def test_only_formulas_are_read(text):
    assert archive._verdict({"given": [], "then": text, "proofs": []}) != archive.VALID


IDLE = [
    smt.implies([c > 0, B > 0], c > 0),
    smt.implies([c > 0], c >= 0),
    smt.implies([c > epsilon, B > 0], (B > -1) & (2 * c - 2 * epsilon > 0)),
    smt.implies([sp.Eq(c + o, B)], sp.Eq(2 * c, 2 * B - 2 * o)),
    smt.implies([c > 0], sp.true),
]


@pytest.mark.parametrize("check", IDLE)
def test_a_conclusion_that_is_a_hypothesis_carries_nothing(check):
    claim = Claim("X1", "t", "s", "", Verdict.PROVED, steps=(step("only", check),))
    assert decide(claim).verdict == Verdict.ERROR


def test_an_outcome_that_is_no_proof_is_not_seconded():
    odd = Check("z3", lambda: Outcome(Verdict.OPEN, "?"), statement=lambda: SQUARES)
    claim = Claim("X1", "t", "s", "", Verdict.PROVED, steps=(step("only", odd),))
    assert decide(claim).verdict == Verdict.OPEN


@pytest.mark.parametrize(
    "true",
    [
        Statement(("x + x*y == 0", "y > 0"), "x >= 0"),  # x alone in a term, but not solved for
        Statement(("x == y + 1",), "x**2 + y**2 >= 2*x*y"),
        Statement(("x > 1 or x < -1", "x*2 == y"), "y**2 > 4"),
    ],
)
def test_equations_are_used_where_they_are_solved_for_and_where_not(true):
    found = find(true, ladder=LADDER[:3])
    assert found is not None and recheck(found) == ""


def test_the_square_of_a_hint_is_used():
    sums = Statement(("z == x + y",), "x**2 + 2*x*y + y**2 >= 0")
    assert find(sums, ladder=LADDER[:1]) is None
    found = find(sums, squares=["z"], ladder=LADDER[:1])
    assert found is not None and recheck(found) == ""


def test_a_search_that_grows_too_large_finds_nothing(monkeypatch):
    assert find(SQUARES) is not None
    for most in (0, 1):
        monkeypatch.setattr(finder, "MOST_COLUMNS", most)
        assert find(SQUARES) is None


def test_terms_without_an_exact_solution_are_no_proof(monkeypatch):
    """What the floating-point program chose need not add up in rational numbers."""
    x = SQUARES.ring.gen(0)
    assert finder._exact([finder.Column(x, SQUARES.ring.constant(1), strict=True)]) is None
    monkeypatch.setattr(finder, "_exact", lambda chosen: None)
    assert find(SQUARES, ladder=LADDER[:1]) is None


def test_zero_is_not_the_same_as_another_comparison():
    zero = Statement(("x > 0", "y > 0"), "x*y > 0 and x - x >= 0")
    assert idle(zero) == ""
