"""Curves of known origin for the bridge's tests."""

from functools import cache

import numpy as np
import xarray as xr

from realnet.bridge.fitting import fit
from realnet.bridge.toy import ToyParameters, real_curve

TRUTH = {"alpha": 50.0, "beta_norm": 10.0, "k": 4.0}
TOY = ToyParameters(**TRUTH, aligned_share=0.2)
NOISE = 0.02


def run_of(time, sharpness, step_size=None):
    """A Dataset as a run folder holds it."""
    real = xr.Dataset({"sharpness": ("time", sharpness)}, coords={"time": time})
    if step_size is not None:
        real.attrs["step_size"] = step_size
    return real


def toy_run(end=0.6, points=60, *, time_scale=1.0, sharpness_scale=1.0, noise=NOISE, **attributes):
    """The toy's curve at TRUTH in other units, with multiplicative noise."""
    time = np.linspace(0, end, points)
    curve = real_curve(TOY, time)
    noisy = curve * np.exp(noise * np.random.default_rng(0).standard_normal(points))
    return run_of(time * time_scale, noisy * sharpness_scale, **attributes)


@cache
def fitted(end=0.6):
    """The fit of `toy_run(end)`, made once for all tests."""
    return fit(toy_run(end=end))


@cache
def impossible_fit():
    """The fit of `impossible_run()`, made once for all tests."""
    return fit(impossible_run())


def impossible_run(points=60):
    """A rise with a large oscillation: no gradient flow of the toy does that."""
    time = np.linspace(0, 1, points)
    return run_of(time, 5 + 3 * np.sin(20 * time) + 3 * time)
