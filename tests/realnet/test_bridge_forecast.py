"""Forecasts from a small-step curve, held against descent at the larger step sizes."""

import numpy as np
import pytest

from linmodel import OpposingSignals
from linmodel.descent import gradient_descent
from linmodel.errors import InvalidInput
from realnet.bridge.forecasting import compare, forecast, observed, rise_time
from realnet.bridge.toy import start_of
from tests.realnet.bridge_curves import TRUTH, fitted, impossible_fit, run_of
from tests.tolerances import BRIDGE_EDGE, BRIDGE_LAGGED_EDGE

# 2/eta = 667, 444, 333, 250, 100: above the limit of 500, then in the rise, then below the start.
ETAS = (0.003, 0.0045, 0.006, 0.008, 0.02)
PROBLEM = OpposingSignals(**TRUTH)
START = start_of(TRUTH["k"], 0.2)


@pytest.fixture(scope="module")
def predicted():
    return forecast(fitted(0.3), ETAS, draws=10)


@pytest.fixture(scope="module")
def runs():
    return [gradient_descent(PROBLEM, START, eta, round(0.8 / eta)) for eta in ETAS]


def test_statuses_say_how_far_to_trust(predicted):
    toy = predicted.sel(model="toy")
    assert toy.status.values.tolist() == ["never", "extrapolated", "inside", "inside", "at_start"]
    assert np.isnan(toy.edge_time.values[0])
    assert float(toy.plateau[0]) == pytest.approx(500, rel=0.05)
    assert set(predicted.status.values.ravel()) <= {
        "never",
        "extrapolated",
        "inside",
        "poor",
        "at_start",
        "unreliable",
    }


def test_the_toy_s_edge_is_descent_s(predicted, runs):
    table = compare(predicted, runs).sel(model="toy")
    errors = table.edge_log_error.values[1:4]
    assert np.abs(errors).max() < BRIDGE_EDGE
    assert table.agrees.values.tolist() == [1, 1, 1, 1, 1]
    lagged = compare(predicted, runs).sel(model="toy descent").edge_log_error.values[1:4]
    assert np.abs(lagged).max() < BRIDGE_LAGGED_EDGE
    assert np.abs(lagged).mean() < 0.5 * np.abs(errors).mean()
    inside = predicted.sel(model="toy").isel(step_size=2)
    assert float(inside.edge_low) <= float(inside.edge_time) <= float(inside.edge_high)


def test_rivals_are_in_the_same_table(predicted):
    names = set(predicted.model.values)
    assert names == {
        "toy",
        "toy descent",
        "constant",
        "exponential",
        "power law",
        "logistic",
        "reading",
    }
    reading = predicted.sel(model="reading")
    # Reading the curve cannot leave its window.
    assert "extrapolated" not in reading.status.values
    assert (predicted.sel(model="constant").status.values[:4] == "never").all()


def test_steps_are_times_over_step_size(predicted):
    steps = np.ceil(predicted.edge_time / predicted.step_size - 1e-9)
    np.testing.assert_array_equal(steps.values, predicted.edge_step.values)


def test_a_fit_that_fails_gives_no_toy_numbers():
    table = forecast(impossible_fit(), [0.25], draws=10).sel(model=["toy", "toy descent"])
    assert (table.status == "unreliable").all()
    for name in ("edge_time", "edge_step", "plateau", "edge_low", "edge_high"):
        assert np.isnan(table[name]).all()


def test_a_rival_that_misses_the_curve_warns(predicted):
    table = forecast(impossible_fit(), [0.25], draws=10)
    numbers = np.isfinite(table.edge_time)
    assert not numbers.sel(model="constant").any()
    for name in ("exponential", "power law", "logistic"):
        row = table.sel(model=name)
        assert (row.status.values[np.isfinite(row.edge_time.values)] == "poor").all()


def test_observed():
    time = np.linspace(0, 10, 11)
    run = run_of(time, np.array([9, 2, 4, 6, 8, 5, 5, 5, 5, 5, 5.0]), step_size=2 / 7)
    seen = observed(run)
    assert seen["edge_time"] == pytest.approx(3.5)
    assert seen["edge_step"] == np.ceil(3.5 / (2 / 7))
    assert seen["plateau"] == 5
    assert np.isnan(rise_time(time, np.ones(11), 2.0))


def test_bad_input_is_refused(predicted, runs):
    result = fitted(0.3)
    with pytest.raises(InvalidInput, match="step size"):
        forecast(result, [0.0])
    with pytest.raises(InvalidInput, match="step sizes"):
        forecast(result, [])
    with pytest.raises(InvalidInput, match="draws"):
        forecast(result, [0.1], draws=1)
    other = runs[0].assign_attrs(step_size=0.5)
    with pytest.raises(InvalidInput, match="Forecast it first"):
        compare(predicted, [other])
    with pytest.raises(InvalidInput, match="step_size"):
        observed(run_of(np.arange(3.0), np.ones(3)))
