"""Bounds: each holds along the flow, is sharp where it claims to be, and refuses what it must."""

import math
from fractions import Fraction

import numpy as np
import pytest

from linmodel import (
    InvalidInput,
    OpposingSignals,
    State,
    bounds,
    gradient_flow,
    sharpness,
    standard_state,
)
from linmodel.conserved import conserved
from linmodel.reduction import probability_o_below_c
from tests import tolerances

CASES = [(1.0, 3.0, 1.0), (4.0, 10.0, 4.0), (50.0, 1.0, 20.0), (1e3, 10.0, 4.0), (1e4, 0.3, 0.2)]


def standing_start(problem: OpposingSignals, seed: int) -> State:
    c, epsilon, n, o = standard_state(problem, rng=seed)
    return State(c, min(abs(epsilon), 0.9 * problem.beta_norm), n, o)


@pytest.fixture(params=range(len(CASES)))
def run(request):
    """A problem, a start within the standing hypotheses, and its flow past the dip."""
    alpha, b_norm, k = CASES[request.param]
    problem = OpposingSignals(alpha=alpha, beta_norm=b_norm, k=k)
    start = standing_start(problem, request.param)
    end = 8 / math.sqrt(bounds.limit(problem, start).c ** 2 * b_norm)
    times = np.concatenate([[0], np.geomspace(1e-6 / alpha, end, 400)])
    return problem, start, gradient_flow(problem, start, times)


def test_conserved_is_exact_where_squares_cancel():
    state = State(1.0, 1e-9, 2.0**-30, math.sqrt(1 - 1e-15))
    exact = Fraction(state.c) ** 2 - sum(
        Fraction(float(x)) ** 2 for x in (state.epsilon, state.n, state.o)
    )
    assert float(conserved(state)) == pytest.approx(float(exact), rel=tolerances.ALGEBRA)


@pytest.mark.parametrize("kappa", [-1e8, -1.0, 0.0, 1.0, 1e8])
def test_limit_solves_its_quadratic_without_cancellation(kappa):
    x = Fraction(float(bounds.limit_c_squared(kappa, 3.0)))
    assert abs(x * x - Fraction(kappa) * x - 9) <= 9 * Fraction(tolerances.ALGEBRA) * max(1, x * x)


def test_the_flow_ends_at_the_limit():
    problem, start = OpposingSignals(50.0, 2.0, k=4.0), State(1.0, 0.1, 0.4, 0.9)
    end = gradient_flow(problem, start, [50.0]).isel(time=0)
    limit = bounds.limit(problem, start)
    assert float(end.c) == pytest.approx(float(limit.c), rel=tolerances.FLOW)
    assert float(end.sharpness) == pytest.approx(float(limit.sharpness), rel=tolerances.FLOW)


def test_bounds_hold_along_the_flow(run):
    problem, start, flow = run
    slack = 1 + tolerances.FLOW
    curvature = flow.opposing_curvature.values
    assert (curvature <= bounds.growth_ceiling(problem, start, flow.time) * slack).all()
    assert (curvature <= bounds.curvature_ceiling(problem, flow.epsilon) * slack).all()
    block = bounds.sharpness_range(problem, State(flow.c, flow.epsilon, flow.n, flow.o))
    assert (block.lower <= flow.sharpness.values * slack).all()
    assert (block.upper * slack >= flow.sharpness.values).all()


def test_dip_lies_between_its_bounds_and_comes_in_time(run):
    problem, start, flow = run
    slack = 1 + tolerances.DIP_GRID
    lowest = float((flow.c**2).min())
    assert bounds.dip_floor(problem, start) <= lowest * slack
    assert lowest <= bounds.dip_ceiling(problem, start) * slack
    if np.isfinite(flow.t_dip):
        assert float(flow.t_dip) <= bounds.dip_time_ceiling(problem, start) * slack


def test_dip_floor_is_sharp_for_large_alpha():
    """With o0 < c0 the dip tends to the floor; with o0 > c0 both are of order 1/alpha^2."""
    for start in (State(1.0, 0.1, 0.05, 0.9), State(1.0, 0.1, 0.05, 1.2)):
        ratios = []
        for alpha in (1e3, 1e4):
            problem = OpposingSignals(alpha=alpha, beta_norm=5.0)
            flow = gradient_flow(problem, start, np.geomspace(1e-3 / alpha, 0.5, 3000))
            ratios.append(float((flow.c**2).min() / bounds.dip_floor(problem, start)))
        assert 1 <= ratios[1] <= ratios[0] * (1 + tolerances.DIP_GRID) < 15


def test_floor_time_is_late_enough(run):
    problem, start, _ = run
    time = float(bounds.floor_time(problem, start, 0.2))
    late = gradient_flow(problem, start, [time, 2 * time])
    assert (late.c * late.epsilon >= 0.8 * problem.beta_norm * (1 - tolerances.FLOW)).all()
    floor = bounds.curvature_floor(problem, late.epsilon, 0.2)
    assert (late.opposing_curvature >= floor * (1 - tolerances.FLOW)).all()


def test_crossing_condition_agrees_with_the_flow():
    problem, start = OpposingSignals(50.0, 10.0, k=4.0), State(1.0, 0.1, 0.4, 0.9)
    for factor in (0.9, 1.1, 1e3):
        step = factor * 2 / float(bounds.limit(problem, start).opposing_curvature)
        edge = gradient_flow(problem, start, [0.0, 3.0], step_size=step).t_edge
        assert bounds.crosses_edge(problem, start, step) == float(np.isfinite(edge))
    dip = float((gradient_flow(problem, start, np.linspace(0, 0.5, 4000)).c ** 2).min())
    undecided = 2 / (problem.alpha * dip)
    assert np.isnan(bounds.crosses_edge(problem, start, undecided))


def test_largest_stable_step_is_the_best_minimum():
    for alpha in (1.5, 2.0, 7.0, 1e4):
        problem = OpposingSignals(alpha=alpha, beta_norm=3.0)
        epsilon = np.geomspace(1e-2, 1e3, 200001)
        best = bounds.minimum_sharpness(problem, epsilon).min()
        step = bounds.largest_stable_step(problem)
        assert step == pytest.approx(2 / best, rel=1e-4)
        assert not bounds.stable_minimum(problem, epsilon, step * 1.001).any()
        assert bounds.stable_minimum(problem, epsilon, step * 0.999).any()


def test_minimum_sharpness_is_the_hessians():
    problem, epsilon = OpposingSignals(7.0, 3.0), np.array([0.5, 1.0, 4.0])
    at = State(3.0 / epsilon, epsilon, 0.0, 0.0)
    expected = bounds.minimum_sharpness(problem, epsilon)
    np.testing.assert_allclose(sharpness(problem, at), expected, rtol=tolerances.ALGEBRA)


def test_without_outliers_the_flow_ends_flat():
    start, bare = State(1.0, 0.1, 0.4, 0.9), OpposingSignals(0.0, 2.0)
    problem = OpposingSignals(50.0, 2.0)
    expected = float(bounds.sharpness_without_outliers(problem, start))
    end = gradient_flow(bare, start, [60.0]).isel(time=0)
    assert float(end.sharpness) == pytest.approx(expected, rel=tolerances.FLOW)
    assert expected < float(bounds.limit(problem, start).sharpness) / 10


@pytest.mark.parametrize("alpha", [1.0, 30.0])
def test_winning_side_agrees_with_the_flow(alpha):
    rng = np.random.default_rng(5)
    problem, decided = OpposingSignals(alpha, 2.0), 0
    for _ in range(40):
        n, o = rng.uniform(0, 1, 2)
        start = State(rng.uniform(0.1, 2), -rng.uniform(0.01, 2), n, o)
        side = bounds.winning_side(problem, start)
        if np.isnan(side):
            continue
        decided += 1
        end = gradient_flow(problem, start, [60.0])
        assert np.sign(float(end.c[0])) == side
    assert decided >= (40 if alpha == 1 else 15)


def test_probability_that_the_opposing_part_is_smaller():
    assert probability_o_below_c(100, 10000) == pytest.approx(0.76, abs=0.01)
    assert probability_o_below_c(1, 1) == pytest.approx(math.erf(1.0), rel=1e-9)


def test_a_batch_is_its_members():
    problem = OpposingSignals(9.0, 4.0)
    batch = State(np.array([1.0, 0.7]), np.array([0.1, 0.2]), 0.4, np.array([0.9, 0.3]))
    for function in (bounds.dip_floor, bounds.dip_ceiling, bounds.dip_time_ceiling):
        whole = function(problem, batch)
        for i in range(2):
            one = State(batch.c[i], batch.epsilon[i], 0.4, batch.o[i])
            assert whole[i] == pytest.approx(float(function(problem, one)), rel=1e-12)


@pytest.mark.parametrize(
    ("alpha", "state", "names"),
    [
        (0.0, (1, 0.1, 0.4, 0.9), "alpha > "),
        (9.0, (-1, 0.1, 0.4, 0.9), "c0 > 0"),
        (9.0, (1, -0.1, 0.4, 0.9), "epsilon0 >= 0"),
        (9.0, (2, 3.0, 0.4, 0.9), "c0 epsilon0 < beta_norm"),
    ],
)
def test_hypotheses_are_checked_and_named(alpha, state, names):
    problem = OpposingSignals(alpha, 5.0)
    for function in (bounds.limit, bounds.dip_floor, bounds.dip_ceiling, bounds.dip_time_ceiling):
        with pytest.raises(InvalidInput, match=names):
            function(problem, State(*state))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(15)


@pytest.mark.parametrize("alpha", [0.55, 0.8])
def test_bounds_hold_from_alpha_one_half_on(alpha, rng):
    """F4, F4b, F7 where alpha is below 1: one dip, above the floor, before the stated time."""
    for _ in range(8):
        problem = OpposingSignals(alpha, float(rng.uniform(1, 8)))
        start = State(1.0, *rng.uniform(0.05, 0.9, 3))
        late = float(bounds.dip_time_ceiling(problem, start))
        flow = gradient_flow(problem, start, np.linspace(0, min(1.5 * late, 10.0) + 0.1, 200))
        low = flow.c.values.min() ** 2
        assert float(flow.t_dip) <= late + 1e-9
        assert float(bounds.dip_floor(problem, start)) <= low * (1 + 1e-6)
        assert low <= float(bounds.dip_ceiling(problem, start)) * (1 + 1e-6)
        falls = np.diff(flow.c.values) < -1e-9
        assert not (falls[1:] & ~falls[:-1]).any(), "falls again after it rose"


@pytest.mark.parametrize("alpha", [0.2, 0.45])
def test_the_limit_needs_no_dip(alpha, rng):
    """F5 for every alpha > 0, below 1/2 as well."""
    for _ in range(2):
        problem = OpposingSignals(alpha, float(rng.uniform(1, 8)))
        start = State(1.0, *rng.uniform(0.05, 0.9, 3))
        flow = gradient_flow(problem, start, [0.0, 40.0 / alpha])
        np.testing.assert_allclose(flow.c.values[-1], bounds.limit(problem, start).c, rtol=1e-4)


def test_the_winning_side_below_alpha_one(rng):
    for _ in range(6):
        problem = OpposingSignals(float(rng.uniform(0.2, 1)), 3.0)
        start = State(float(rng.uniform(0.2, 1)), -float(rng.uniform(0.1, 1)), 0.3, 0.5)
        side = float(bounds.winning_side(problem, start))
        end = np.sign(gradient_flow(problem, start, [0.0, 60.0]).c.values[-1])
        assert np.isnan(side) or side == end


def test_bounds_of_the_dip_refuse_alpha_up_to_one_half():
    problem, start = OpposingSignals(0.5, 5.0), State(1, 0.1, 0.4, 0.9)
    for function in (bounds.dip_floor, bounds.dip_ceiling, bounds.dip_time_ceiling):
        with pytest.raises(InvalidInput, match="alpha > 1/2"):
            function(problem, start)


def test_other_bad_input_is_refused():
    problem, start = OpposingSignals(9.0, 5.0), State(1, 0.1, 0.4, 0.9)
    for call in (
        lambda: bounds.floor_time(problem, start, 1.0),
        lambda: bounds.growth_ceiling(problem, start, [-1.0]),
        lambda: bounds.curvature_ceiling(problem, [1.0, 0.0]),
        lambda: bounds.crosses_edge(problem, start, 0.0),
        lambda: bounds.stable_minimum(problem, 0.0, 0.1),
        lambda: bounds.largest_stable_step(OpposingSignals(9.0, 0.0)),
        lambda: probability_o_below_c(0, 3),
    ):
        with pytest.raises(InvalidInput):
            call()
