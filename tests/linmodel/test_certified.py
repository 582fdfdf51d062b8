"""Certified integration: narrow, right against a Taylor method, honest when it fails."""

from dataclasses import replace
from functools import lru_cache

import flint
import mpmath
import numpy as np
import pytest
from flint import arb, ctx

from linmodel import InvalidInput, OpposingSignals, State, closed_form, sharpness
from linmodel.certified import CannotEnclose, certified_flow, outward, pieces, reference
from linmodel.certified.collocation import grid, propose
from linmodel.certified.sharpness import largest_eigenvalue
from tests import tolerances

STANDARD = {
    "shallow dip": (5.0, 2.0, State(1.0, 0.1, 0.4, 0.6), [0.05, 0.5, 2.0]),
    "dip at alpha 50": (50.0, 10.0, State(1.0, 0.1, 0.4, 0.9), [0.01, 0.2, 1.0]),
    "deep dip at alpha 1000": (1e3, 10.0, State(1.0, 0.1, 0.4, 0.98), [1e-3, 0.1, 1.0]),
    "dip at alpha 10000": (1e4, 10.0, State(1.0, 0.1, 0.2, 0.99), [1e-4, 0.1, 1.0]),
    "plateau at alpha 100": (100.0, 3.0, State(1.0, 0.1, 0.3, 1.2), [0.1, 3.0, 100.0]),
    "plateau at alpha 10000": (1e4, 10.0, State(1.0, 0.1, 0.3, 1.5), [0.1, 3.0, 10.0]),
    "alpha 1": (1.0, 4.0, State(0.5, 0.3, 0.8, 0.7), [0.1, 1.0, 5.0]),
    "c crosses 0": (100.0, 5.0, State(0.2, -0.8, 0.1, 0.3), [0.05, 0.3, 3.0]),
    "c crosses 0, alpha 10000": (1e4, 5.0, State(0.1, -1.0, 0.2, 0.5), [0.05, 0.3, 3.0]),
    "epsilon0 < 0 on the near side": (1e3, 50.0, State(1.0, -0.05, 0.3, 0.7), [1e-3, 0.1, 0.5]),
}


@pytest.fixture(scope="module")
def enclosure():
    """The enclosure of a named problem, computed once."""

    @lru_cache
    def of(name):
        alpha, beta_norm, start, times = STANDARD[name]
        return certified_flow(OpposingSignals(alpha, beta_norm), start, times)

    return of


@pytest.mark.parametrize("name", STANDARD)
def test_enclosures_of_the_standard_problems_are_narrow(enclosure, name):
    found = enclosure(name)
    lower, upper = found.sel(bound="lower"), found.sel(bound="upper")
    for variable in set(found.data_vars) - {"o"}:
        assert (upper[variable] >= lower[variable]).all()
        size = np.maximum(np.abs(lower[variable]), np.abs(upper[variable]))
        width = upper[variable] - lower[variable]
        assert (width <= tolerances.CERTIFIED_WIDTH * size).all(), variable
    # o underflows (log_abs_o does not): the smallest float64 is 5e-324.
    assert (upper.o - lower.o <= tolerances.CERTIFIED_WIDTH * np.abs(upper.o) + 5e-324).all()


@pytest.mark.parametrize("name", STANDARD)
def test_the_problems_are_what_their_names_say(enclosure, name):
    found = enclosure(name).sel(bound="upper")
    alpha, _, start, _ = STANDARD[name]
    assert (found.c[-1] < 0) == name.startswith("c crosses 0")
    if name.startswith("plateau"):
        assert start.o > start.c and float(found.opposing_curvature.min()) < alpha / 100


@pytest.mark.parametrize("name", ["dip at alpha 50", "plateau at alpha 100", "c crosses 0"])
def test_the_enclosure_holds_the_taylor_solution(enclosure, name):
    """Independent: mpmath's Taylor method on the four equations, 25 digits, at the first time."""
    problem_alpha, beta_norm, start, times = STANDARD[name]
    found = enclosure(name)
    with mpmath.workdps(25):
        alpha, b_norm = mpmath.mpf(problem_alpha), mpmath.mpf(beta_norm)

        def field(_t, s):
            c, e, n, o = s
            residual = b_norm - c * e
            slope = e * residual - c * n * n - alpha * c * o * o
            return [slope, c * residual, -c * c * n, -alpha * c * c * o]

        exact = mpmath.odefun(field, 0, [mpmath.mpf(float(value)) for value in start])(times[0])
        for component, value in zip(("c", "epsilon", "n", "o"), exact, strict=True):
            lower, upper = (mpmath.mpf(float(x)) for x in found[component][0])
            assert lower <= value <= upper, component


def test_the_enclosure_holds_the_closed_form():
    problem, start = OpposingSignals(1.0, 4.0), State(0.5, 0.3, 0.8, 0.7)
    times = [0.1, 1.0, 10.0]
    closed, found = closed_form(problem, start, times), reference(problem, start, times)
    for name in ("c", "epsilon", "n", "o", "sharpness"):
        np.testing.assert_allclose(closed[name], found[name], rtol=tolerances.ALGEBRA)


def test_more_digits_give_an_enclosure_inside_the_tolerance_of_fewer():
    problem, start = OpposingSignals(1e3, 10.0), State(1.0, 0.1, 0.4, 0.98)
    few = certified_flow(problem, start, [0.2], digits=14, relative_width=1e-8)
    many = certified_flow(problem, start, [0.2], digits=40)
    for name in ("c", "epsilon", "n", "sharpness"):
        assert float(few[name][0, 0]) <= float(many[name][0, 1])
        assert float(many[name][0, 0]) <= float(few[name][0, 1])


@pytest.mark.parametrize(
    ("beta_norm", "start"),
    [(0.0, State(0.0, 0.0, 0.0, 0.0)), (2.0, State(1.0, 2.0, 0.0, 0.0))],
)
def test_equilibria_stay(beta_norm, start):
    problem = OpposingSignals(100.0, beta_norm)
    found = certified_flow(problem, start, [0.0, 1.0, 1e6])
    for name, value in start.as_dict().items():
        assert (found[name].sel(bound="lower") <= value).all()
        assert (found[name].sel(bound="upper") >= value).all()
    inside = reference(problem, start, [1e6]).sharpness
    np.testing.assert_allclose(inside, sharpness(problem, start), rtol=tolerances.ALGEBRA)


def test_sharpness_where_two_roots_coincide():
    """alpha = 2, c = 1, epsilon = 1, B = 1 (a minimum): both directions have curvature 2."""
    found = certified_flow(OpposingSignals(2.0, 1.0), State(1.0, 1.0, 0.0, 0.0), [1.0])
    lower, upper = (float(value) for value in found.sharpness[0])
    assert lower <= 2.0 <= upper
    assert upper - lower <= 2 * tolerances.CERTIFIED_WIDTH


def test_what_it_cannot_enclose_it_refuses():
    problem, start = OpposingSignals(1e3, 10.0), State(1.0, 0.1, 0.4, 0.98)
    with pytest.raises(CannotEnclose, match="Raise digits"):
        certified_flow(problem, start, [1.0], digits=8)
    with pytest.raises(CannotEnclose, match="max_pieces"):
        certified_flow(problem, start, [1.0], max_pieces=3)


def test_a_wrong_solution_is_outside():
    """Planted: the flow of a slightly different problem must not pass for this one's."""
    start, times = State(1.0, 0.1, 0.4, 0.9), [0.2]
    right = certified_flow(OpposingSignals(50.0, 10.0), start, times)
    wrong = reference(OpposingSignals(50.0 * (1 + 1e-12), 10.0), start, times)
    assert not (right.c[0, 0] <= wrong.c[0] <= right.c[0, 1])


def test_bad_input_is_refused():
    problem, start = OpposingSignals(2.0, 1.0), State(1.0, 0.0, 0.0, 0.0)
    for times in ([], [-1.0], [1.0, 1.0], [float("nan")]):
        with pytest.raises(InvalidInput):
            certified_flow(problem, start, times)
    with pytest.raises(InvalidInput):
        certified_flow(problem, start, [1.0], digits=2)
    with pytest.raises(InvalidInput):
        certified_flow(problem, start, [1.0], relative_width=0.0)


def test_outward_rounding_contains():
    with flint.ctx.workprec(200):
        third = arb(1) / 3
        low, high = outward(third)
        assert arb(low) < third < arb(high)
        assert outward(arb(0.5)) == (0.5, 0.5)
        tiny = arb(2) ** -2000
        assert outward(tiny)[0] <= 0.0 < outward(tiny)[1]


def test_numbers_out_of_range_are_refused_not_crashed():
    with pytest.raises(CannotEnclose, match="rescale"):
        certified_flow(OpposingSignals(10.0, 1.0), State(1e100, 1.0, 1.0, 1.0), [1.0])


def test_long_after_the_limit_is_reached():
    problem, start = OpposingSignals(50.0, 10.0), State(1.0, 0.1, 0.4, 0.9)
    found = certified_flow(problem, start, [1e5])
    kappa = start.kappa
    c_square = (kappa + np.hypot(kappa, 20.0)) / 2
    np.testing.assert_allclose(found.c[0] ** 2, c_square, rtol=tolerances.ALGEBRA)


@pytest.mark.parametrize("length", [1.0, 1e3, 1e200])
def test_a_piece_that_is_too_long_is_not_proposed(length):
    at = [arb(value) for value in (1.0, 0.1, 0.4, 0.9)]
    nodes = grid(16, 200)
    assert propose(100.0, 10.0, at, arb("1e-3"), nodes, 15) is not None
    assert propose(100.0, 10.0, at, arb(length), nodes, 15) is None


def test_a_piece_is_halved_until_it_is_proposed(monkeypatch):
    asked = []

    def seldom(alpha, beta_norm, start, h, nodes, digits):
        asked.append(float(h))
        return propose(alpha, beta_norm, start, h, nodes, digits) if len(asked) > 2 else None

    monkeypatch.setattr(pieces, "propose", seldom)
    found = certified_flow(OpposingSignals(50.0, 10.0), State(1.0, 0.1, 0.4, 0.9), [0.01])
    monkeypatch.undo()
    whole = certified_flow(OpposingSignals(50.0, 10.0), State(1.0, 0.1, 0.4, 0.9), [0.01])
    assert asked[:3] == [asked[0], asked[0] / 2, asked[0] / 4]
    assert (found.c[0, 0] <= whole.c[0, 1]) and (whole.c[0, 0] <= found.c[0, 1])


def test_a_time_that_needs_more_bits_is_said(monkeypatch):
    step = pieces._next_piece

    def odd(*given):
        piece, length = step(*given)
        return replace(piece, length=piece.length + arb(0, 1e-9)), length

    monkeypatch.setattr(pieces, "_next_piece", odd)
    with pytest.raises(CannotEnclose, match="needs more bits"):
        certified_flow(OpposingSignals(50.0, 10.0), State(1.0, 0.1, 0.4, 0.9), [1.0])


@pytest.mark.parametrize("bits", [30, 53])
def test_few_bits_make_the_bound_of_sharpness_wide_and_not_wrong(bits):
    state = (1.0, 0.1, 0.4, 0.9)
    exact = float(sharpness(OpposingSignals(50.0, 10.0), State(*state)))
    with ctx.workprec(bits):
        assert largest_eigenvalue(50.0, 10.0, tuple(map(arb, state))).contains(arb(exact))


def test_where_no_bound_of_sharpness_is_proved_it_is_infinite(monkeypatch):
    monkeypatch.setattr("linmodel.certified.sharpness.exceeds", lambda matrix, x: False)
    assert not largest_eigenvalue(50.0, 10.0, tuple(map(arb, (1.0, 0.1, 0.4, 0.9)))).is_finite()
