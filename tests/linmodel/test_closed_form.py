import numpy as np
import pytest

from linmodel import InvalidInput, OpposingSignals, State, closed_form, gradient_flow
from tests.tolerances import ALGEBRA, FLOW, FLOW_FLOOR

CASES = {
    "no opposing weight": (50.0, 10.0, (1.0, 0.1, 0.4, 0.0)),
    "alpha one": (1.0, 3.0, (1.0, 0.1, 0.4, 0.9)),
    "alpha zero": (0.0, 3.0, (1.0, 0.1, 0.4, 0.9)),
    "no signal": (40.0, 0.0, (1.0, 0.0, 0.0, 0.7)),
    "no signal, o above c": (40.0, 0.0, (0.7, 0.0, 0.0, 1.0)),
    "no signal, kappa zero": (40.0, 0.0, (1.0, 0.0, 0.0, 1.0)),
    "c crosses zero": (1.0, 5.0, (0.3, -1.0, 0.2, 0.1)),
    "c below zero": (9.0, 5.0, (-1.0, 0.2, 0.2, 0.0)),
    "on the saddle's stable direction": (3.0, 2.0, (0.5, -0.5, 0.0, 0.0)),
    "at rest in a minimum": (3.0, 4.0, (2.0, 2.0, 0.0, 0.0)),
    "zero state": (3.0, 4.0, (0.0, 0.0, 0.3, 0.0)),
    "kappa far below zero": (1.0, 1e-3, (1e-3, 1e-2, 5.0, 5.0)),
}


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_the_integrator(name):
    alpha, beta_norm, values = CASES[name]
    problem, start = OpposingSignals(alpha, beta_norm), State(*values)
    times = np.concatenate([[0], np.geomspace(1e-5, 6 / max(beta_norm, 0.5), 12)])
    exact, flow = closed_form(problem, start, times), gradient_flow(problem, start, times)
    size = np.sqrt(sum(exact[name] ** 2 for name in ("c", "epsilon", "n", "o")))
    for name in ("c", "epsilon", "n", "o", "sharpness"):
        scale = np.maximum(abs(exact[name]), FLOW_FLOOR * size)
        assert float((abs(exact[name] - flow[name]) / scale).max()) < FLOW


def test_does_not_overflow_at_late_times():
    problem = OpposingSignals(1.0, 1e3)
    late = closed_form(problem, State(1.0, 0.1, 0.4, 0.9), [0.0, 1.0, 1e6])
    assert float(late.c[-1] * late.epsilon[-1]) == pytest.approx(1e3)
    assert float(late.loss[-1]) < 1e-18


def test_outside_its_hypotheses_it_names_them():
    with pytest.raises(InvalidInput, match="M8 needs o0 = 0, or alpha = 1"):
        closed_form(OpposingSignals(2.0, 1.0), State(1.0, 0.1, 0.1, 0.1), [0, 1])


@pytest.mark.parametrize(
    ("alpha", "values", "end"),
    [
        (3.0, (0.0, 0.0, 0.3, 0.0), (0.0, 0.0, 0.3, 0.0)),
        (0.0, (0.0, 0.0, 0.3, 2.0), (0.0, 0.0, 0.3, 2.0)),
        (1.0, (1.0, -1.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0)),
        (1.0, (1.0, 1.0, 0.0, 0.0), (2**0.5, 2**0.5, 0.0, 0.0)),
    ],
    ids=["saddle", "saddle, alpha zero", "stable direction of the saddle", "minimum"],
)
def test_ends_where_it_should_however_late(alpha, values, end):
    late = closed_form(OpposingSignals(alpha, 2.0), State(*values), [0.0, 1e3, 1e12, 1e308])
    got = [float(late[name][-1]) for name in ("c", "epsilon", "n", "o")]
    np.testing.assert_allclose(got, end, rtol=1e2 * ALGEBRA)
