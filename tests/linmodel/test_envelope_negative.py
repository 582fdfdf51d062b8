"""F11d: flows with epsilon0 < 0 lie inside, up to the first zero of c of the two curves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from linmodel import InvalidInput, OpposingSignals, State
from linmodel.envelope import envelope_negative
from tests.tolerances import FLOW


def in_tau(problem: OpposingSignals, start: State, tau: np.ndarray) -> np.ndarray:
    """epsilon and c of the flow, integrated in tau."""

    def slope(x, epsilon):
        return problem.beta_norm / np.sqrt(square(x, epsilon)) - epsilon

    def square(x, epsilon):
        n, o = start.n * np.exp(-x), start.o * np.exp(-problem.alpha * x)
        return start.kappa + epsilon**2 + n**2 + o**2

    epsilon = solve_ivp(
        slope, (0, tau[-1]), [start.epsilon], "LSODA", tau, rtol=1e-11, atol=1e-13
    ).y[0]
    return np.array([epsilon, np.sqrt(square(tau, epsilon))])


@pytest.mark.parametrize("alpha", [1.0, 3.0, 200.0])
@pytest.mark.parametrize("seed", range(4))
def test_flows_lie_inside(alpha, seed):
    rng = np.random.default_rng(seed)
    problem = OpposingSignals(alpha, float(rng.uniform(0.5, 5)))
    start = State(1.0, -float(rng.uniform(0.05, 1.0)), *map(float, rng.uniform(0, 0.6, 2)))
    tau = np.linspace(0, 1.5, 40)
    box = envelope_negative(problem, start, tau)
    known = np.isfinite(box.epsilon_lower.values)
    assert known[0] and (known == (tau < box.attrs["tau_end"])).all()
    epsilon, c = in_tau(problem, start, tau[known])
    inside = box.isel(tau=known)
    for name, value in (("epsilon", epsilon), ("c", c)):
        lower, upper = inside[f"{name}_lower"].values, inside[f"{name}_upper"].values
        assert (lower <= value + FLOW).all() and (value <= upper + FLOW).all()
        assert upper[0] - lower[0] < FLOW
    if alpha == 1:
        np.testing.assert_allclose(inside.epsilon_lower, epsilon, atol=FLOW)


def test_the_side_that_loses_ends_at_the_zero_of_c():
    """(-) of F12: c reaches 0 while epsilon < 0, on the curves too."""
    problem, start = OpposingSignals(2.0, 1.0), State(0.3, -2.0, 0.1, 0.0)
    box = envelope_negative(problem, start, np.linspace(0, 2, 50))
    end = box.attrs["tau_end"]
    assert 0 < end < 2 and np.isnan(box.c_upper[-1]) and np.isfinite(box.c_upper[0])
    last = envelope_negative(problem, start, [0.0, end * (1 - 1e-9)])
    assert float(last.c_lower[1]) < 1e-3 < float(last.c_lower[0])


@pytest.mark.parametrize(
    ("alpha", "start", "words"),
    [
        (0.5, State(1, -0.1, 0, 0), "alpha >= 1"),
        (2.0, State(1, 0.1, 0, 0), "epsilon0 < 0"),
        (2.0, State(1, -0.1, 0, 1.5), r"c0 > \|o0\|"),
    ],
)
def test_outside_the_hypotheses_it_is_refused(alpha, start, words):
    with pytest.raises(InvalidInput, match=words):
        envelope_negative(OpposingSignals(alpha, 1.0), start, [0.0, 1.0])
