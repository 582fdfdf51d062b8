"""Large-alpha formulas: their errors against the integrator shrink at the stated orders."""

import numpy as np
import pytest

from linmodel import InvalidInput, OpposingSignals, State, bounds, gradient_flow
from linmodel.asymptotics import dip, edge_time

KEPT = (State(1.0, 0.3, 0.2, 0.5), 3.0)
PLATEAU = (State(1.0, 0.3, 0.5, 1.2), 1.0)
ALPHAS = np.array([1e3, 1e4, 1e5])


def errors(start, b_norm, alpha):
    """Relative errors of t1 and c(t1)^2 and absolute error of t_edge against the integrator."""
    problem = OpposingSignals(alpha, b_norm)
    eta = 1.2 * 2 / float(bounds.limit(problem, start).opposing_curvature)
    found, edge = dip(problem, start), float(edge_time(problem, start, eta))
    around = np.geomspace(0.2, 3, 300) * float(found.time)
    times = np.unique(np.concatenate([[0], around, [1.3 * edge + 1]]))
    flow = gradient_flow(problem, start, times, step_size=eta)
    t_dip = float(flow.t_dip)
    depth = float(gradient_flow(problem, start, [t_dip]).c[0]) ** 2
    return (
        abs(found.time / t_dip - 1),
        abs(found.c_squared / depth - 1),
        abs(edge - float(flow.t_edge)),
    )


@pytest.mark.parametrize(
    ("case", "orders"), [(KEPT, (0.85, 1.6, 1.9)), (PLATEAU, (0.85, 0.9, 0.3))]
)
def test_errors_fall_at_the_stated_orders(case, orders):
    """log(alpha) factors cost up to 0.3 of the order at these alpha."""
    table = np.array([errors(*case, alpha) for alpha in ALPHAS])
    slopes = -np.diff(np.log(table), axis=0) / np.diff(np.log(ALPHAS))[:, None]
    assert (slopes > np.array(orders)).all(), slopes
    assert (table[-1] < [1e-3, 1e-3, 0.03]).all()


def test_plateau_lasts_for_a_time_proportional_to_alpha():
    start, b_norm = PLATEAU
    times = [float(edge_time(OpposingSignals(a, b_norm), start, 4 / a)) for a in (1e4, 1e5)]
    assert times[1] / times[0] == pytest.approx(10, rel=0.02)


def test_no_crossing_is_nan():
    problem, (start, _) = OpposingSignals(1e4, 3.0), KEPT
    assert np.isnan(edge_time(problem, start, 1e-6))


def test_a_batch_is_its_members():
    problem = OpposingSignals(1e4, 3.0)
    o = np.array([0.5, 1.2])
    both = dip(problem, State(1.0, 0.3, 0.2, o))
    edges = edge_time(problem, State(1.0, 0.3, 0.2, o), 2.4e-4 / 3)
    for i, value in enumerate(o):
        one = State(1.0, 0.3, 0.2, value)
        assert both.time[i] == dip(problem, one).time
        assert both.c_squared[i] == dip(problem, one).c_squared
        assert edges[i] == edge_time(problem, one, 2.4e-4 / 3)


@pytest.mark.parametrize(
    ("state", "names"),
    [
        ((1.0, 0.0, 0.2, 0.5), "epsilon0 > 0"),
        ((1.0, 0.3, 0.2, 0.0), r"\|o0\| > 0"),
        ((1.0, 0.3, 0.2, 1.0), "c0 not 0"),
        ((1.0, 0.01, 0.9, 0.5), "epsilon0 B"),
        ((1.0, 0.3, 0.2, 1e-4), "first layer"),
        ((-1.0, 0.3, 0.2, 0.5), "c0 > 0"),
    ],
)
def test_hypotheses_are_checked_and_named(state, names):
    with pytest.raises(InvalidInput, match=names):
        dip(OpposingSignals(1e3, 3.0), State(*state))
