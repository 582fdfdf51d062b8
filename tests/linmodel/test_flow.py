import json
import math

import numpy as np
import pytest

from linmodel import InvalidInput, OpposingSignals, State, gradient_flow
from tests.tolerances import EVENT_TIME, FLOW, SLOW_MANIFOLD

PROBLEM = OpposingSignals(alpha=50.0, beta_norm=10.0, k=4.0, support="aligned")
START = State(1.0, 0.1, 0.4, 0.9)
TIMES = np.linspace(0, 1.5, 60)
VARIABLES = ("c", "epsilon", "n", "o", "loss", "opposing_curvature", "sharpness")


def test_dataset_says_everything():
    flow = gradient_flow(PROBLEM, START, TIMES, step_size=0.005)
    for name in (*VARIABLES, "loss_plus", "loss_minus"):
        assert flow[name].dims == ("time",)
        assert flow[name].attrs["units"] and flow[name].attrs["long_name"]
    configuration = json.loads(flow.attrs["configuration"])
    assert configuration["problem"]["alpha"] == 50
    assert configuration["start"]["o"] == 0.9
    assert flow.attrs["rtol"] > 0
    assert "loss_plus" not in gradient_flow(OpposingSignals(2, 1), START, [1.0])


def test_dip_and_edge_are_where_the_curve_says():
    flow = gradient_flow(PROBLEM, START, np.linspace(0, 1.5, 4001), step_size=0.005)
    curve, time = flow.opposing_curvature.values, flow.time.values
    assert float(flow.t_dip) == pytest.approx(time[curve.argmin()], abs=time[1])
    at_edge = gradient_flow(PROBLEM, START, [float(flow.t_edge)])
    assert float(at_edge.opposing_curvature[0]) == pytest.approx(400, rel=EVENT_TIME)
    assert (np.diff(curve[: curve.argmin()]) < 0).all()
    assert (np.diff(curve[curve.argmin() :]) > -1e-9).all()


def test_flow_restarted_midway_continues():
    whole = gradient_flow(PROBLEM, START, [0.1, 0.4])
    middle = State(*(float(whole[name][0]) for name in ("c", "epsilon", "n", "o")))
    rest = gradient_flow(PROBLEM, middle, [0.3])
    for name in ("c", "epsilon", "n", "sharpness"):
        assert float(rest[name][0]) == pytest.approx(float(whole[name][1]), rel=FLOW)


@pytest.mark.parametrize(
    ("start", "why"),
    [
        (State(2.0, 5.0, 0.0, 0.0), "a minimum"),
        (State(0.0, 0.0, 0.3, 0.4), "the saddle"),
    ],
)
def test_an_equilibrium_stays_where_it_is(start, why):
    flow = gradient_flow(PROBLEM, start, TIMES, step_size=0.005)
    for name in ("c", "epsilon", "n", "o"):
        assert (flow[name] == getattr(start, name)).all()
    assert np.isnan(flow.t_dip) and np.isnan(flow.t_edge)


def test_rising_from_the_start_is_a_dip_at_zero():
    assert float(gradient_flow(PROBLEM, State(1.0, 0.5, 0.1, 0.01), TIMES).t_dip) == 0


def test_falling_for_ever_is_no_dip():
    problem = OpposingSignals(30.0, 0.0)
    assert np.isnan(gradient_flow(problem, START, np.linspace(0, 400, 50)).t_dip)
    above = State(5.0, 4.0, 0.0, 0.0)  # c epsilon > B, c falls to its limit from above
    assert np.isnan(gradient_flow(PROBLEM, above, np.linspace(0, 20, 50)).t_dip)


def test_no_edge_where_the_limit_stays_below_two_over_eta():
    limit = 50 * (START.kappa + math.hypot(START.kappa, 20)) / 2
    for factor, crosses in ((0.99, False), (1.01, True)):
        flow = gradient_flow(PROBLEM, START, [5.0], step_size=factor * 2 / limit)
        assert np.isnan(flow.t_edge) != crosses


def test_edge_crossed_on_the_way_up_when_the_start_is_above_it():
    level = 40.0  # below alpha c0^2 = 50, above the dip
    flow = gradient_flow(PROBLEM, START, TIMES, step_size=2 / level)
    assert float(flow.t_edge) > float(flow.t_dip) > 0


@pytest.mark.parametrize(
    ("alpha", "o", "end"),
    [
        (0.0, 0.9, 12),
        (0.5, 0.0, 12),
        (1.0, 1.2, 12),
        (1e6, 0.9, 12),
        (1e6, 0.0, 12),
        (99, 1.2, 2e4),
    ],
)
@pytest.mark.parametrize("n", [0.0, 0.4])
def test_degenerate_problems_flow_downhill_to_the_minimum(alpha, o, end, n):
    problem = OpposingSignals(alpha, 3.0)
    flow = gradient_flow(problem, State(1.0, 0.2, n, o), np.linspace(0, end, 40))
    assert (np.diff(flow.loss) <= 1e-12 * float(flow.loss[0])).all()
    assert float(flow.c[-1] * flow.epsilon[-1]) == pytest.approx(3, rel=FLOW)


def test_sign_symmetry():
    there = gradient_flow(PROBLEM, START, TIMES)
    back = gradient_flow(PROBLEM, State(*(-value for value in START)), TIMES)
    for name in ("c", "epsilon", "n", "o"):
        np.testing.assert_array_equal(there[name], -back[name])


@pytest.mark.parametrize(
    "times", [[-1.0, 1.0], [0.0, 0.0], [1.0, 0.5], [0.0, np.nan], [], [[0.0, 1.0]], ["a"], [np.inf]]
)
def test_refuses_bad_times(times):
    with pytest.raises(InvalidInput, match="times"):
        gradient_flow(PROBLEM, START, times)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"step_size": 0.0}, "step_size"),
        ({"step_size": -0.1}, "step_size"),
        ({"rtol": 0.0}, "rtol"),
        ({"rtol": 1e-16}, "rtol"),
        ({"atol": 0.0}, "atol"),
    ],
)
def test_refuses_bad_settings(changes, what):
    with pytest.raises(InvalidInput, match=what):
        gradient_flow(PROBLEM, START, TIMES, **changes)


def test_refuses_a_batch():
    with pytest.raises(InvalidInput, match="one state"):
        gradient_flow(PROBLEM, State(np.ones(3), 0.1, 0.4, 0.9), TIMES)


def test_a_plateau_where_o_exceeds_c_holds_c_near_its_slow_value():
    # c relaxes at rate alpha o^2 to epsilon B / (alpha o^2) and stays there: stiff, and exact.
    problem = OpposingSignals(1e6, 3.0)
    flow = gradient_flow(problem, State(1.0, 0.2, 0.0, 1.2), np.linspace(1, 12, 12))
    slow = flow.epsilon * 3 / (1e6 * flow.o**2)
    np.testing.assert_allclose(flow.c, slow, rtol=SLOW_MANIFOLD)
