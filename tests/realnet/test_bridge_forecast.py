"""Forecasts from small-step curves, held against descent at the larger step sizes."""

import numpy as np
import pytest

from linmodel.descent import gradient_descent
from linmodel.errors import InvalidInput
from linmodel.problem import OpposingSignals
from realnet.bridge.curve import rise_time
from realnet.bridge.forecasting import forecast
from realnet.bridge.rules import ONE_RUN, RULES, TWO_RUNS
from realnet.bridge.scoring import compare, observed
from realnet.bridge.status import BEYOND, EARLY, INSIDE, LATER, NEVER, NONE
from tests.realnet.bridge_curves import TRUTH, impossible_run, run_of
from tests.tolerances import BRIDGE_LAG, BRIDGE_READ

# 2/eta = 625, 400, 250, 100: above the flow's limit of 500, then in the rise, then below the start.
ETAS = (0.0032, 0.005, 0.008, 0.02)
PROBLEM = OpposingSignals(**TRUTH)


def descent(eta, end=0.5, every=1):
    """The toy's own descent as a run: sharpness on time, up to `end`."""
    from tests.realnet.bridge_curves import TOY

    path = gradient_descent(PROBLEM, TOY.start, eta, round(end / eta))
    return run_of(path.time.values[::every], path.sharpness.values[::every], eta)


@pytest.fixture(scope="module")
def runs():
    return [descent(eta) for eta in ETAS]


@pytest.fixture(scope="module")
def small():
    return descent(0.001, every=8)


@pytest.fixture(scope="module")
def predicted(small):
    return forecast(small, descent(0.002, 0.25, every=2), ETAS)


def test_two_runs_see_the_lag_that_one_cannot(predicted, runs):
    table = compare(predicted, runs).isel(run=[1, 2])
    one, two = (np.abs(table.edge_log_error.sel(rule=rule)) for rule in (ONE_RUN, TWO_RUNS))
    assert one.max() < BRIDGE_READ
    assert two.max() < BRIDGE_LAG
    assert (two < one / 3).all()
    assert predicted.attrs["answer"] == TWO_RUNS


def test_the_edge_lies_in_the_interval(predicted, runs):
    assert (compare(predicted, runs).held.sel(rule=TWO_RUNS).isel(run=[1, 2]) == 1).all()


def test_one_run_s_interval_begins_at_the_reading(small):
    row = forecast(small, None, [ETAS[1]]).sel(rule=ONE_RUN, step_size=ETAS[1])
    assert float(row.low) == pytest.approx(float(row.edge_time))
    assert row.high > row.edge_time


def test_statuses(predicted):
    assert predicted.status.sel(rule=TWO_RUNS).values.tolist() == [NEVER, INSIDE, INSIDE, EARLY]
    # Nothing is told of an edge that no rule forecasts, nor of one that is never reached.
    told = np.isfinite(predicted.edge_time.sel(rule=TWO_RUNS).values)
    assert told.tolist() == [False, True, True, False]


def test_beyond_the_curve_it_is_carried_on(small):
    part = small.isel(time=small.time.values < 0.17)
    found = forecast(part, None, [ETAS[1]]).isel(step_size=0)
    row, reading = found.sel(rule=ONE_RUN), found.sel(rule="reading")
    assert row.status.item() == BEYOND and float(row.edge_time) > 0.17
    assert reading.status.item() == NONE and np.isnan(reading.edge_time)
    inside = forecast(small, None, [ETAS[1]]).sel(rule=ONE_RUN, step_size=ETAS[1])
    width = np.log(row.high / row.low)
    assert width > np.log(inside.high / inside.low)


def test_what_the_window_cannot_tell_has_a_lower_end_only(small):
    part = small.isel(time=small.time.values < 0.12)
    row = forecast(part, None, [0.0025]).sel(rule=ONE_RUN, step_size=0.0025)
    assert row.status.item() == LATER and np.isnan(row.edge_time) and np.isnan(row.edge_step)
    assert part.time[-1] <= row.low < 0.18 and row.high == np.inf


def test_every_rule_has_a_row(predicted):
    assert predicted.rule.values.tolist() == list(RULES)
    steps = np.ceil(predicted.edge_time / predicted.step_size - 1e-9)
    np.testing.assert_array_equal(steps.values, predicted.edge_step.values)
    # The curve is the toy's: with the two scales tied its descent has the lag.
    toy = predicted.sel(rule=["toy", "toy descent"], step_size=ETAS[1])
    assert np.isfinite(toy.edge_time).all()
    assert toy.edge_time.sel(rule="toy descent") > toy.edge_time.sel(rule="toy")


def test_units_do_not_matter(small, predicted):
    """Sharpness x 1000 and time / 1000, and a clock that starts at another time."""
    second = descent(0.002, 0.25, every=2)

    def scaled(run):
        time = 1e-3 * (run.time.values + 2.0)
        return run_of(time, 1e3 * run.sharpness.values, 1e-3 * run.attrs["step_size"])

    found = forecast(scaled(small), scaled(second), 1e-3 * np.array(ETAS)).sel(rule=TWO_RUNS)
    known = predicted.sel(rule=TWO_RUNS)
    assert found.status.values.tolist() == known.status.values.tolist()
    for name in ("edge_time", "low", "high"):
        np.testing.assert_allclose(found[name], 1e-3 * (known[name].values + 2.0), rtol=1e-9)


def test_a_fit_that_fails_gives_no_toy_numbers():
    table = forecast(impossible_run(), None, [0.25]).sel(rule=["toy", "toy descent"])
    assert (table.status == NONE).all()
    for name in ("edge_time", "edge_step", "plateau", "low", "high"):
        assert np.isnan(table[name]).all()


def test_heavy_ball_has_its_own_edge(small):
    config = '{"optimiser": "momentum", "momentum": 0.5}'
    run = small.assign_attrs(configuration=config)
    found = forecast(run, None, [0.0075]).sel(rule=ONE_RUN)
    assert float(found.edge[0]) == pytest.approx(2 * 1.5 / 0.0075)
    # The same level as plain descent's at 0.005.
    known = forecast(small, None, [0.005]).sel(rule=ONE_RUN)
    assert float(found.edge_time[0]) == pytest.approx(float(known.edge_time[0]))


def test_adam_is_refused_unless_the_run_recorded_its_threshold(small):
    run = small.assign_attrs(configuration='{"optimiser": "adam"}')
    with pytest.raises(InvalidInput, match=r"'adam'.*threshold"):
        forecast(run, None, [0.005])
    recorded = run.assign_attrs(threshold=38.0 / run.attrs["step_size"])
    assert float(forecast(recorded, None, [0.1]).edge[0]) == pytest.approx(380)


def test_observed():
    time = np.linspace(0, 10, 11)
    run = run_of(time, np.array([9, 2, 4, 6, 8, 5, 5, 5, 5, 5, 5.0]), step_size=2 / 7)
    seen = observed(run)
    assert seen["edge_time"] == pytest.approx(3.5)
    assert seen["edge_step"] == np.ceil(3.5 / (2 / 7))
    assert seen["plateau"] == 5
    assert np.isnan(rise_time(time, np.ones(11), 2.0))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"step_sizes": [0.0]}, "step size"),
        ({"step_sizes": []}, "step sizes"),
        ({"level": 1.0}, "level"),
        ({"level": "high"}, "level"),
        ({"seed": -1}, "seed"),
    ],
)
def test_bad_input_is_refused(small, changed, words):
    with pytest.raises(InvalidInput, match=words):
        forecast(small, **({"step_sizes": [0.01]} | changed))


def test_a_run_that_was_not_forecast_is_not_scored(predicted, runs):
    with pytest.raises(InvalidInput, match="Forecast it first"):
        compare(predicted, [runs[0].assign_attrs(step_size=0.5)])
    with pytest.raises(InvalidInput, match="step_size"):
        observed(run_of(np.arange(3.0), np.ones(3)))
