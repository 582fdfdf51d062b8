"""F14: the reduced flow of depth L against a real deep net; one dip at most in simulated flows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from linmodel import InvalidInput, OpposingSignals, State, velocity
from linmodel.deep import deep_velocity
from tests.tolerances import ALGEBRA, FLOW

PROBLEM = OpposingSignals(alpha=8.0, beta_norm=3.0)
START = State(1.0, 0.2, 0.4, 0.7)


def flow(depth: int, problem: OpposingSignals, start: State, times: np.ndarray) -> np.ndarray:
    def slope(t, s):
        return np.array(deep_velocity(problem, State(*s), depth), dtype=float)

    ends = (0, times[-1])
    return solve_ivp(slope, ends, list(start), "DOP853", times, rtol=1e-10, atol=1e-12).y


def test_depth_two_is_the_model_and_depth_one_is_refused():
    np.testing.assert_allclose(
        deep_velocity(PROBLEM, START, 2), list(velocity(PROBLEM, START)), rtol=ALGEBRA
    )
    with pytest.raises(InvalidInput, match="depth"):
        deep_velocity(PROBLEM, START, 1)


def test_a_balanced_three_layer_net_reduces_to_four_numbers():
    """Every layer's own gradient, with x and x_o of two coordinates each and P of rank 1."""
    beta, along, across = np.array([3.0, 0.0]), np.array([1.0, 0.0]), np.array([0.0, 1.0])
    metric = np.diag([1.0, 1.0, PROBLEM.alpha, 0.0])  # Sigma, then alpha P
    target = np.concatenate([beta, [0.0, 0.0]])
    w = np.concatenate([0.2 * along + 0.4 * across, [0.7, 0.5]])

    def slope(t, theta):
        first, second, w = theta[0], theta[1], theta[2:]
        error = metric @ (first * second * w - target)
        return -np.concatenate(
            [[second * w @ error, first * w @ error], first * second * error]
        )  # fmt: skip

    times = np.linspace(0, 2, 9)
    full = solve_ivp(slope, (0, 2), [1.0, 1.0, *w], "DOP853", times, rtol=1e-10, atol=1e-12).y
    np.testing.assert_allclose(full[0], full[1], rtol=ALGEBRA * 100)
    np.testing.assert_allclose(full[[0, 2, 3, 4]], flow(3, PROBLEM, START, times), atol=FLOW)
    np.testing.assert_allclose(full[5], 0.5, rtol=ALGEBRA)


@pytest.mark.parametrize("depth", [3, 5])
def test_the_curvature_dips_at_most_once(depth):
    rng = np.random.default_rng(depth)
    dips = set()
    for _ in range(6):
        start = State(rng.uniform(0.5, 1.2), *rng.uniform(0, [0.3, 0.8, 1.2]))
        problem = OpposingSignals(float(rng.uniform(0.5, 20)), float(rng.uniform(1, 4)))
        c = flow(depth, problem, start, np.linspace(0, 3, 400))[0]
        signs = np.sign(np.diff(c))
        turns = np.flatnonzero(np.diff(signs[np.abs(np.diff(c)) > FLOW]))
        dips.add(len(turns))
    assert dips == {0, 1} or dips == {1}
