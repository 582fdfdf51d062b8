"""gradient_flow against the certified flow, over the whole range that the package promises."""

import numpy as np
import pytest

from linmodel import OpposingSignals, State, gradient_flow, standard_state
from linmodel.certified import reference
from tests.tolerances import FLOW, FLOW_FLOOR

PROBLEMS = {
    "alpha 0": (0.0, 3.0, State(1.0, 0.2, 0.4, 0.9)),
    "alpha below 1": (0.2, 160.0, State(1.0, -0.016, 0.17, 1.003)),
    "alpha 1": (1.0, 510.0, State(1.0, -0.13, 1.1, 0.26)),
    "alpha 1e6, o0 below c0": (1e6, 20.0, State(1.0, 0.03, 0.3, 0.8)),
    "alpha 1e6, o0 above c0": (1e6, 1e3, State(1.0, 0.1, 0.4, 1.7)),
    "o0 near c0": (430.0, 1.07, State(1.0, -0.12, 0.54, 0.992)),
    "B 0": (80.0, 0.0, State(1.0, 0.05, 0.9, 0.07)),
    "B 1e3": (50.0, 1e3, State(1.0, 0.1, 0.4, 0.9)),
    "c0 < 0": (200.0, 26.0, State(-1.0, -0.07, 0.19, 0.5)),
    "c crosses 0": (100.0, 5.0, State(0.2, -0.8, 0.1, 0.3)),
    "starts on the saddle's side": (1e3, 90.0, State(-6.5, 3.3, -0.03, 0.03)),
    "o0 = 0": (9e3, 0.45, State(1.0, -0.06, 0.9, 0.0)),
    "n0 = 0": (40.0, 3.9, State(1.0, -0.02, 0.0, 0.83)),
    "equilibrium": (1e4, 2.0, State(1.0, 2.0, 0.0, 0.0)),
    "epsilon0 large": (100.0, 100.0, State(0.0207, 4734.2, 0.1, 0.1)),
    "c epsilon > B": (50.0, 1.0, State(3.0, 2.0, 0.5, 0.2)),
}

# Ill-conditioned: the depth of the dip hangs on kappa, so errors of 1e-16 grow to 1e-10 and more.
SENSITIVE = {
    "o0 2e-5 above c0, alpha 1e5": (
        154175.14295945776,
        0.1192824983465535,
        State(1.0, 0.010325663319927398, 0.11005185218687179, 1.0000234207705199),
    ),
    "kappa near 0, alpha 8e5": (
        783797.6602349037,
        4.69147725043589,
        State(1.0, -0.026506522018637336, 0.16585126707533027, 1.0000532767554917),
    ),
    "B 0, kappa near 0": (
        4572.637528971255,
        0.0,
        State(1.0, -0.00845648559139304, 0.15834343062771983, 0.9999601789628227),
    ),
}


def worst_error(problem: OpposingSignals, start: State) -> float:
    """Largest error of state (floor 1e-6 of its size) and sharpness, relative, at 10 times."""
    rate = problem.beta_norm or 1.0
    last = 10 * np.log(10 + problem.alpha) / rate
    times = np.concatenate([[0.0], np.geomspace(1e-6 / rate, last, 9)])
    exact, found = reference(problem, start, times), gradient_flow(problem, start, times)
    size = np.sqrt(sum(exact[name] ** 2 for name in ("c", "epsilon", "n", "o")))
    worst = float((np.abs(found.sharpness - exact.sharpness) / exact.sharpness).max())
    for name in ("c", "epsilon", "n", "o"):
        scale = np.maximum(np.abs(exact[name]), FLOW_FLOOR * size)
        worst = max(worst, float((np.abs(found[name] - exact[name]) / scale).max()))
    return worst


@pytest.mark.parametrize("name", PROBLEMS)
def test_flow_is_right(name):
    alpha, beta_norm, start = PROBLEMS[name]
    assert worst_error(OpposingSignals(alpha, beta_norm), start) < FLOW


@pytest.mark.parametrize("k", [0.1, 100.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_flow_is_right_from_standard_initialisations(k, seed):
    problem = OpposingSignals(300.0, 10.0, k)
    assert worst_error(problem, standard_state(problem, seed)) < FLOW


@pytest.mark.parametrize("name", SENSITIVE)
def test_flow_is_right_on_sensitive_problems(name):
    alpha, beta_norm, start = SENSITIVE[name]
    assert worst_error(OpposingSignals(alpha, beta_norm), start) < FLOW


def test_an_error_just_above_the_tolerance_is_seen(monkeypatch):
    """Planted: c off by twice the tolerance."""
    honest = gradient_flow

    def slightly_wrong(problem, start, times):
        found = honest(problem, start, times)
        return found.assign(c=found.c * (1 + 2 * FLOW))

    monkeypatch.setitem(globals(), "gradient_flow", slightly_wrong)
    alpha, beta_norm, start = PROBLEMS["B 1e3"]
    assert worst_error(OpposingSignals(alpha, beta_norm), start) > FLOW
