"""The bridge: the toy fitted to a sharpness curve, its rivals, its forecasts. Needs no torch."""

from realnet.bridge.calibration import quantiles
from realnet.bridge.curve import curve_of
from realnet.bridge.data_spectrum import alpha_over_half, spectrum_of
from realnet.bridge.fitting import fit
from realnet.bridge.forecasting import forecast
from realnet.bridge.reading import read_curve
from realnet.bridge.rivals import compare_rivals
from realnet.bridge.scoring import compare, observed
from realnet.bridge.spectral_fit import fit_spectrum
from realnet.bridge.uncertainty import bootstrap, identifiability

__all__ = [
    "alpha_over_half",
    "bootstrap",
    "compare",
    "compare_rivals",
    "curve_of",
    "fit",
    "fit_spectrum",
    "forecast",
    "identifiability",
    "observed",
    "quantiles",
    "read_curve",
    "spectrum_of",
]
