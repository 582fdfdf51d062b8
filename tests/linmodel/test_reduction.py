import numpy as np
import pytest
from scipy.integrate import solve_ivp

from linmodel import (
    InvalidInput,
    OpposingSignals,
    Parameters,
    expand,
    gradient_descent,
    gradient_flow,
    reduce,
    standard_parameters,
    standard_state,
)
from tests import naive
from tests.tolerances import ALGEBRA, FULL_FLOW

SUPPORTS = ("isotropic", "aligned")


@pytest.mark.parametrize("support", SUPPORTS)
def test_expand_inverts_reduce(support):
    problem = OpposingSignals(10.0, 2.0, k=2, d1=5, support=support)
    before = standard_parameters(problem, np.random.default_rng(0))
    after = expand(*reduce(problem, before))
    np.testing.assert_allclose(after.b, before.b, rtol=ALGEBRA)
    np.testing.assert_allclose(after.b_o, before.b_o, rtol=ALGEBRA)


@pytest.mark.parametrize("support", SUPPORTS)
def test_flow_of_the_full_network_projects_exactly(support):
    problem = OpposingSignals(30.0, 4.0, k=1.4, d1=5, support=support)
    rng = np.random.default_rng(3)
    beta = rng.standard_normal(problem.d1)
    beta *= problem.beta_norm / np.linalg.norm(beta)
    parameters = standard_parameters(problem, rng)
    theta = np.concatenate([[parameters.c], parameters.b, parameters.b_o])
    times = np.linspace(0.05, 1.5, 8)
    full = solve_ivp(
        lambda _, theta: -naive.full_gradient(problem, beta, theta),
        (0, times[-1]),
        theta,
        method="DOP853",
        t_eval=times,
        rtol=1e-13,
        atol=1e-15,
    )
    start, frame = reduce(problem, parameters, beta)
    flow = gradient_flow(problem, start, times)
    for index, column in enumerate(full.y.T):
        c, b, b_o = naive.split(problem, column)
        got = [float(flow[name][index]) for name in ("c", "epsilon", "n", "o")]
        expected = [c, b @ frame.beta_hat, b @ frame.n_hat, b_o @ frame.o_hat]
        np.testing.assert_allclose(got, expected, rtol=FULL_FLOW, atol=FULL_FLOW * 1e-3)
        dense = np.linalg.eigvalsh(naive.full_hessian(problem, beta, column))[-1]
        assert float(flow.sharpness[index]) == pytest.approx(dense, rel=FULL_FLOW)


@pytest.mark.parametrize("support", SUPPORTS)
def test_descent_of_the_full_network_projects_exactly(support):
    problem = OpposingSignals(30.0, 4.0, k=1.4, d1=5, support=support)
    parameters = standard_parameters(problem, np.random.default_rng(4))
    start, frame = reduce(problem, parameters)
    beta = problem.beta_norm * frame.beta_hat
    eta = 0.016  # past the edge: alpha c_inf^2 is near 120, 2 / eta = 125 while b_o oscillates
    theta = np.concatenate([[parameters.c], parameters.b, parameters.b_o])
    descent = gradient_descent(problem, start, eta, 60)
    for step in range(60):
        theta = theta - eta * naive.full_gradient(problem, beta, theta)
        c, b, b_o = naive.split(problem, theta)
        got = [float(descent[name][step + 1]) for name in ("c", "epsilon", "n", "o")]
        expected = [c, b @ frame.beta_hat, b @ frame.n_hat, b_o @ frame.o_hat]
        np.testing.assert_allclose(got, expected, rtol=FULL_FLOW, atol=FULL_FLOW)


def test_standard_state_has_the_promised_law():
    problem = OpposingSignals(1.0, 1.0, k=3, d1=50)
    draws = [standard_state(problem, seed) for seed in range(400)]
    assert all(state.c == 1 and state.n >= 0 and state.o >= 0 for state in draws)
    assert np.mean([state.o**2 for state in draws]) == pytest.approx(3 / 4, abs=0.02)
    assert 0.4 < np.mean([state.epsilon < 0 for state in draws]) < 0.6
    assert standard_state(problem, 7) == standard_state(problem, 7)


def test_refuses_wrong_shapes_and_wrong_beta():
    problem = OpposingSignals(1.0, 2.0, k=1, d1=3)
    with pytest.raises(InvalidInput, match="shapes"):
        reduce(problem, Parameters(1.0, np.ones(4), np.ones(3)))
    with pytest.raises(InvalidInput, match="beta_norm"):
        reduce(problem, Parameters(1.0, np.ones(3), np.ones(3)), beta=np.ones(3))
    with pytest.raises(InvalidInput, match="one state"):
        reduce(problem, Parameters(np.ones(2), np.ones(3), np.ones(3)))
