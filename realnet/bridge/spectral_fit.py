"""The spectrum toy fitted to a curve, with the spectrum of the run's own data."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from linmodel.arguments import typed
from linmodel.errors import InvalidInput, integer, refuse
from linmodel.problem import Array
from realnet.bridge.curve import Curve, curve_of
from realnet.bridge.data_spectrum import Spectrum, curves_with, spectrum_of
from realnet.bridge.searching import family, residuals, search
from realnet.bridge.toy import ToyParameters

OWN = "run"


@dataclass(frozen=True)
class SpectralFit:
    """values   alpha over l_half, B, k, aligned share and the two scales
    error    rms of log toy - log real over the fitted points
    status   "ok", or "not_converged"
    """

    values: ToyParameters
    spectrum: Spectrum
    curve: Curve
    error: float
    status: str

    def predict(self, times: Array) -> Array:
        """Sharpness in real units at real times (increasing, >= 0), shape (n,)."""
        table = np.array([list(self.values.as_dict().values())])
        return curves_with(self.spectrum)(table, np.asarray(times, dtype=float))[0]

    def __str__(self) -> str:
        modes = ", ".join(f"{value:.3g}" for value in self.spectrum.eigenvalues)
        return (
            f"spectrum toy ({self.status}): rms relative error {self.error:.2%}, alpha over l_half "
            f"{self.values.alpha:.4g}, B {self.values.beta_norm:.4g}; l_half "
            f"{self.spectrum.half:.4g} in the data's units, modes over it {modes}"
        )


@typed
def fit_spectrum(
    real: xr.Dataset, spectrum: Spectrum, *, scales: int = 1, seed: int = 0
) -> SpectralFit:
    """`realnet.bridge.fitting.fit` with the spectrum toy. One scale by default: with two, only
    alpha x sharpness_scale is told by a curve. Raises InvalidInput."""
    if integer("scales", scales, low=1) > 2:
        refuse("scales", scales, "1 or 2")
    curve, curves = curve_of(real), curves_with(spectrum)
    space = family(curve, scales)
    best = search(curve, space, integer("seed", seed, low=0), curves)[0]
    residual = residuals(space, curve, curves)(best.point[None])[0]
    error = math.sqrt(float(np.mean(residual**2)))
    status = "ok" if best.converged and math.isfinite(error) else "not_converged"
    return SpectralFit(space.parameters(best.point), spectrum, curve, error, status)


def data_spectrum(source: str, real: xr.Dataset) -> Spectrum:
    """Of the run's own data ("run": its configuration names them), or of a .npz file with inputs x
    (n, ...) and targets y (n,) or (n, k). Raises InvalidInput."""
    if source != OWN:
        return spectrum_of(*_of_file(Path(source)))
    from realnet.data import datasets

    try:
        about = json.loads(real.attrs["configuration"])
        name, size, seed = about["data"], about["size"], about["seed"]
    except (KeyError, TypeError, ValueError):
        refuse("--data", source, "a .npz file: this run does not say what it was trained on")
    data = datasets.load(name, size, seed, **about.get("dials", {}))
    return spectrum_of(data.inputs, data.labels)


def _of_file(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as held:
            return held["x"], held["y"]
    except (OSError, ValueError, KeyError) as error:
        raise InvalidInput(
            f"{path} cannot be read ({error}); allowed: run, or a .npz file with arrays x and y."
        ) from error
