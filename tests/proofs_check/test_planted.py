"""Every kind of check is shown false claims, and must refuse them."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import sympy as sp
from flint import arb

from linmodel.errors import InvalidInput
from proofs_check import enclosure, sampling, second, smt, symbolic
from proofs_check.claims.field import B, M, V, along, c, epsilon, o
from proofs_check.ledger import (
    Check,
    Claim,
    Outcome,
    Step,
    Verdict,
    by_lemma,
    decide,
    run_check,
    step,
    weakest,
)

TRUE = Check("sympy", lambda: Outcome(Verdict.PROVED, "fine"))


def claim(*checks: Check, **fields) -> Claim:
    fields = {"recorded": Verdict.PROVED} | fields
    steps = (step("the only step", *checks),) if checks else ()
    return Claim("X1", "a title", "a statement", "", steps=steps, **fields)


def verdict_of(check: Check) -> Verdict:
    return decide(claim(check)).verdict


WRONG_SIGN = symbolic.identity(along(V), (c**2 + epsilon**2) * V + c * epsilon * M)


@pytest.mark.parametrize(
    "check",
    [
        WRONG_SIGN,
        symbolic.identity(sp.Matrix([[c, 1], [0, c]]), sp.Matrix([[c, 1], [1, c]])),
        symbolic.identity(sp.sqrt(c**2), -c),
        symbolic.identity(1, 2),
        symbolic.polynomial([c + 1 / epsilon], c, epsilon),
        symbolic.limit(1 / c, c, sp.oo, 1),
        symbolic.limit(sp.sign(c), c, 0, 1),
        symbolic.limit(1 / c, c, 0, sp.oo),
        symbolic.limit(sp.sign(c), c, 0, 1, "-"),
        smt.implies([c > 0], c * epsilon > 0),
        smt.implies([c > 0, epsilon >= 0, B > 0], c * epsilon < B),
        smt.implies([], c**2 > 0),
        smt.implies([], sp.false),
        enclosure.positive(lambda x: x * x - x + arb("0.24"), {"x": (-1, 2)}),
        enclosure.positive(lambda x: x - 2, {"x": (0, 1)}),
        enclosure.certified(lambda: (False, "2 < 1")),
        sampling.holds(lambda rng: {"x": rng.random()}, lambda x: x < 0.99, examples=1000),
    ],
)
def test_false_statements_are_refuted(check):
    result = decide(claim(check))
    assert result.verdict == Verdict.REFUTED, result.evidence
    assert not result.as_recorded


def test_a_counterexample_is_shown():
    assert "c = 1" in run_check(smt.implies([sp.Eq(c, 1)], c > 1)).evidence
    assert "differ at" in run_check(WRONG_SIGN).evidence


HARD = sp.Gt(c**5 * epsilon**3 - 3 * o**7 * c + epsilon**6 * o, 4 * c**4 * o**2 * epsilon - 10**9)


@pytest.mark.parametrize("budget", [{"resources": 1}, {"seconds": 0.001, "resources": 10**9}])
def test_an_unknown_answer_of_the_solver_is_open_and_never_a_pass(budget):
    assert verdict_of(smt.implies([HARD], c**2 + epsilon**2 + o**2 > 1, **budget)) == Verdict.OPEN


def test_a_budget_too_small_for_a_true_claim_does_not_pass_it():
    true = smt.implies([], c**4 + epsilon**4 + o**4 + 1 >= 4 * c * epsilon * o, resources=1)
    assert verdict_of(true) == Verdict.OPEN


def test_empty_hypotheses_prove_nothing():
    assert verdict_of(smt.implies([c > 0, c < 0], c > 5)) == Verdict.ERROR


def test_division_by_what_may_be_zero_is_an_error():
    assert verdict_of(smt.implies([c >= 0], (B**2 + 1) / c >= 0)) == Verdict.ERROR


def test_two_solvers_that_disagree_are_an_error(monkeypatch):
    ask = smt._ask

    def contrary(formulas, seconds, resources, logic):
        return ask(formulas if logic else formulas[:-1], seconds, resources, logic)

    monkeypatch.setattr(smt, "_ask", contrary)
    assert verdict_of(smt.implies([c > 0], c > -1)) == Verdict.ERROR
    assert verdict_of(smt.implies([c > 0], c > -1, second_opinion=False)) == Verdict.PROVED


def test_what_the_solver_cannot_read_is_an_error():
    assert verdict_of(smt.implies([c > 0], sp.exp(c) > 1)) == Verdict.ERROR


def test_two_symbols_of_one_name_are_an_error():
    assert verdict_of(smt.implies([c > 0], sp.Symbol("c") > 0)) == Verdict.ERROR


@pytest.mark.parametrize("pair", [(2, 1), ("0.2", "0.1"), (0, float("nan")), (0, float("inf"))])
def test_a_bad_box_is_refused_before_any_work(pair):
    with pytest.raises(InvalidInput, match="box side x"):
        enclosure.positive(lambda x: x + 1, {"x": pair})


def test_an_undecided_box_is_open():
    touching = enclosure.positive(lambda x: (x - 1) * (x - 1), {"x": ("0.9", 3)}, boxes=500)
    assert verdict_of(touching) in {Verdict.OPEN, Verdict.REFUTED}
    pole = enclosure.positive(lambda x: 1 / (x - 1) ** 2, {"x": ("0.9", 3)}, boxes=500)
    assert verdict_of(pole) == Verdict.OPEN
    assert verdict_of(enclosure.certified(lambda: (None, "too wide"))) == Verdict.OPEN


def test_a_check_that_raises_is_an_error():
    def broken() -> Outcome:
        raise ZeroDivisionError("by nothing")

    result = decide(claim(Check("sympy", broken)))
    assert result.verdict == Verdict.ERROR and "ZeroDivisionError: by nothing" in result.evidence


def test_a_check_that_ends_the_process_is_an_error():
    assert verdict_of(Check("sympy", lambda: sys.exit(0))) == Verdict.ERROR
    leaving = claim(witness="import sys; sys.exit(0); assert 1 + 1 == 2", **WITNESSED)
    assert decide(leaving).verdict == Verdict.ERROR


@pytest.mark.parametrize("value", [1.0, True, sp.Integer(1)])
def test_only_an_interval_certifies(value):
    assert verdict_of(enclosure.positive(lambda x: value, {"x": (0, 1)})) == Verdict.ERROR


def test_nothing_at_all_is_not_an_identity_nor_a_polynomial():
    empty = sp.Matrix(0, 0, [])
    assert verdict_of(symbolic.identity(empty, empty)) == Verdict.ERROR
    assert verdict_of(symbolic.identity(empty)) == Verdict.ERROR
    with pytest.raises(ValueError, match="at least one"):
        symbolic.polynomial([], c)


def test_a_one_sided_limit_states_its_side():
    assert verdict_of(symbolic.limit(sp.sign(c), c, 0, 1, "+")) == Verdict.PROVED
    with pytest.raises(ValueError, match="side"):
        symbolic.limit(c, c, 0, 0, "both")


@pytest.mark.parametrize(
    "check",
    [
        symbolic.identity(sp.Matrix([c * epsilon, c]).diff(sp.Symbol("k"))),
        symbolic.identity(sp.Derivative(c * epsilon, sp.Symbol("k"))),
        symbolic.identity(sp.Subs(c * epsilon, sp.Symbol("k"), 0), epsilon * c),
        symbolic.identity(c**2, c**2),
        symbolic.identity(0),
    ],
)
def test_an_identity_that_does_not_contain_what_it_is_about_is_an_error(check):
    assert verdict_of(check) == Verdict.ERROR


X = sp.Symbol("x", positive=True)
SAME = [
    (sp.Derivative(sp.exp(-2 * c * X), X), -2 * c * sp.exp(-2 * c * X)),
    (sp.exp(c) * sp.exp(epsilon), sp.exp(c + epsilon)),
    (sp.Derivative(sp.log(1 + X**2), X), 2 * X / (1 + X**2)),
    (sp.sqrt(X) ** 2 + 1, X + 1),
    (sp.Subs(c**2 + o, c, o + 1), o**2 + 3 * o + 1),
]


@pytest.mark.parametrize(("left", "right"), SAME)
def test_the_second_kernel_confirms_and_refuses(left, right):
    assert second.agrees(left, right) is True
    assert second.agrees(left, right + c) is not True


def test_the_second_kernel_contradicts_a_wrong_polynomial_and_says_when_it_cannot_tell():
    assert second.agrees((c + o) ** 2, c**2 + o**2) is False
    assert second.agrees(sp.Integral(X, (X, 0, 1)), sp.Rational(1, 2)) is None


def test_two_kernels_that_disagree_are_an_error(monkeypatch):
    monkeypatch.setattr(symbolic, "agrees", lambda left, right: False)
    assert verdict_of(symbolic.identity((c + 1) ** 2, c**2 + 2 * c + 1)) == Verdict.ERROR


@pytest.mark.parametrize("answer", [None, True, "proved", Outcome(True, "x"), Outcome("so", "x")])
def test_a_check_that_returns_no_outcome_is_an_error(answer):
    assert verdict_of(Check("sympy", lambda: answer)) == Verdict.ERROR


def test_sampling_is_never_called_proof():
    always = sampling.holds(lambda rng: {"x": rng.random()}, lambda x: True, examples=5)
    assert verdict_of(always) == Verdict.TESTED
    for answer in (float("nan"), np.float64("nan"), 1, None):
        odd = sampling.holds(lambda rng, x=answer: {"x": x}, lambda x: x, examples=5)
        assert verdict_of(odd) == Verdict.ERROR
    with pytest.raises(ValueError, match="examples"):
        sampling.holds(lambda rng: {}, lambda: True, examples=0)


def test_a_claim_is_as_weak_as_its_weakest_step_and_what_it_rests_on():
    tested = sampling.holds(lambda rng: {}, lambda: True, examples=1)
    assert decide(claim(TRUE, tested)).verdict == Verdict.TESTED
    assert decide(claim(TRUE, rests_on=("F1",)), {"F1": Verdict.TESTED}).verdict == Verdict.TESTED
    assert decide(claim(TRUE, rests_on=("F1",)), {"F1": Verdict.ERROR}).verdict == Verdict.ERROR
    assert decide(claim(TRUE, rests_on=("F1",)), {}).verdict == Verdict.OPEN
    assert weakest([]) == Verdict.OPEN


WITNESSED = {"recorded": Verdict.REFUTED}


def test_a_witness_refutes_only_if_its_assertion_holds():
    good = claim(witness="assert 1 + 1 == 2", **WITNESSED)
    assert decide(good).verdict == Verdict.REFUTED and decide(good).as_recorded
    assert decide(claim(witness="assert 1 + 1 == 3", **WITNESSED)).verdict == Verdict.OPEN
    assert decide(claim(witness="assert 1 / 0", **WITNESSED)).verdict == Verdict.ERROR
    assert decide(claim(witness="assert (", **WITNESSED)).verdict == Verdict.ERROR


def test_a_refutation_with_a_failing_step_is_not_one():
    plain = "assert 1 + 1 == 2"
    assert decide(claim(WRONG_SIGN, witness=plain, **WITNESSED)).verdict == Verdict.OPEN
    tested = sampling.holds(lambda rng: {}, lambda: True, examples=1)
    assert decide(claim(tested, witness=plain, **WITNESSED)).verdict == Verdict.OPEN
    assert decide(claim(TRUE, witness=plain, **WITNESSED)).verdict == Verdict.REFUTED


@pytest.mark.parametrize(
    "witness", ["pass", "import numpy", "assert (1 > 2, 'no')", "assert True", "if 0: assert 1 > 2"]
)
def test_a_witness_that_asserts_nothing_refutes_nothing(witness):
    assert decide(claim(witness=witness, **WITNESSED)).verdict == Verdict.ERROR


@pytest.mark.parametrize(
    "fields", [{"recorded": Verdict.REFUTED}, {"recorded": Verdict.OPEN}, {"recorded": "tested"}]
)
def test_a_claim_must_carry_what_its_recorded_verdict_needs(fields):
    with pytest.raises(ValueError):
        claim(TRUE, **fields)
    with pytest.raises(ValueError, match="needs steps"):
        claim(recorded=Verdict.PROVED)


def test_a_lemma_may_not_be_used_on_trust():
    with pytest.raises(ValueError, match="needs checks"):
        by_lemma("Metzler", "signs", form=TRUE)
    with pytest.raises(ValueError, match="needs checks"):
        by_lemma("monotone", "signs", sign=TRUE, extra=TRUE)
    with pytest.raises(ValueError, match="has no check"):
        by_lemma("monotone", "signs", sign=())
    with pytest.raises(ValueError, match="without a check"):
        step("an unchecked sentence")
    bad = Step("signs", by_lemma("monotone", "signs", sign=WRONG_SIGN).checks, "monotone")
    assert decide(Claim("X2", "", "", "", Verdict.PROVED, steps=(bad,))).verdict == Verdict.REFUTED


@pytest.mark.parametrize("unknown", [1, 2])
def test_each_answer_that_the_solver_owes_is_open_when_it_owes_it(monkeypatch, unknown):
    """First whether the negation has a solution, then whether the hypotheses have one."""
    answers = iter([(smt.z3.unknown if n == unknown else smt.z3.unsat, None) for n in (1, 2)])
    monkeypatch.setattr(smt, "_ask", lambda *question: next(answers))
    assert run_check(smt.implies([c > 0], c > -1)).verdict == Verdict.OPEN


def test_what_holds_without_hypotheses_needs_no_example_of_them():
    assert verdict_of(smt.implies([], c**2 + epsilon**2 >= 2 * c * epsilon)) == Verdict.PROVED


def test_an_interval_around_zero_at_a_point_is_open():
    around = enclosure.positive(lambda x: x * 0 + arb(0, 1), {"x": (1, 1)})
    assert "undecided at the point" in run_check(around).evidence
    assert verdict_of(around) == Verdict.OPEN


def test_an_integer_symbol_is_refuted_at_an_integer():
    n = sp.Symbol("n", integer=True, positive=True)
    found = run_check(symbolic.identity(sp.cos(2 * sp.pi * n), n))
    assert found.verdict == Verdict.REFUTED and "differ at n = " in found.evidence


def test_roots_inside_roots_and_functions_of_no_rule_are_left():
    nested = X
    for _ in range(10):
        nested = sp.sqrt(1 + nested)
    assert second.agrees(nested**2048, X) is None
    assert second.agrees(sp.sin(X), X) is None
