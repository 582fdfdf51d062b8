"""The compiled spectral flow against its slow twin."""

import numpy as np
import pytest

from linmodel.kernels.spectra import BACK, GOOD, spectral_sharpness_at
from linmodel.network.spectra import ModeState, Spectra, spectral_flow
from tests.tolerances import SPECTRAL_KERNEL


def solved(eigenvalues, target, alpha, start, o0, times):
    found, status = np.empty((1, len(times))), np.zeros(1, np.int64)
    arrays = [np.array([value], dtype=float) for value in (eigenvalues, target, alpha)]
    arrays += [np.array([value], dtype=float) for value in (start, o0, times)]
    spectral_sharpness_at(*arrays, found, status)
    return found[0], status[0]


@pytest.mark.parametrize(("modes", "alpha"), [(1, 1.0), (2, 30.0), (6, 1000.0)])
def test_it_is_the_spectral_flow(modes, alpha):
    rng = np.random.default_rng(modes)
    eigenvalues, target = rng.uniform(0.05, 3, modes), 5 * rng.standard_normal(modes)
    b = 0.2 * target / np.linalg.norm(target) + 0.05 * rng.standard_normal(modes)
    times = np.linspace(0, 1.5, 30)
    spectra = Spectra(eigenvalues, target, np.array([alpha]))
    slow = spectral_flow(spectra, ModeState(1.0, b, np.array([0.6])), times).sharpness.values
    fast, status = solved(eigenvalues, target, alpha, [1.0, *b], 0.6, times)
    assert status == GOOD
    np.testing.assert_allclose(fast, slow, rtol=SPECTRAL_KERNEL)


def test_what_it_gives_up_is_nan():
    found, status = solved([1.0], [np.nan], 1.0, [1.0, 0.1], 0.5, np.linspace(0, 1, 5))
    assert status == BACK and np.isnan(found[1:]).all()
