"""The envelope F11 encloses the flow for every alpha >= 1, and closes in as its pieces shrink."""

import numpy as np
import pytest

from linmodel import (
    InvalidInput,
    OpposingSignals,
    State,
    bounds,
    closed_form,
    gradient_flow,
    standard_state,
)
from linmodel.certified import certified_flow
from linmodel.comparison import Comparison
from linmodel.envelope import envelope, envelope_in_tau
from tests import tolerances

NAMES = ("c", "epsilon", "n", "o", "opposing_curvature", "sharpness")


def case(alpha, b_norm, k, seed):
    problem = OpposingSignals(alpha=alpha, beta_norm=b_norm, k=k)
    c, epsilon, n, o = standard_state(problem, rng=seed)
    return problem, State(c, min(abs(epsilon), 0.9 * b_norm), n, o)


STANDARD = [(1.0, 5.0, 4.0), (3.0, 0.05, 0.3), (60.0, 10.0, 4.0), (1e4, 200.0, 30.0), (1e6, 1.0, 1)]
PLATEAU = (OpposingSignals(alpha=300.0, beta_norm=2.0), State(1.0, 0.1, 0.2, 1.1))


def end_time(problem, start):
    limit = bounds.limit(problem, start)
    return 20 / float(limit.c**2 + limit.epsilon**2)


def assert_encloses(bounds_of, flow, slack=tolerances.FLOW):
    for name in NAMES:
        values = np.abs(flow[name].values)
        live = values > 1e-290
        assert (bounds_of[f"{name}_lower"].values <= values * (1 + slack))[live].all(), name
        assert (bounds_of[f"{name}_upper"].values * (1 + slack) >= values)[live].all(), name


@pytest.mark.parametrize(
    ("problem", "start"), [case(*p, i) for i, p in enumerate(STANDARD)] + [PLATEAU]
)
def test_the_flow_runs_between_the_curves(problem, start):
    end = end_time(problem, start) if start.o < 1 else 200.0
    times = np.concatenate([[0], np.geomspace(1e-7 * end, end, 200)])
    flow = gradient_flow(problem, start, times)
    for step, pieces in ((0.5, 500), (1.0, 0)):
        assert_encloses(envelope(problem, start, times, step=step, pieces=pieces), flow)


@pytest.mark.parametrize("index", [2, 5])
def test_it_holds_the_certified_flow_without_any_tolerance(index):
    problem, start = (*[case(*p, i) for i, p in enumerate(STANDARD)], PLATEAU)[index]
    times = np.array([0.3, 1.0, 3.0]) * end_time(problem, start)
    exact = certified_flow(problem, start, times)
    box = envelope(problem, start, times)
    for name in ("c", "epsilon", "sharpness", "tau"):
        assert (box[f"{name}_lower"] <= exact[name].sel(bound="lower")).all(), name
        assert (box[f"{name}_upper"] >= exact[name].sel(bound="upper")).all(), name


def test_few_pieces_on_a_deep_plateau_are_wide_but_not_wrong():
    """On the plateau c' is below rounding: the pieces' least c must still bound c from below."""
    problem = OpposingSignals(alpha=1e6, beta_norm=0.004)
    start = State(0.0139, 0.0, 3.0, 3.0)
    times = np.array([1e-8, 1e-7, 8e-7, 2e-6])
    exact = certified_flow(problem, start, times)
    box = envelope(problem, start, times, step=1.0, pieces=60)
    for name in ("c", "epsilon", "tau"):
        assert (box[f"{name}_lower"] <= exact[name].sel(bound="lower")).all(), name
        assert (box[f"{name}_upper"] >= exact[name].sel(bound="upper")).all(), name


def test_in_intrinsic_time_too():
    """tau is read off the flow's n: n = n0 e^(-tau)."""
    problem, start = case(60.0, 10.0, 4.0, 3)
    flow = gradient_flow(problem, start, np.linspace(0, 1, 60))
    tau = -np.log(flow.n.values / start.n)
    assert_encloses(envelope_in_tau(problem, start, tau), flow, slack=tolerances.ENVELOPE)


def ratio(dataset, name="sharpness"):
    return (dataset[f"{name}_upper"] / dataset[f"{name}_lower"]).values - 1


def test_pieces_close_in_at_second_order():
    problem, start = case(1e3, 20.0, 4.0, 1)
    times = np.linspace(0, end_time(problem, start), 150)
    widths = [ratio(envelope(problem, start, times, step=step)).max() for step in (0.4, 0.2, 0.1)]
    order = np.log2(np.array(widths[:-1]) / widths[1:])
    assert (order > 1.5).all() and widths[-1] < 0.01


def test_tight_enough_on_the_standard_initialisation():
    """Median over curves of the worst ratio at most 1.10, worst at most 2 (o0 < 1)."""
    worst = []
    rng = np.random.default_rng(11)
    while len(worst) < 12:
        alpha, b_norm, k = 10 ** rng.uniform([0, -2, -1], [6, 3, 2])
        problem, start = case(alpha, b_norm, k, int(rng.integers(1000)))
        if start.o >= 1:
            continue
        end = end_time(problem, start)
        times = np.concatenate([[0], np.geomspace(1e-7 * end, end, 80)])
        worst.append(ratio(envelope(problem, start, times, step=0.5)).max())
    assert np.median(worst) < 0.10 and max(worst) < 1.0


def test_exact_at_alpha_one():
    problem, start = case(1.0, 5.0, 4.0, 0)
    times = np.linspace(0, 3, 40)
    exact = closed_form(problem, start, times)
    box = envelope(problem, start, times)
    for name in NAMES:
        assert ratio(box, name).max() < tolerances.ENVELOPE
        np.testing.assert_allclose(box[f"{name}_lower"], exact[name], rtol=tolerances.ENVELOPE)


def test_comparison_flow_is_the_closed_form_and_its_clock_inverts():
    rng = np.random.default_rng(2)
    for _ in range(20):
        c, epsilon, n = rng.uniform(0.01, 2, 3)
        b_norm = c * epsilon + 10 ** rng.uniform(-2, 2)
        times = np.geomspace(1e-4, 10 / b_norm, 30)
        problem = OpposingSignals(1.0, b_norm)
        exact = closed_form(problem, State(c, epsilon, n, 0.0), times)
        flow = Comparison(*(np.array(value) for value in (c, epsilon, n**2, b_norm)))
        found = flow.at(times)
        np.testing.assert_allclose(found[0], exact.c, rtol=tolerances.CLOSED_FORM)
        np.testing.assert_allclose(found[1], exact.epsilon, rtol=tolerances.CLOSED_FORM)
        tau = flow.intrinsic(times)
        np.testing.assert_allclose(n * np.exp(-tau), exact.n, rtol=tolerances.CLOSED_FORM)
        np.testing.assert_allclose(flow.clock(tau), times, rtol=tolerances.CLOSED_FORM)


def test_a_wrong_curve_is_noticed():
    """The check above can fail: bounds of a problem with 1% more alpha do not enclose the flow."""
    problem, start = case(60.0, 10.0, 4.0, 3)
    other = OpposingSignals(alpha=60.6, beta_norm=10.0, k=4.0)
    times = np.linspace(0, 1, 60)
    with pytest.raises(AssertionError):
        assert_encloses(envelope(other, start, times), gradient_flow(problem, start, times))


def test_bad_input_is_refused():
    problem, start = case(60.0, 10.0, 4.0, 3)
    times = [0.0, 1.0]
    for call in (
        lambda: envelope(problem, State(1.0, -0.1, 0.4, 0.8), times),
        lambda: envelope(OpposingSignals(0.5, 10.0), start, times),
        lambda: envelope(problem, start, [1.0, 0.5]),
        lambda: envelope(problem, start, times, step=0.0),
        lambda: envelope(problem, start, times, pieces=-1),
        lambda: envelope(problem, State(np.ones(2), 0.1, 0.4, 0.8), times),
    ):
        with pytest.raises(InvalidInput):
            call()
