"""Conformal quantiles: what they promise, on made errors and on the committed table."""

from dataclasses import replace

import numpy as np
import pytest

from linmodel.errors import InvalidInput
from realnet.bridge.calibration import (
    conformal,
    known_cases,
    prefix,
    prefix_scores,
    quantiles,
    table,
)
from realnet.bridge.coverage import coverage
from realnet.bridge.curve import measured
from realnet.bridge.intervals import Quantiles, interval
from tests.realnet.bridge_curves import run_of

TIME = np.linspace(0, 1, 41)


def test_a_new_score_lies_below_with_the_share_that_is_promised():
    rng = np.random.default_rng(0)
    below = [rng.standard_normal() <= conformal(rng.standard_normal(19), 0.9) for _ in range(4000)]
    # Exactly 18 of 20; the standard deviation of the mean is 0.005.
    assert np.mean(below) == pytest.approx(0.9, abs=0.02)


def test_an_exponential_s_prefixes_forecast_it_exactly():
    scores = prefix_scores(measured(run_of(TIME, np.exp(3 * TIME), 0.001)))
    # The curve is read by straight lines between 41 points.
    assert len(scores) and np.abs(scores).max() < 0.002


def test_a_slower_end_is_forecast_too_early():
    """Saturation: the edge comes later than the slope says, so the scores are positive."""
    curve = measured(run_of(TIME, 5 - 4 * np.exp(-1.5 * TIME), 0.001))
    scores = prefix_scores(curve)
    assert (scores > 0).all()


def test_intervals_widen_beyond_the_curve_and_with_the_lag():
    curve = measured(run_of(TIME, np.exp(3 * TIME), 0.001))
    times, lag = np.array([0.5, 2.0, 2.0]), np.array([0.01, 0.01, 0.1])
    low, high = interval(times, lag, curve, Quantiles(-0.2, 0.3, 0.1, 1.0))
    np.testing.assert_allclose(high[0] - times[0], 0.006)
    assert np.all(np.diff(high - low) > 0) and np.all((low < times) & (times < high))
    one_low, one_high = interval(times, None, curve, Quantiles(-0.2, 0.3, 0.1, 1.0))
    assert one_low[0] == 0.5 and one_high[0] == pytest.approx(0.55)


def test_the_committed_table_is_large_enough():
    data = table()
    names = set(data.network.values[data.fresh.values == 0])
    assert len(names) >= 24
    assert {name.split()[0] for name in names} >= {"mlp", "cnn", "resnet", "vit", "gpt"}
    assert np.isnan(data.edge_time.values[np.isfinite(data.larger_step_size.values)]).any()


def test_a_higher_level_is_wider():
    narrow, wide = quantiles(0.8), quantiles(0.95)
    assert wide.low < narrow.low and wide.high > narrow.high and wide.spread > narrow.spread
    with pytest.raises(InvalidInput, match=r"at most 0\.98"):
        quantiles(0.99)


def test_fresh_networks_are_scored_and_not_calibrated_on():
    """Networks whose edges come much later than their small runs say, planted: they are not held,
    and what the others' intervals hold does not change."""
    known = [case for case in known_cases() if case.seed == 0]
    odd = [replace(case, fresh=True, edges=2 * case.edges) for case in known[:4]]
    found, plain = coverage([*known, *odd]), coverage(known)
    row = found.sel(column="fresh", rule="two runs", window=1.0)
    assert int(row.networks) == 4 and int(row.forecasts) == sum(
        int((np.isfinite(case.edges)).sum()) for case in odd
    )
    assert int(row.held) == 0
    column = {"column": "leave one network out"}
    np.testing.assert_array_equal(found.held.sel(column), plain.held.sel(column))
    honest = plain.sel(column | {"rule": "two runs", "window": 1.0})
    assert honest.held / honest.forecasts > 0.8


def test_a_prefix_is_the_first_part_in_time():
    curve = measured(run_of(TIME, np.exp(3 * TIME), 0.001))
    assert prefix(curve, 0.5).span == pytest.approx(0.5)
