import math

import numpy as np
import pytest

from linmodel import InvalidInput, OpposingSignals, State, gradient_descent, gradient_flow
from tests.tolerances import ALGEBRA

HIDDEN = OpposingSignals(alpha=1e4, beta_norm=10.0, k=4.0)
HIDDEN_START = State(1.0, 0.1, math.sqrt(0.2), math.sqrt(0.8))


def limit_of_c_squared(problem, start):
    """F5: c_inf^2 = (kappa + sqrt(kappa^2 + 4 B^2)) / 2."""
    return (start.kappa + math.hypot(start.kappa, 2 * problem.beta_norm)) / 2


def plain_descent(problem, start, eta, steps):
    """The naive twin: four floats, o among them."""
    c, epsilon, n, o = start
    rows = [(c, epsilon, n, o)]
    for _ in range(steps):
        slope = epsilon * (problem.beta_norm - c * epsilon) - c * (n**2 + problem.alpha * o**2)
        c, epsilon, n, o = (
            c + eta * slope,
            epsilon + eta * c * (problem.beta_norm - c * epsilon),
            n * (1 - eta * c**2),
            o * (1 - eta * problem.alpha * c**2),
        )
        rows.append((c, epsilon, n, o))
    return np.array(rows)


def test_agrees_with_plain_descent_where_nothing_underflows():
    problem, start = OpposingSignals(50.0, 10.0, k=4.0), State(1.0, 0.1, 0.4, -0.9)
    plain = plain_descent(problem, start, 0.0045, 80)
    ours = gradient_descent(problem, start, 0.0045, 80)
    for index, name in enumerate(("c", "epsilon", "n", "o")):
        np.testing.assert_allclose(ours[name], plain[:, index], rtol=1e3 * ALGEBRA, atol=1e-30)


def test_finds_the_divergence_that_plain_floats_hide():
    eta = 4.5 / (HIDDEN.alpha * limit_of_c_squared(HIDDEN, HIDDEN_START))
    plain = plain_descent(HIDDEN, HIDDEN_START, eta, 12_000)
    assert np.isfinite(plain).all()
    assert plain[-1, 3] == 0  # o has underflowed, and the run looks settled
    ours = gradient_descent(HIDDEN, HIDDEN_START, eta, 12_000)
    assert ours.attrs["status"] == "diverged"
    assert 9_485 < ours.attrs["diverged_at_step"] < 9_500
    assert float(ours.log_abs_o.min()) < math.log(5e-324)
    assert all(np.isfinite(ours[name]).all() for name in ("c", "epsilon", "n", "o", "sharpness"))


@pytest.mark.parametrize(("factor", "status"), [(0.9, "completed"), (1.5, "completed")])
def test_settles_below_and_above_the_edge(factor, status):
    problem, start = OpposingSignals(50.0, 10.0, k=4.0), State(1.0, 0.1, 0.4, 0.9)
    top = problem.alpha * limit_of_c_squared(problem, start)
    steps = gradient_descent(problem, start, factor * 2 / top, 4000)
    assert steps.attrs["status"] == status
    final = float(steps.opposing_curvature[-1])
    assert final <= steps.attrs["two_over_eta"]
    assert np.isnan(steps.t_edge) == (factor < 1)
    # Below the edge: the flow's minimum up to O(eta); above it: a flatter one.
    assert (final > 0.97 * top) == (factor < 1)


def test_follows_the_flow_at_first_order_in_the_step_size():
    problem, start = OpposingSignals(20.0, 5.0), State(1.0, 0.1, 0.4, 0.5)
    errors = []
    for steps in (1000, 2000, 4000):
        descent = gradient_descent(problem, start, 1 / steps, steps)
        flow = gradient_flow(problem, start, [1.0])
        errors.append(abs(float(descent.c[-1] - flow.c[-1])))
    slopes = np.diff(np.log(errors)) / np.log(0.5)
    np.testing.assert_allclose(slopes, 1, atol=0.05)


def test_o_flips_its_sign_past_one_and_grows_past_two():
    problem = OpposingSignals(100.0, 1.0)
    for product, flips, grows in ((0.5, False, False), (1.5, True, False), (2.5, True, True)):
        state = State(1.0, 1.0, 0.0, 1e-9)
        step = gradient_descent(problem, state, product / problem.alpha, 1)
        assert (float(step.sign_o[1]) < 0) == flips
        assert (float(step.log_abs_o[1]) > float(step.log_abs_o[0])) == grows


def test_zero_components_stay_zero_and_hitting_zero_is_no_error():
    problem = OpposingSignals(4.0, 1.0)
    steps = gradient_descent(problem, State(1.0, 1.0, 0.0, 0.0), 0.25, 3)
    assert float(steps.log_abs_o[-1]) == -math.inf
    exact = gradient_descent(problem, State(1.0, 0.5, 1.0, 1.0), 0.25, 3)  # 1 - eta alpha c^2 = 0
    assert float(exact.o[1]) == 0


@pytest.mark.parametrize(
    ("step_size", "steps", "what"),
    [(0.0, 5, "step_size"), (-1, 5, "step_size"), (math.nan, 5, "step_size"), (0.1, 0, "steps")],
)
def test_refuses_bad_arguments(step_size, steps, what):
    with pytest.raises(InvalidInput, match=what):
        gradient_descent(OpposingSignals(1, 1), State(1, 0, 0, 0), step_size, steps)
