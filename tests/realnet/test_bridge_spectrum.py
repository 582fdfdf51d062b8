"""The spectrum toy: the data's modes, l_half, and the alpha that an isotropic toy misses (M13)."""

from dataclasses import replace

import numpy as np
import pytest

from linmodel.errors import InvalidInput
from realnet.bridge.data_spectrum import (
    Spectrum,
    alpha_over_half,
    curves_with,
    half_eigenvalue,
    modes_of,
    spectrum_of,
)
from realnet.bridge.fitting import fit
from realnet.bridge.spectral_fit import data_spectrum, fit_spectrum
from realnet.bridge.toy import ToyParameters, real_curve
from tests.realnet.bridge_curves import TOY, run_of
from tests.tolerances import BRIDGE_TOY

TIME = np.linspace(0, 0.6, 40)
STEEP = Spectrum(np.array([4.0, 2.0, 1.0, 0.5, 0.25]), np.full(5, 0.2), 1.0)


def table_of(toy):
    return np.array([list(toy.as_dict().values())])


def test_one_mode_is_the_isotropic_toy():
    one = Spectrum(np.ones(1), np.ones(1), 1.0)
    np.testing.assert_allclose(
        curves_with(one)(table_of(TOY), TIME)[0], real_curve(TOY, TIME), rtol=BRIDGE_TOY
    )


def test_modes_are_those_of_the_data():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4000, 3)) * np.sqrt([9.0, 1.0, 0.25])
    values, explained = modes_of(x, x @ np.array([1.0, 2.0, 0.0]) + 5)
    np.testing.assert_allclose(values, [9, 1, 0.25], rtol=0.1)
    np.testing.assert_allclose(explained, [9, 4, 0], atol=0.6)
    assert half_eigenvalue(values, explained) == values[0]
    found = spectrum_of(x, x @ np.array([1.0, 4.0, 0.0]))
    assert found.half == pytest.approx(1, rel=0.1)
    assert found.shares.sum() == pytest.approx(1)
    assert (np.diff(found.eigenvalues) < 0).all()


def test_alpha_is_measured_over_l_half():
    rng = np.random.default_rng(1)
    others = 2.0 * rng.standard_normal((3000, 4))
    own = np.zeros((600, 4))
    own[:, 3] = np.where(np.arange(600) % 2, 30.0, -30.0)
    # The groups' second moment 600 x 900 / 3600, over the signal's variance 4.
    assert alpha_over_half(own, others, others[:, 0]) == pytest.approx(150 / 4, rel=0.1)
    assert np.isnan(alpha_over_half(own[:0], others, others[:, 0]))


def test_the_spectrum_toy_finds_the_alpha_that_the_isotropic_one_misses():
    """M13: modes learned one after another look to the isotropic toy like a larger alpha."""
    truth = ToyParameters(50.0, 10.0, 1.0, 0.2)
    run = run_of(TIME, curves_with(STEEP)(table_of(truth), TIME)[0])
    found = fit_spectrum(run, STEEP)
    assert found.error < 1e-3
    assert 0.5 < found.values.alpha / truth.alpha < 2
    assert fit(run, scales=1).values.alpha > 1.3 * found.values.alpha
    np.testing.assert_allclose(found.predict(TIME), run.sharpness, rtol=0.01)
    assert "l_half" in str(found)


def test_spectra_from_files(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 2, 3))
    np.savez(tmp_path / "data.npz", x=x, y=x[:, 0, 0])
    found = data_spectrum(str(tmp_path / "data.npz"), run_of(TIME, TIME))
    assert len(found.eigenvalues) <= 6
    np.savez(tmp_path / "other.npz", x=x)
    for source in ("other.npz", "missing.npz"):
        with pytest.raises(InvalidInput, match="x and y"):
            data_spectrum(str(tmp_path / source), run_of(TIME, TIME))
    with pytest.raises(InvalidInput, match="does not say"):
        data_spectrum("run", run_of(TIME, TIME))


def test_the_run_s_own_data_are_loaded():
    about = '{"data": "digits", "size": 200, "seed": 0}'
    assert data_spectrum("run", run_of(TIME, TIME).assign_attrs(configuration=about)).half > 0


@pytest.mark.parametrize(
    ("inputs", "targets"), [(np.ones((4, 2)), np.arange(4)), (np.ones(4), np.ones(4)), ([], [])]
)
def test_data_without_a_spectrum(inputs, targets):
    with pytest.raises(InvalidInput):
        modes_of(inputs, targets)


def test_scales_are_one_or_two():
    with pytest.raises(InvalidInput, match="scales"):
        fit_spectrum(run_of(TIME, 1 + TIME), replace(STEEP), scales=3)
