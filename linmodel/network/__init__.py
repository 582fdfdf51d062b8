"""Beyond the reduced model: general spectra, and the full network under many optimisers."""

from linmodel.network.full_network import train_network
from linmodel.network.moments import Moments, population_moments, sample_moments
from linmodel.network.optimisers import (
    Adam,
    Clipped,
    GradientDescent,
    HeavyBall,
    Nesterov,
    Optimiser,
    PlainSharpnessAware,
    SharpnessAware,
)
from linmodel.network.spectra import (
    ModeState,
    Spectra,
    eigenbasis,
    spectral_descent,
    spectral_flow,
    spectral_sharpness,
)

__all__ = [
    "Adam",
    "Clipped",
    "GradientDescent",
    "HeavyBall",
    "ModeState",
    "Moments",
    "Nesterov",
    "Optimiser",
    "PlainSharpnessAware",
    "SharpnessAware",
    "Spectra",
    "eigenbasis",
    "population_moments",
    "sample_moments",
    "spectral_descent",
    "spectral_flow",
    "spectral_sharpness",
    "train_network",
]
