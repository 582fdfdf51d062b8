"""The claims about envelope, large alpha and exact runs, and checks that must refuse false ones."""

import numpy as np
import pytest
import sympy as sp
from flint import arb

from linmodel import OpposingSignals, State, gradient_descent
from proofs_check.claims import bounds, exact_runs, large_alpha, reduction
from proofs_check.claims.field import VELOCITY, c
from proofs_check.enclosure import certified
from proofs_check.ledger import Verdict
from proofs_check.smt import implies
from proofs_check.symbolic import identity, limit
from tests import tolerances


def test_balls_hold_the_float_run():
    problem, start, eta = OpposingSignals(50.0, 10.0), State(1.0, 0.1, 0.4, 0.9), 0.00805
    balls = exact_runs.descent_in_balls(*exact_runs.ABOVE, 40, 500)
    run = gradient_descent(problem, start, eta, 40).isel(time=-1)
    for ball, name in zip(balls, ("c", "epsilon", "n", "o"), strict=True):
        assert float(ball) == pytest.approx(float(run[name]), rel=tolerances.CLOSED_FORM)


def test_too_few_bits_decide_nothing():
    """Balls that have grown too wide are neither above nor below: no verdict is made of them."""
    end, *_ = exact_runs.descent_in_balls(*exact_runs.ABOVE, 4000, 60)
    settled = abs(end) < 1
    assert not settled and not abs(end) > 10**20


@pytest.mark.parametrize(("powers", "column"), [(1, 0), (2, 1), (2, 2)])
def test_a_formula_of_a_lower_order_is_refused(monkeypatch, powers, column):
    drawn = large_alpha._draw_kept(np.random.default_rng(5))
    assert large_alpha._of_order(powers, column, **drawn)
    assert not large_alpha._of_order(powers + 1, column, **drawn)
    errors = large_alpha.errors
    monkeypatch.setattr(large_alpha, "errors", lambda *a: errors(*a) + a[2] ** (0.5 - powers))
    assert not large_alpha._of_order(powers, column, **drawn)


def test_undecided_balls_are_open_and_not_refuted(monkeypatch):
    wide, inside = arb(0, 10**30), arb(0)
    monkeypatch.setattr(exact_runs, "descent_in_balls", lambda *_: (wide, wide, inside, inside))
    for check in (exact_runs._diverges_below, exact_runs._settles_above):
        assert certified(check).decide().verdict == Verdict.OPEN
    monkeypatch.setattr(exact_runs, "descent_in_balls", lambda *_: (arb(1),) * 4)
    for check in (exact_runs._diverges_below, exact_runs._settles_above):
        assert certified(check).decide().verdict == Verdict.REFUTED


def test_a_wrong_full_flow_does_not_reduce():
    """The plane's equations come from the full flow: c (beta + c b) does not give them."""
    parts = {"b": reduction.ANSATZ, "beta": reduction.SIGNAL}
    right = reduction._on_ansatz(reduction.FULL_B, parts)
    wrong = reduction._on_ansatz(reduction.FULL_B | {"b": c**2}, parts)
    assert identity(right["h"], VELOCITY[1]).decide().verdict == Verdict.PROVED
    assert identity(wrong["h"], VELOCITY[1]).decide().verdict == Verdict.REFUTED
    assert identity(wrong["e"], VELOCITY[2]).decide().verdict == Verdict.REFUTED


def test_false_claims_are_refused():
    """The run below 4 does not settle; a gap on the wrong side; a wrong order of the dip's time."""

    def settles():
        end, *_ = exact_runs.descent_in_balls(*exact_runs.BELOW, 48, 2000)
        return bool(abs(end) < 1), "planted"

    assert certified(settles).decide().verdict == Verdict.REFUTED
    p, x, gap, square = bounds.piece, bounds.x, bounds.gap, bounds.square
    wrong = implies([p > gap, gap >= 0, x >= p, square >= x - gap], x / square <= 1 / (1 + gap / p))
    assert wrong.decide().verdict == Verdict.REFUTED
    size = (1 - sp.exp(-large_alpha.LONG)) * large_alpha.A / sp.log(large_alpha.A)
    assert limit(size, large_alpha.A, sp.oo, 1).decide().verdict == Verdict.REFUTED
