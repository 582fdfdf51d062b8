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
    scores_of,
    table,
)
from realnet.bridge.conformal import Quantiles, interval
from realnet.bridge.coverage import coverage
from realnet.bridge.curve import measured
from realnet.bridge.local import edge_times, local_exponential
from tests.realnet.bridge_curves import run_of

TIME = np.linspace(0, 1, 41)


def test_a_new_score_lies_below_with_the_share_that_is_promised():
    """Groups whose errors are alike within and differ between, of unequal sizes."""
    rng = np.random.default_rng(0)

    def group():
        return rng.standard_normal() + 0.2 * rng.standard_normal(rng.integers(1, 6))

    below = [np.mean(group() <= conformal([group() for _ in range(19)], 0.9)) for _ in range(3000)]
    # At least 18 of 20, and hardly more; the standard deviation of the mean is 0.006.
    assert 0.88 < np.mean(below) < 0.94
    # One large group does not outweigh the others.
    assert conformal([np.zeros(1), np.zeros(1), np.ones(97)], 0.5) == 0


def test_groups_of_one_are_plain_conformal():
    scores = np.random.default_rng(0).permutation(19.0 * np.ones(19) - np.arange(19))
    assert conformal([np.array([score]) for score in scores], 0.9) == 18
    assert conformal([np.array([score]) for score in scores], 0.99) == 19


def test_an_exponential_s_prefixes_forecast_it_exactly():
    scores = prefix_scores(measured(run_of(TIME, np.exp(3 * TIME), 0.001)))
    # The curve is read by straight lines between 41 points: most is lost just beyond its end.
    assert len(scores) and np.median(scores) < 0.01 and scores.max() < 0.2


def test_a_slower_end_is_followed():
    """Saturation: less than an exponential's rest follows; the bend sees most of it."""
    curve = measured(run_of(TIME, 5 - 4 * np.exp(-1.5 * TIME), 0.001))
    level = np.array([curve.sharpness[25]])
    part = prefix(curve, 0.5)
    times, _ = edge_times(part, level)
    straight = replace(local_exponential(part), bend=0.0).times(level)
    assert straight < times < curve.time[25] + 0.01 and curve.time[25] - times < 0.02


def test_intervals_widen_beyond_the_curve_and_with_the_lag():
    curve = measured(run_of(TIME, np.exp(3 * TIME), 0.001))
    times, lag = np.array([0.5, 2.0, 2.0]), np.array([0.01, 0.01, 0.1])
    low, high = interval(times, lag, curve, Quantiles(0.3, 0.1, 1.0))
    np.testing.assert_allclose(high[0] - times[0], 0.006)
    assert np.all(np.diff(high - low) > 0) and np.all((low < times) & (times < high))
    one_low, one_high = interval(times, None, curve, Quantiles(0.3, 0.1, 1.0))
    assert one_low[0] == 0.5 and one_high[0] == pytest.approx(0.55)
    # Not within 1.5 windows: a lower end alone.
    later = interval(np.array([np.inf]), lag[:1], curve, Quantiles(0.3, 0.1, 1.0))
    assert 1 < later[0] < 1.5 and later[1] == np.inf


def test_the_committed_table_is_large_enough():
    data = table()
    names = set(data.network.values[data.fresh.values == 0])
    assert len(names) >= 24
    assert {name.split()[0] for name in names} >= {"mlp", "cnn", "resnet", "vit", "gpt"}
    assert np.isnan(data.edge_time.values[np.isfinite(data.larger_step_size.values)]).any()


def test_a_row_whose_runs_are_no_pair_is_scored_by_one_run():
    case = next(case for case in known_cases() if len(scores_of(case).spread))
    alone = scores_of(replace(case, second=case.second.first(2)))
    whole = scores_of(case)
    assert not len(alone.spread)
    np.testing.assert_array_equal(alone.late, whole.late)
    np.testing.assert_array_equal(alone.far, whole.far)


def test_a_higher_level_is_wider():
    narrow, wide = quantiles(0.8), quantiles(0.95)
    assert wide.far > narrow.far and wide.spread > narrow.spread and wide.late > narrow.late
    with pytest.raises(InvalidInput, match=r"at most 0\.95"):
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
