"""Each description wins on its own curve; what cannot be fitted is said."""

import numpy as np
import pytest

from realnet.bridge.curve import curve_of
from realnet.bridge.rivals import RIVALS, compare_rivals, describe
from tests.realnet.bridge_curves import run_of, toy_run

TIME = np.linspace(0, 2, 50)
OWN = {
    "exponential": 3 * np.exp(0.7 * TIME),
    "power law": 2 * (TIME + 0.1) ** 0.6,
    "logistic": 1 + 9 / (1 + np.exp(-6 * (TIME - 0.9))),
}


@pytest.mark.parametrize("name", OWN)
def test_a_rival_fits_its_own_curve_best(name):
    curve = curve_of(run_of(TIME, OWN[name]))
    errors = {rival: describe(rival, curve).error for rival in RIVALS}
    assert errors[name] < 1e-3
    assert min(errors, key=errors.__getitem__) == name


@pytest.mark.parametrize("name", OWN)
def test_a_rival_extrapolates_its_own_curve(name):
    found = describe(name, curve_of(run_of(TIME[:35], OWN[name][:35])))
    np.testing.assert_allclose(found.predict(TIME), OWN[name], rtol=0.02)


def test_limits():
    logistic = describe("logistic", curve_of(run_of(TIME, OWN["logistic"])))
    assert logistic.limit == pytest.approx(10, rel=0.01)
    assert describe("exponential", curve_of(run_of(TIME, OWN["exponential"]))).limit == np.inf


def test_the_toy_wins_out_of_sample_on_its_own_curve():
    table = compare_rivals(curve_of(toy_run()))
    assert (table.best == "toy").all()
    assert (table.error.sel(model="toy") < 0.06).all()


def test_a_part_without_a_rise_is_not_fitted_but_named():
    late = np.where(TIME < 1.5, 1 - 0.1 * TIME, 0.85 + 2 * (TIME - 1.5))
    table = compare_rivals(curve_of(run_of(TIME, late)))
    first = table.isel(share=0)
    assert np.isnan(first.error).all()
    assert all("rises by a factor" in text for text in first.status.values)
    assert str(first.best.item()) == "none"
