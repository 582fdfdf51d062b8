"""Phases of descent: the limit map's exact laws, the delayed exit, and what descent then does."""

import math
from itertools import islice

import numpy as np
import pytest

from linmodel import InvalidInput, OpposingSignals, State, bounds, gradient_descent
from linmodel.phases import (
    catapult_map,
    delayed_exit,
    divergence_step,
    landing,
    observe_phase,
    predict_phase,
    throws,
)
from tests import tolerances

START = State(1.0, 0.1, math.sqrt(0.19), math.sqrt(0.8))


def step_for(problem: OpposingSignals, u_limit: float, start: State = START) -> float:
    return u_limit / float(bounds.limit(problem, start).opposing_curvature)


def test_the_limit_map_is_descent_where_the_signal_is_absent():
    problem, eta = OpposingSignals(7.0, 0.0), 0.13
    run = gradient_descent(problem, State(1.3, 0.0, 0.0, 0.4), eta, 10)
    u, w = eta * 7 * run.c.values**2, eta * 7 * run.o.values**2
    after = catapult_map(u[:-1], w[:-1])
    np.testing.assert_allclose(after[0], u[1:], rtol=tolerances.ALGEBRA)
    np.testing.assert_allclose(after[1], w[1:], rtol=tolerances.ALGEBRA)


def test_exact_laws_of_the_limit_map():
    u, w = np.random.default_rng(0).uniform(0, 5, (2, 200))
    u1, w1 = catapult_map(u, w)
    p = u * w
    slack = {"rtol": tolerances.ALGEBRA, "atol": 1e-10}
    np.testing.assert_allclose(u1 + w1 - 4, (u + w - 4) * (1 + p), **slack)
    np.testing.assert_allclose(u1 - w1, (u - w) * (1 - p), **slack)


def test_below_four_the_limit_map_settles_flatter_and_above_it_diverges():
    for u in (2.05, 2.3, 2.8, 3.0):
        after, rest = landing(u, 1e-9)
        assert rest < 1e-13 and after <= 4 - u + 1e-9
    for u in np.linspace(3.1, 3.999, 30):
        after, rest = landing(float(u), 1e-9)
        assert min(after, rest) < 1e-13 and max(after, rest) <= 2
    assert np.isnan(landing(4.0, 1e-9)).all()
    u, w = 4.01, 1e-6
    for _ in range(200):
        u, w = u * (1 - w) ** 2, w * (1 - u) ** 2
        if u + w > 1e30:
            break
    assert u + w > 1e30


def test_small_throws_land_at_four_minus_u():
    """(4 - S) D changes by 1 - P^2 only, and P is small when u is just above 2."""
    for u in (2.01, 2.05, 2.1):
        assert landing(u, 1e-12)[0] == pytest.approx(4 - u, abs=2 * (u - 2) ** 2)


@pytest.mark.parametrize("alpha", [50.0, 1000.0])
def test_four_is_not_the_boundary_but_u_exit_is(alpha):
    """Between u_limit = 4 and the predicted step descent settles; a little above it diverges."""
    problem = OpposingSignals(alpha, 10.0, k=4.0)
    boundary = divergence_step(problem, START)
    u_boundary = boundary * float(bounds.limit(problem, START).opposing_curvature)
    assert 4.02 < u_boundary < 4.12
    assert observe_phase(problem, START, step_for(problem, 4.02)).name == "catapult"
    assert observe_phase(problem, START, 1.02 * boundary).name == "diverged"


def test_descent_may_diverge_below_four_when_the_step_is_not_small_against_the_slow_rates():
    """eta (c^2 + epsilon^2) = 0.21 at the flow's end: corrections of that order push S over 4."""
    problem, start, eta = OpposingSignals(40.0, 1.0), State(0.22, 0.37, 0.0, 3e-5), 0.104
    assert eta * float(bounds.limit(problem, start).opposing_curvature) < 3.98
    assert predict_phase(problem, start, eta).u_exit < 4
    assert observe_phase(problem, start, eta).name == "diverged"


def test_a_later_throw_may_diverge():
    """First exit below 3 both times; the second, at 4.2 or 3.4, decides."""
    problem = OpposingSignals(1e3, 10.0)
    for u_limit, first, second, name in ((6.0, 2.8, 4.2, "diverged"), (4.5, 2.7, 3.4, "catapult")):
        c = math.sqrt(15 / u_limit)
        start = State(c, 0.98 * c, 0.05, 1e-3)
        eta = step_for(problem, u_limit, start)
        exits = islice(throws(problem, start, eta), 2)
        assert [one.u for one in exits] == pytest.approx([first, second], abs=0.15)
        assert predict_phase(problem, start, eta).name == name
        assert observe_phase(problem, start, eta).name == name


@pytest.mark.parametrize(
    ("u_limit", "name"),
    [(1.9, "like_flow"), (2.5, "catapult"), (3.9, "catapult"), (4.3, "diverged")],
)
def test_prediction_agrees_with_descent(u_limit, name):
    for alpha in (50.0, 400.0):
        problem = OpposingSignals(alpha, 10.0, k=4.0)
        eta = step_for(problem, u_limit)
        assert predict_phase(problem, START, eta).name == name
        assert observe_phase(problem, START, eta).name == name


def test_the_exit_is_where_descent_is_thrown():
    problem = OpposingSignals(2000.0, 10.0, k=4.0)
    eta = step_for(problem, 3.0)
    found = delayed_exit(problem, START, eta)
    run = gradient_descent(problem, START, eta, int(2 * found.time / eta))
    size = run.log_abs_o + 0.5 * math.log(eta * problem.alpha)
    late = run.time > float(run.t_edge)
    thrown = float(run.time[late & (size > -2)][0])
    assert thrown == pytest.approx(found.time, rel=0.02)
    assert eta * float(run.opposing_curvature.max()) == pytest.approx(found.u, rel=0.01)


def test_above_the_largest_stable_step_descent_oscillates_for_ever():
    problem, near = OpposingSignals(10.0, 1.0), State(0.52, 1.55, 0.0, 1e-3)
    eta = 1.05 * bounds.largest_stable_step(problem)
    assert predict_phase(problem, near, eta).name == "never_settles"
    assert observe_phase(problem, near, eta, 30_000).name == "oscillating"
    assert observe_phase(problem, near, 0.8 * eta, 30_000).name != "oscillating"


@pytest.mark.parametrize("u_limit", [2.3, 2.5, 2.8])
def test_how_flat_it_ends_is_predicted(u_limit):
    """One throw: landing and the flow from there give the final curvature to about eta."""
    problem = OpposingSignals(2000.0, 10.0, k=4.0)
    eta = step_for(problem, u_limit)
    (only,) = throws(problem, START, eta)
    run = gradient_descent(problem, START, eta, 40_000)
    assert only.landed <= 4 - only.u
    assert eta * float(run.opposing_curvature[-1]) == pytest.approx(only.u_next, abs=3e-3)


def test_unstable_in_c_and_epsilon_alone():
    """alpha < 2: past 1/B descent oscillates in (c, epsilon), with o dead."""
    problem, start = OpposingSignals(1.5, 1.0), State(1.07, 0.75, 0.0, 1e-3)
    run = observe_phase(problem, start, 1.05, 20_000)
    assert run.name == "oscillating"


@pytest.mark.parametrize(
    ("alpha", "b_norm", "start", "ratio"),
    [
        (50.0, 5.0, State(0.1, 3.4, 0.3, 0.0), 1.05),
        (85.0, 2.0, State(0.1, 1.9, 0.5, 0.0), 1.1),
        (6.0, 3.0, State(0.1, 3.0, 0.3, 1e-6), 1.1),
    ],
)
def test_thrown_in_c_and_epsilon_descent_settles_at_another_minimum(alpha, b_norm, start, ratio):
    problem = OpposingSignals(alpha, b_norm)
    end = bounds.limit(problem, start)
    eta = ratio * 2 / float(end.c**2 + end.epsilon**2)
    found = predict_phase(problem, start, eta)
    assert (found.name, found.proved) == ("catapult", False)
    run = gradient_descent(problem, start, eta, 50_000)
    c, epsilon = float(run.c[-1]), float(run.epsilon[-1])
    assert c * epsilon == pytest.approx(b_norm, rel=1e-9)
    assert eta * (c**2 + epsilon**2) < 2


@pytest.mark.parametrize(("eta_b", "settles"), [(0.98, True), (1.02, False)])
def test_with_o_0_the_largest_stable_step_is_that_of_the_signal(eta_b, settles):
    """G3 with alpha = 0: 1/B, though eta* with o alive is far below."""
    problem, start = OpposingSignals(100.0, 4.0), State(0.1, 1.5, 0.2, 0.0)
    eta = eta_b / problem.beta_norm
    found = predict_phase(problem, start, eta)
    assert (found.name, found.proved) == (
        ("catapult", False) if settles else ("never_settles", True)
    )
    assert eta > bounds.largest_stable_step(problem)
    run = gradient_descent(problem, start, eta, 50_000)
    rest = abs(float(run.c[-1]) * float(run.epsilon[-1]) - problem.beta_norm) < 1e-9
    assert rest is settles


def test_bad_input_is_refused():
    problem = OpposingSignals(50.0, 10.0)
    for call in (
        lambda: predict_phase(problem, START, 0.0),
        lambda: predict_phase(problem, START, 1.0),
        lambda: predict_phase(problem, State(1.0, -0.1, 0.4, 0.8), 1e-3),
        lambda: delayed_exit(problem, State(1.0, 0.1, 0.4, 0.0), 1e-3),
        lambda: landing(-1.0, 0.1),
    ):
        with pytest.raises(InvalidInput):
            call()


def test_where_nothing_is_thrown_no_step_diverges():
    """A start so small in o that descent is not thrown within the time looked at."""
    problem, start = OpposingSignals(50.0, 10.0), State(1.0, 0.1, 0.4, 0.0)
    with pytest.raises(InvalidInput, match="o0"):
        divergence_step(problem, start)


def test_a_run_stopped_on_its_way_is_not_named():
    """Sharpness that only rises or only falls does not swing, however much it moves."""
    problem = OpposingSignals(50.0, 10.0)
    names = {observe_phase(problem, START, 1e-4, steps).name for steps in (30, 100, 300)}
    assert names == {"unfinished"}
