"""Bootstrap intervals of a graded signal's numbers: against a naive loop, and where they lie."""

import json

import numpy as np
import pytest

from realnet.signals import resampled
from realnet.signals.graded import find_graded_signals
from realnet.signals.membership import dominance, members_of, weighed
from tests.realnet.test_signals_graded import N, made, planted
from tests.tolerances import ALGEBRA

DRAWS = 120


@pytest.fixture(scope="module")
def given():
    generator = np.random.default_rng(1)
    values = generator.standard_t(4, size=N)
    values /= np.linalg.norm(values)
    cell = generator.integers(0, 6, N)
    return values, cell, generator.normal(size=(N, 3)), generator.uniform(0.5, 2, N)


def naive(drawn, statistic):
    """The statistic on the samples themselves, repeated as often as they were drawn."""
    rows = [statistic(np.repeat(np.arange(len(row)), row.astype(int))) for row in drawn]
    return pytest.approx(np.quantile(rows, resampled.ENDS), ALGEBRA)


def test_intervals_are_those_of_repeated_samples(given) -> None:
    values, cell, features, curvature = given
    drawn = resampled.counts(N, DRAWS)
    plus, minus = weighed(values)
    members = np.concatenate([members_of(plus), members_of(minus)])
    own = np.isin(np.arange(N), members)

    assert resampled.member_share(drawn, curvature, members) == naive(
        drawn, lambda i: curvature[i][own[i]].sum() / curvature[i].sum()
    )
    assert resampled.alike_ends(drawn, plus, minus, features) == naive(
        drawn,
        lambda i: (
            (plus[i] @ features[i] / plus[i].sum()) @ (minus[i] @ features[i] / minus[i].sum())
        ),
    )
    assert resampled.correlation_ends(drawn, values, features[:, 0]) == naive(
        drawn, lambda i: abs(np.corrcoef(values[i], features[i, 0])[0, 1])
    )
    assert resampled.dominance_ends(drawn, values**2, cell, members) == naive(
        drawn, lambda i: dominance(values[i] ** 2, cell[i], np.flatnonzero(own[i]))
    )


def test_effective_numbers_by_bootstrap_t(given) -> None:
    values = given[0] - given[0].mean()
    drawn, weights = resampled.counts(N, DRAWS), values**2

    def logged(w):
        influence = 2 * (w / w.mean() - 1) - ((w**2) / (w**2).mean() - 1)
        return np.log(w.mean() ** 2 / (w**2).mean()), influence.std() / np.sqrt(len(w))

    value, error = logged(weights)
    each = [logged(weights[np.repeat(np.arange(N), row.astype(int))]) for row in drawn]
    low, high = np.quantile([(one - value) / spread for one, spread in each], resampled.ENDS)
    naive = N * np.exp(value - error * np.array([high, low]))
    assert resampled.effective_ends(drawn, weights) == pytest.approx(naive, ALGEBRA)
    expected = (N / naive[1] - 3, N / naive[0] - 3)
    assert resampled.kurtosis_ends(drawn, values) == pytest.approx(expected, ALGEBRA)
    assert resampled.effective_ends(drawn, np.ones(N)) == pytest.approx((N, N), ALGEBRA)


def test_every_number_of_a_signal_has_an_interval_that_contains_it() -> None:
    loading, labels, looks = planted()
    evidence = made(loading, labels)
    (one,) = find_graded_signals(evidence, {"looks": looks}, draws=199)
    numbers = {
        "energy_share": one.energy_share,
        "curvature_share": one.curvature_share,
        "effective_plus": one.effective_plus,
        "effective_minus": one.effective_minus,
        "concentration": one.excess_kurtosis,
        "alike in looks": one.alike["looks"].value,
        "persistence": one.persistence,
        "dominance": one.dominance,
    }
    assert set(one.intervals) == set(numbers)
    for name, value in numbers.items():
        low, high = one.intervals[name]
        assert low <= value <= high, name
    json.dumps(dict(one.intervals))


def test_nothing_to_measure_has_no_interval() -> None:
    assert np.isnan(resampled.ends([np.nan, np.nan])).all()
    assert np.isnan(resampled.ratio(resampled.counts(3), np.zeros(3), np.zeros(3))).all()
