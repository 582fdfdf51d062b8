"""The ledger itself: every verdict is the recorded one, and the command line says so."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import sympy as sp

import proofs_check
from linmodel import OpposingSignals, State, velocity
from linmodel import loss as model_loss
from linmodel.errors import InvalidInput
from linmodel.landscape import core_block
from proofs_check import Verdict, catalogue, claims_table, run
from proofs_check.__main__ import spread
from proofs_check.claims.field import LOSS, STATE, VELOCITY, B, alpha, dot, vector
from proofs_check.claims.hessian import CORE, bb, rho
from proofs_check.claims.network import curvature, loss_along, slope
from proofs_check.ledger import Claim, Result, step
from proofs_check.lemmas import LEMMAS
from proofs_check.smt import implies
from tests.tolerances import ALGEBRA


@pytest.fixture(scope="module")
def results() -> list[Result]:
    return run()


def test_every_verdict_is_the_recorded_one(results):
    assert [(r.claim.id, r.verdict, r.evidence) for r in results if not r.as_recorded] == []


@pytest.mark.parametrize("name", ["F11c", "F13", "F13b", "F13c", "G4d"])
def test_every_check_of_a_mixed_claim_gives_the_recorded_verdict(results, name):
    (result,) = (one for one in results if one.claim.id == name)
    assert result.steps
    for one in result.steps:
        for check, outcome in one.outcomes.items():
            allowed = (result.claim.recorded, Verdict.PROVED)
            assert outcome.verdict in allowed, (one.step.says, check, outcome)


# The statements of the theory and of the authors that the ledger has to settle.
LINES = [
    *(f"M{i}" for i in range(1, 11)),
    *("H1", "H2"),
    *(f"F{i}" for i in range(1, 12)),
    *(f"G{i}" for i in range(1, 7)),
    *(f"S{i}" for i in (*range(1, 11), 12, 13)),
]


def test_nine_in_ten_of_the_theorys_lines_are_proved_or_certified(results):
    """Refuted lines count as not proved; lines that only this ledger has do not count."""
    verdicts = {result.claim.id: result.verdict for result in results}
    strong = [name for name in LINES if verdicts[name] in (Verdict.PROVED, Verdict.CERTIFIED)]
    assert len(strong) >= 0.9 * len(LINES)


def test_every_claim_says_what_it_should(results):
    for result in results:
        claim = result.claim
        assert claim.title and claim.statement and claim.latex and claim.source and result.evidence
        assert claim.latex.count("{") == claim.latex.count("}")
        if claim.function:
            module, _, name = claim.function.rpartition(".")
            assert hasattr(__import__(f"linmodel.{module}", fromlist=[name]), name), claim.function


def test_refuted_lines_have_a_witness_of_one_line(results):
    refuted = [r for r in results if r.verdict == Verdict.REFUTED]
    assert refuted
    for result in refuted:
        assert "\n" not in result.claim.witness and "assert" in result.claim.witness
        assert result.evidence.startswith("witness: "), "it was replayed, and its assertion held"


def test_lemmas_are_named_and_used(results):
    used = {part.lemma for r in results for part in r.claim.steps if part.lemma}
    assert used <= set(LEMMAS)
    assert set(LEMMAS) <= used, "a lemma that nothing uses"


def test_the_symbolic_model_is_the_numerical_one(rng):
    values = dict(zip((*STATE, B, alpha), rng.uniform(0.1, 2, 6), strict=True))
    problem = OpposingSignals(alpha=values[alpha], beta_norm=values[B], k=4.0)
    state = State(*(values[x] for x in STATE))
    field = [float(f.subs(values)) for f in VELOCITY]
    np.testing.assert_allclose(field, list(velocity(problem, state)), rtol=ALGEBRA)
    np.testing.assert_allclose(float(LOSS.subs(values)), model_loss(problem, state), rtol=ALGEBRA)
    c, epsilon, n, _ = STATE
    across = sp.sqrt((2 * c * epsilon - B) ** 2 + (2 * c * n) ** 2)
    width = {bb: epsilon**2 + n**2, rho: across}
    core = np.array(CORE.subs(width).subs(values), dtype=float)
    np.testing.assert_allclose(core, core_block(problem, state), rtol=ALGEBRA)


@pytest.mark.parametrize("dimensions", [(1, 1), (2, 3), (4, 2)])
def test_gram_calculus_agrees_with_coordinates(rng, dimensions):
    """The dimension-free slope and curvature against numbers in a fixed dimension."""
    d1, d2 = dimensions
    vectors = {name: rng.normal(size=d1) for name in ("b", "v", "beta")}
    vectors |= {name: rng.normal(size=d2) for name in ("bo", "w")}
    projection = np.diag(rng.integers(0, 2, d2).astype(float))

    def number(expression: sp.Expr) -> float:
        put = {alpha: 1.7, STATE[0]: 0.6, sp.Symbol("gamma", real=True): -0.4}
        put |= {sp.Symbol("G", real=True): 0.3}
        for symbol in expression.free_symbols:
            if str(symbol).startswith("<"):
                first, *form, last = str(symbol)[1:-1].split(".")
                middle = projection if form else np.eye(len(vectors[first]))
                put[symbol] = vectors[first] @ middle @ vectors[last]
        return float(expression.subs(put))

    def value(s: float) -> float:
        c = 0.6 - 0.4 * s
        signal = c * (vectors["b"] + s * vectors["v"]) - vectors["beta"]
        opposed = projection @ (c * (vectors["bo"] + s * vectors["w"]))
        return 0.5 * (signal @ signal + 1.7 * opposed @ opposed + 0.3)

    # L is a polynomial of degree 4 in s: its derivatives at 0 from five points, exactly.
    points = np.arange(-2.0, 3.0)
    _, first, second, *_ = (
        np.polynomial.Polynomial.fit(points, [value(s) for s in points], 4).convert().coef
    )
    assert number(slope(loss_along())) == pytest.approx(first, rel=1e3 * ALGEBRA)
    assert number(curvature(loss_along())) == pytest.approx(2 * second, rel=1e3 * ALGEBRA)
    assert number(dot(vector(b=2, v=-1), vector(beta=1))) == pytest.approx(
        (2 * vectors["b"] - vectors["v"]) @ vectors["beta"], rel=1e3 * ALGEBRA
    )


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_reading_the_table_runs_no_check(monkeypatch):
    monkeypatch.setattr(proofs_check, "decide", lambda *_: pytest.fail("a check ran"))
    table = claims_table()
    assert {"id", "title", "statement", "latex", "source", "recorded", "function"} == set(table[0])
    assert len(table) == len(catalogue())


def test_unknown_ids_are_refused():
    with pytest.raises(InvalidInput, match="claim id is 'Z9'"):
        run(["Z9"])


def test_a_claim_of_a_users_own_rests_on_the_ledger(monkeypatch):
    monkeypatch.setattr(proofs_check, "_registered", {})
    parts = {"latex": "", "recorded": Verdict.PROVED, "source": "mine", "rests_on": ("M4",)}
    mine = Claim(
        "U1",
        "mine",
        "x > 1 gives x^2 > 1",
        steps=(step("", implies([alpha > 1], alpha**2 > 1)),),
        **parts,
    )
    wrong = Claim(
        "U2",
        "wrong",
        "x > 1 gives x > 2",
        steps=(step("", implies([alpha > 1], alpha > 2)),),
        **parts,
    )
    above = Claim("U3", "above", "", "", Verdict.PROVED, rests_on=("U1",), steps=mine.steps)
    found = run([mine, wrong, above, "M6"])
    assert [(one.claim.id, str(one.verdict)) for one in found] == [
        ("U1", "proved"), ("U2", "refuted"), ("U3", "proved"), ("M6", "proved"),
    ]  # fmt: skip
    assert "rests on M4" in found[0].evidence and "U1" not in {one.id for one in catalogue()}
    proofs_check.register(mine)
    assert catalogue(["U1"]) == [mine] == [one.claim for one in run(["U1"])]
    taken = Claim("M4", "", "", "", Verdict.OPEN, reason="none")
    lost = Claim("U4", "", "", "", Verdict.OPEN, reason="none", rests_on=("Z9",))
    for claim, words in ((taken, "id of a claim is 'M4'"), (lost, "what U4 rests on is 'Z9'")):
        for use in (proofs_check.register, lambda one: run([one])):
            with pytest.raises(InvalidInput, match=words):
                use(claim)


def test_claims_that_rest_on_each_other_are_refused(monkeypatch):
    def pair() -> list[Claim]:
        made = [
            Claim(a, "", "", "", Verdict.OPEN, rests_on=(b,), reason="none")
            for a, b in (("X1", "X2"), ("X2", "X1"))
        ]
        return made

    monkeypatch.setattr(proofs_check, "catalogue", lambda ids=None: pair())
    with pytest.raises(ValueError, match="X1 -> X2 -> X1"):
        run()


def test_only_takes_several_ids():
    assert spread(["--only", "F4", "F5", "--json", "x"]) == [
        "--only", "F4", "--only", "F5", "--json", "x",
    ]  # fmt: skip
    assert spread(["show", "F4"]) == ["show", "F4"]


def test_ids_of_the_statements_are_all_there():
    have = {claim.id for claim in catalogue()}
    wanted = [f"M{i}" for i in range(1, 11)] + ["H1", "H2"] + [f"F{i}" for i in range(1, 12)]
    wanted += [f"G{i}" for i in range(1, 7)] + [f"S{i}" for i in (*range(1, 11), 12, 13)]
    assert [name for name in wanted if name not in have] == []
    assert all(re.fullmatch(r"[A-Z]\d+[\w.]*", name) for name in have)


def test_json_rows_have_the_promised_keys(results):
    row = json.loads(json.dumps(results[0].as_dict()))
    assert list(row) == [
        "id", "statement", "source", "verdict", "method", "evidence", "seconds",
    ]  # fmt: skip
