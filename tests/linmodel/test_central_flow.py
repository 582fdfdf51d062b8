"""The central flow G6 against the average of noisy descent."""

import math

import numpy as np
import pytest

from linmodel import InvalidInput, OpposingSignals, State, gradient_flow
from linmodel.central_flow import central_flow
from tests import tolerances

PROBLEM = OpposingSignals(50.0, 10.0, k=4.0)
START = State(1.0, 0.1, math.sqrt(0.19), math.sqrt(0.8))


def noisy_descent(eta, steps, noise=1e-3):
    """Descent on the state with normal noise added to o every step: rows (c, epsilon, n, o)."""
    rng = np.random.default_rng(0)
    c, epsilon, n, o = START
    alpha, b_norm = PROBLEM.alpha, PROBLEM.beta_norm
    table = []
    for kick in noise * rng.normal(size=steps):
        table.append((c, epsilon, n, o))
        slope = epsilon * b_norm - c * (epsilon**2 + n**2) - alpha * c * o**2
        epsilon, n, o, c = (
            epsilon + eta * c * (b_norm - c * epsilon),
            n * (1 - eta * c * c),
            o * (1 - eta * alpha * c * c) + kick,
            c + eta * slope,
        )
    return np.array(table)


@pytest.mark.parametrize("factor", [1.3, 2.0])
def test_noisy_descent_averages_to_it(factor):
    eta = factor * 2 / (PROBLEM.alpha * PROBLEM.beta_norm)
    steps, window = 4000, 200
    table, times = noisy_descent(eta, steps), eta * np.arange(steps)
    central = central_flow(PROBLEM, START, times, eta)
    begin = int(np.searchsorted(times, float(central.t_edge)))
    count = (steps - begin) // window

    def mean(values):
        return values[begin : begin + count * window].reshape(count, window).mean(axis=1)

    curvature = mean(PROBLEM.alpha * table[:, 0] ** 2) / mean(central.opposing_curvature.values)
    assert np.abs(curvature - 1).max() < tolerances.CENTRAL_FLOW
    epsilon = mean(table[:, 1]) / mean(central.epsilon.values)
    assert np.abs(epsilon - 1).max() < tolerances.CENTRAL_FLOW


def test_it_joins_the_flow_and_ends_at_the_edge():
    eta = 1.3 * 2 / 500
    times = np.linspace(0, 20, 4001)
    central = central_flow(PROBLEM, START, times, eta)
    flow = gradient_flow(PROBLEM, START, times, step_size=eta)
    before = times < float(central.t_edge)
    np.testing.assert_array_equal(central.c[before], flow.c[before])
    end = PROBLEM.beta_norm * math.sqrt(eta * PROBLEM.alpha / 2)
    assert float(central.epsilon[-1]) == pytest.approx(end, rel=tolerances.FLOW)
    assert float(central.sharpness[-1]) == pytest.approx(2 / eta, rel=tolerances.FLOW)
    held = central.opposing_curvature[~before]
    np.testing.assert_allclose(held, 2 / eta, rtol=tolerances.ALGEBRA)


def test_o_holds_c_still_at_the_edge():
    """c' = 0 with the mean square o: epsilon B = c (epsilon^2 + n^2 + alpha o^2)."""
    eta = 2 * 2 / 500
    late = central_flow(PROBLEM, START, np.linspace(0.5, 3, 30), eta)
    drive = late.epsilon * PROBLEM.beta_norm
    drag = late.c * (late.epsilon**2 + late.n**2 + PROBLEM.alpha * late.o**2)
    np.testing.assert_allclose(drive, drag, rtol=tolerances.ALGEBRA)


def test_without_a_crossing_it_is_the_flow():
    times = np.linspace(0, 3, 30)
    central = central_flow(PROBLEM, START, times, 0.9 * 2 / 510)
    assert np.isnan(central.t_edge)
    np.testing.assert_array_equal(central.c, gradient_flow(PROBLEM, START, times).c)


def test_bad_input_is_refused():
    for call in (
        lambda: central_flow(PROBLEM, START, [0, 1], 0.0),
        lambda: central_flow(PROBLEM, START, [0, 1], 0.05),
        lambda: central_flow(PROBLEM, State(1, -0.1, 0.4, 0.8), [0, 1], 0.004),
        lambda: central_flow(PROBLEM, START, [1, 0], 0.004),
    ):
        with pytest.raises(InvalidInput):
            call()
