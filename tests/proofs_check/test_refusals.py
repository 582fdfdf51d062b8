"""What the readers of formulas make of small inputs, and refuse of wrong ones, in words."""

from __future__ import annotations

import ast
import json
from dataclasses import replace

import pytest
import sympy as sp
from flint import arb

from linmodel import InvalidInput
from proofs_check import Verdict, catalogue, claims, credit, run
from proofs_check import certify as certifying
from proofs_check.certificates import archive, formula, recheck, write
from proofs_check.certificates.formula import Statement
from proofs_check.claims import plateau
from proofs_check.enclosure import positive
from proofs_check.expressions import enclose, relation
from proofs_check.mutants import edits, of_implication
from proofs_check.readable import explain
from proofs_check.rocq import syntax
from proofs_check.second import agrees
from proofs_check.smtlib import queries
from proofs_check.symbolic import identity
from proofs_check.theorem import _ranges

x, y = sp.symbols("x y", real=True)
STATEMENT = Statement(("x > 0",), "x*y > 0")
RING = STATEMENT.ring
PROOF = {"terms": [["1", [0], "1"]], "multipliers": []}


@pytest.mark.parametrize("text", ["x + 1", "x < y < 1", "(x > 0) + 1"])
def test_what_is_no_formula_is_refused(text):
    with pytest.raises(ValueError, match="not a"):
        formula.read(text, RING)
    with pytest.raises((ValueError, AssertionError)):
        syntax.tree(text, RING)
    with pytest.raises(ValueError, match="not a"):
        list(queries(Statement((text,), "x > 0")))


@pytest.mark.parametrize("text", ["f(x) > 0", "x % y > 0", "x.y > 0"])
def test_what_is_no_polynomial_is_refused(text):
    with pytest.raises((ValueError, KeyError)):
        formula.read(text, RING)
    with pytest.raises((ValueError, KeyError)):
        list(queries(Statement((text,), "x > 0")))
    with pytest.raises(InvalidInput, match="formula"):
        relation(text, {"x": x, "y": y})


def test_a_denial_and_a_constant_are_read_alike():
    assert formula.read("not (x > 0)", RING) == formula.read("x <= 0", RING)
    assert syntax.tree("not (x > 0)", RING) == syntax.tree("x <= 0", RING)
    assert "false" in next(iter(queries(Statement(("True",), "False")))).text
    with pytest.raises(ValueError, match="not a polynomial"):
        formula.polynomial("1/x", RING)
    assert syntax.term(ast.parse("x**-2", mode="eval").body) == "(/ (x ^ 2))"
    assert syntax.polynomial(RING.constant(0), ("x", "y")) == "0"
    with pytest.raises(ValueError, match="quotient"):
        syntax.term(ast.parse("f(x)", mode="eval").body)


def test_formulas_that_cannot_be_written_plainly():
    assert write.statement([sp.Not(sp.And(x > 0, y > 0), evaluate=False)], x > 0).given
    with pytest.raises(ValueError, match="share a name"):
        write.statement([x > 0], sp.Symbol("x") > 0)
    with pytest.raises(TypeError, match="formula"):
        write.statement([sp.Symbol("p")], x > 0)
    with pytest.raises(TypeError, match="polynomial"):
        write.statement([sp.sin(x) > 0], x > 0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"terms": [["1", [7], "1"]]}, "does not multiply"),
        ({"multipliers": [[7, "1"]]}, "no equation"),
        ({"terms": []}, "no term is strictly positive"),
        ({"terms": [["-1", [0], "1"]]}, "not positive"),
        ({}, "do not cancel"),
    ],
)
def test_a_wrong_certificate_is_told_why(change, says):
    stored = {"given": ["x > 0"], "then": "x > 1", "proofs": [PROOF | change]}
    assert says in recheck.recheck(recheck.Certificate.of(stored))


def test_a_certificate_that_is_no_text_is_refused():
    with pytest.raises(TypeError, match="not text"):
        recheck.Certificate.of({"given": [1], "then": "x > 0", "proofs": []})


@pytest.fixture
def own_file(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "FILE", tmp_path / "certificates.json")
    archive.stored.cache_clear()
    yield archive.FILE
    archive.stored.cache_clear()


def test_the_file_of_certificates(own_file):
    assert archive.stored() == {}
    archive.save({"F4": {"1/positive": {"then": "x > 0"}}})
    assert archive.stored() == {"F4": {"1/positive": {"then": "x > 0"}}}
    for text, says in (("[", "cannot be read"), ('{"F4": 1}', "not a table")):
        own_file.write_text(text)
        archive.stored.cache_clear()
        with pytest.raises(InvalidInput, match=says):
            archive.stored()


def test_certify_finds_what_is_missing_and_keeps_what_holds(own_file, monkeypatch):
    small = [
        ("F4", "1/sum", Statement(("x > 0",), "x + 1 > 0")),
        ("F5", "1/false", Statement(("x > 0",), "x - 1 > 0")),
    ]
    monkeypatch.setattr(certifying, "statements", lambda _ids: small)
    said = []
    found = certifying.certify(["F4", "F5"], said.append)
    assert said == found and [row["verdict"] for row in found] == ["found", archive.ABSENT]
    assert [row["verdict"] for row in certifying.certify()] == ["kept", archive.ABSENT]
    assert list(json.loads(own_file.read_text())) == ["F4"]


@pytest.mark.parametrize("wrong", ["two claims", "not in the ledger"])
def test_planted_claims_are_refused(monkeypatch, wrong):
    one = catalogue(["F4"])[0]
    planted = [one] if wrong == "two claims" else [replace(one, id="F99", rests_on=("X9",))]
    monkeypatch.setattr(plateau, "CLAIMS", (*plateau.CLAIMS, *planted))
    claims.all_claims.cache_clear()
    try:
        with pytest.raises(ValueError, match=wrong):
            claims.all_claims()
    finally:
        monkeypatch.undo()
        claims.all_claims.cache_clear()


def test_an_id_of_no_kind_comes_last():
    assert claims.order("mine") > claims.order("T1") > claims.order("F4")


def test_enclosures_of_what_sympy_writes():
    names = {"x": arb(2), "y": arb(3)}
    assert (enclose(sp.E * x, names) - 2 * arb(1).exp()).contains(0)
    with pytest.raises(TypeError, match="cannot enclose"):
        enclose(sp.gamma(x), names)
    with pytest.raises(InvalidInput, match="formula"):
        relation("x in y", {"x": x, "y": y})


def test_edits_reach_matrices_and_parts_of_a_conclusion():
    matrix = sp.ImmutableMatrix([[x, 2]])
    assert sp.ImmutableMatrix([[x, 3]]) in [new for _, new in edits(matrix)]
    made = list(of_implication([x > 0], sp.And(x > -1, y >= 0), lambda given, then: (given, then)))
    assert any(isinstance(one.check[1], sp.And) for one in made)


def test_sides_that_are_no_match_are_said():
    with pytest.raises(ValueError, match="shapes differ"):
        identity(sp.Matrix([1, 2]), sp.Matrix([[1, 2]])).decide()
    f = sp.Function("f")
    assert identity(f(x), f(y)).decide().verdict is Verdict.OPEN
    assert identity(sp.nan * x, x).decide().verdict is Verdict.ERROR
    n = sp.Symbol("n", integer=True)
    assert identity(n + x, n).decide().verdict is Verdict.REFUTED


def test_what_the_second_kernel_does_not_know_it_leaves():
    assert agrees(sp.exp(x / 7), sp.exp(x)) is None
    assert agrees(sp.Integral(sp.gamma(x), x), x) is None


def test_a_point_that_cannot_be_decided_is_open():
    found = positive(lambda x: (x - 1) ** 2, {"x": (1, 1)}).decide()
    assert found.verdict in (Verdict.OPEN, Verdict.REFUTED)


def test_a_range_is_two_numbers():
    with pytest.raises(InvalidInput, match="two numbers"):
        _ranges({"alpha": [1, 2, 3]})


def test_a_witness_is_told():
    refuted = next(claim for claim in catalogue() if claim.witness)
    (result,) = run([refuted.id])
    assert "the witness is replayed" in credit.by_machine(result)
    assert "Witness, one line of Python" in explain(result)
