"""M6, M5, F1-F5 and the envelope on drawn problems; each check is shown a case it must refuse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linmodel import (
    OpposingSignals,
    Parameters,
    State,
    closed_form,
    expand,
    gradient_descent,
    gradient_flow,
    reduce,
    standard_parameters,
)
from linmodel.bounds import limit
from linmodel.certified import certified_flow
from linmodel.envelope import envelope
from linmodel.network.spectra import spectral_flow
from linmodel.strategies import cases, magnitudes, spectral_cases, standing_cases, states
from tests.tolerances import FLOW

STATE = ("c", "epsilon", "n", "o")
# Rounding may let a monotone curve step back by this share of its size.
FLAT = FLOW


def flow_of(case, count=12, log_scales=3.0):
    """The flow on a grid from 1/100 of the fastest time scale to several of the slowest."""
    problem, start = case
    speed = problem.beta_norm + problem.alpha * (start.c**2 + start.o**2) + start.epsilon**2
    slow = problem.beta_norm or 1.0
    last = log_scales * np.log(10 + problem.alpha) / slow
    times = np.unique(
        np.concatenate([[0.0], np.geomspace(min(0.01 / speed, last / 2), last, count)])
    )
    return gradient_flow(problem, start, times)


def size_of(flow):
    return np.sqrt(sum(flow[name] ** 2 for name in STATE))


@given(cases(alpha=(0.0, 1e4)))
def test_kappa_is_conserved(case):
    flow = flow_of(case)
    kappa = flow.c**2 - flow.epsilon**2 - flow.n**2 - flow.o**2
    assert (np.abs(kappa - kappa[0]) <= FLOW * size_of(flow).max() ** 2).all()


@given(spectral_cases())
def test_kappa_is_conserved_for_general_spectra(case):
    flow = spectral_flow(case.spectra, case.start, np.linspace(0, 2, 8))
    kappa = flow.c**2 - (flow.b**2).sum("signal_mode") - (flow.b_o**2).sum("opposing_mode")
    size = flow.c**2 + (flow.b**2).sum("signal_mode") + (flow.b_o**2).sum("opposing_mode")
    assert (np.abs(kappa - kappa[0]) <= FLOW * size.max()).all()


def full_step(problem: OpposingSignals, parameters: Parameters, step_size: float) -> Parameters:
    """One step of descent on all 1 + d1 + d2 parameters, written from the loss M1."""
    c, b, b_o = parameters.c, parameters.b, parameters.b_o
    beta = problem.beta_norm * np.eye(1, problem.d1)[0]
    mean = b_o.mean() * np.ones_like(b_o) if problem.support == "aligned" else b_o
    pull, push = c * b - beta, problem.alpha * mean
    slope = b @ pull + c * (b_o @ push)
    return Parameters(
        c - step_size * slope, b - step_size * c * pull, b_o - step_size * c**2 * push
    )


@given(cases(alpha=(0.0, 100.0), beta_norm=(0.0, 10.0), k=(0.1, 3.0)), st.integers(0, 99))
def test_descent_of_the_full_network_is_descent_of_the_state(case, seed):
    """M5, G1: exact for any step size, so for the flow as the step goes to 0."""
    problem = case.problem
    parameters = standard_parameters(problem, np.random.default_rng(seed))
    start, frame = reduce(problem, parameters)
    eta = 0.5 / (1 + problem.beta_norm + problem.alpha)
    steps = gradient_descent(problem, start, eta, 20)
    for _ in range(20):
        parameters = full_step(problem, parameters, eta)
    last = expand(State(*(float(steps[name][-1]) for name in STATE)), frame)
    size = np.sqrt(parameters.c**2 + parameters.b @ parameters.b + parameters.b_o @ parameters.b_o)
    for found, exact in zip(vars(last).values(), vars(parameters).values(), strict=True):
        assert np.abs(found - exact).max() <= FLOW * size


def falls_then_rises(values):
    """Whether a curve has no rise that is followed by a fall, beyond rounding."""
    steps = np.diff(values)
    rising = np.flatnonzero(steps > FLAT * values.max())
    falling = np.flatnonzero(steps < -FLAT * values.max())
    return not (rising.size and falling.size and rising[0] < falling[-1])


@given(standing_cases())
def test_f1_to_f4(case):
    problem, flow = case.problem, flow_of(case, count=30)
    size = float(size_of(flow).max())
    assert (flow.c > 0).all() and (flow.epsilon >= 0).all()  # F1
    assert (flow.c * flow.epsilon <= problem.beta_norm * (1 + FLOW)).all()  # F2, 1e-9 of rounding
    assert (np.diff(flow.epsilon) >= -FLAT * size).all()  # F3
    assert (np.diff(flow.n) <= FLAT * size).all() and (np.diff(flow.o) <= FLAT * size).all()
    assert falls_then_rises(flow.opposing_curvature.values)  # F4


@given(standing_cases(alpha=(1.0, 10.0), beta_norm=(0.5, 20.0)))
def test_f5_limit(case):
    problem, start = case
    end = limit(problem, start)
    c, epsilon = float(end.c), float(end.epsilon)
    # Plateau, then the approach at rates c^2 (n, o) and c^2 + epsilon^2.
    plateau = (1 + problem.alpha) * (1 + start.n**2 + start.o**2) ** 2 / problem.beta_norm**2
    last = gradient_flow(problem, start, [50 * (1 + plateau + 1 / c**2)]).isel(time=-1)
    size = np.hypot(c, epsilon)
    for name, value in (("c", c), ("epsilon", epsilon), ("n", 0.0), ("o", 0.0)):
        assert abs(float(last[name]) - value) <= FLOW * size, name
    assert float(last.sharpness) == pytest.approx(float(end.sharpness), rel=FLOW)


@settings(max_examples=8)
@given(standing_cases(beta_norm=(0.5, 20.0)))
def test_the_envelope_holds_the_flow(case):
    flow = flow_of(case)
    bounds = envelope(case.problem, case.start, flow.time.values, step=0.5, pieces=100)
    for name in ("c", "epsilon", "opposing_curvature", "sharpness"):
        assert (bounds[f"{name}_lower"] <= flow[name] * (1 + FLOW)).all(), name
        assert (bounds[f"{name}_upper"] >= flow[name] * (1 - FLOW)).all(), name


@given(states(), magnitudes(0.1, 10.0), st.sampled_from(["alpha 1", "o 0", "alpha 0"]))
def test_the_closed_form_is_the_flow(state, beta_norm, which):
    problem = OpposingSignals({"alpha 1": 1.0, "o 0": 30.0, "alpha 0": 0.0}[which], beta_norm)
    start = State(state.c, state.epsilon, state.n, 0.0 if which == "o 0" else state.o)
    times = [0.01 / beta_norm, 0.3 / beta_norm, 3 / beta_norm]
    closed, flow = closed_form(problem, start, times), gradient_flow(problem, start, times)
    size = size_of(closed)
    for name in STATE:
        assert (np.abs(closed[name] - flow[name]) <= FLOW * size).all(), name


def test_the_checks_can_fail():
    """Planted: F4 is false for alpha < 1 and for lambda_max; the theorems' checks must see it."""
    assert not falls_then_rises(np.array([3.0, 1.0, 2.0, 1.5]))
    problem = OpposingSignals(4.451, 13.732)
    start = State(0.1783, 3.414, 0.01274, 1.8556)
    flow = gradient_flow(problem, start, np.linspace(0, 0.3, 400))
    assert falls_then_rises(flow.opposing_curvature.values)
    assert not falls_then_rises(flow.sharpness.values)
    # F1's check on starts with epsilon0 < 0, where c may cross 0.
    crossing = State(0.2, -0.8, 0.1, 0.3)
    assert (gradient_flow(OpposingSignals(100.0, 5.0), crossing, [0.3, 3.0]).c < 0).any()


@settings(max_examples=8)
@given(cases(alpha=(0.0, 1e5)))
def test_certified_enclosures_of_different_precision_overlap(case):
    times = [1e-3, 0.1, 1.0]
    rough = certified_flow(*case, times, digits=14, relative_width=1e-3)
    fine = certified_flow(*case, times, digits=30)
    for name in fine.data_vars:
        assert (rough[name][:, 0] <= fine[name][:, 1]).all(), name
        assert (fine[name][:, 0] <= rough[name][:, 1]).all(), name
