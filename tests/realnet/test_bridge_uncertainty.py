"""Intervals cover the truth, and the report says which parameters the curve does not pin down."""

import numpy as np
import pytest

from linmodel.errors import InvalidInput
from realnet.bridge.blocks import block_length, resampled
from realnet.bridge.fitting import fit
from realnet.bridge.toy import ToyParameters, real_curve
from realnet.bridge.uncertainty import bootstrap, identifiability
from tests.realnet.bridge_curves import TRUTH, fitted, run_of


@pytest.fixture(scope="module")
def result():
    return fitted()


@pytest.fixture(scope="module")
def intervals(result):
    return bootstrap(result, draws=12, seed=1)


def test_intervals_cover_what_made_the_curve(intervals):
    truth = TRUTH | {"time_scale": 1.0, "sharpness_scale": 1.0}
    for name, value in truth.items():
        row = intervals.sel(parameter=name, source="curve")
        # 12 draws reach the 95% interval's ends only roughly: allow a tenth beyond them.
        assert float(row.low) / 1.1 <= value <= float(row.high) * 1.1, name


def test_pinned_parameters(intervals):
    pinned = intervals.pinned.to_series()
    assert pinned["alpha"] and pinned["beta_norm"]
    # The share of b along beta hardly changes the curve.
    assert not pinned["aligned_share"]


def test_a_random_initial_state_widens_the_interval_of_k(intervals):
    width = np.log(intervals.high / intervals.low).sel(parameter="k")
    assert width.sel(source="curve and initial state") > 0
    assert set(intervals.source.values) == {"curve", "curve and initial state"}


def test_combinations_are_ordered_and_orthonormal(result):
    table = identifiability(result)
    deviations = table.relative_sd.values
    assert (np.diff(deviations) >= 0).all()
    weights = table.weight.values
    np.testing.assert_allclose(weights @ weights.T, np.eye(len(weights)), atol=1e-12)
    loosest = np.abs(table.weight.isel(combination=-1))
    assert str(loosest.idxmax("parameter").item()) == "aligned_share"


@pytest.mark.parametrize("seed", [1, 2])
def test_a_valley_is_not_called_pinned(seed):
    """At large alpha the curve fixes alpha x scale; refits from the optimum alone stay near it."""
    time = np.linspace(0, 1.5, 60)
    clean = real_curve(ToyParameters(127.0, 10.2, 0.65, 0.435), time)
    noise = np.exp(0.01 * np.random.default_rng(seed).standard_normal(60))
    found = fit(run_of(time, clean * noise))
    intervals = bootstrap(found, draws=10).sel(source="curve")
    alpha = intervals.sel(parameter="alpha")
    assert not alpha.pinned and alpha.high > 3 * alpha.low
    strength = intervals.sel(parameter="beta_norm")
    assert strength.pinned and strength.low / 1.02 < 10.2 < strength.high * 1.02


def test_an_exponential_does_not_pin_down_the_toy():
    time = np.linspace(0, 1, 40)
    noise = np.exp(0.01 * np.random.default_rng(0).standard_normal(40))
    result = fit(run_of(time, np.exp(2 * time) * noise))
    assert result.error < 0.05
    assert float(identifiability(result).relative_sd.max()) > 1


def test_blocks():
    rng = np.random.default_rng(0)
    assert block_length(rng.standard_normal(200)) == 1
    assert block_length(np.sin(np.linspace(0, 6, 200))) > 10
    assert block_length(np.zeros(20)) == 1
    assert resampled(np.arange(7.0), 3, rng).shape == (7,)


def test_too_few_draws_are_refused(result):
    with pytest.raises(InvalidInput, match="draws"):
        bootstrap(result, draws=2)
