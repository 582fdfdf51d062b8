"""S16: one-step changes of single samples' losses, their moments and tails. No torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

BEYOND = (2, 3, 4)
DEFINITIONS = {
    "change_mean": "mean over samples of the loss change in one step",
    "change_sd": "standard deviation over samples of the loss change in one step",
    "change_skewness": "skewness over samples of the loss change in one step",
    "change_kurtosis": "excess kurtosis of the loss changes (0 for a normal law)",
    **{f"change_{k}sd": f"fraction of samples further than {k} sd from the mean" for k in BEYOND},
    "change_1": "fraction of samples whose loss changes by 1 or more",
}


def moments(changes: ArrayLike) -> dict[str, NDArray[np.float64]]:
    """DEFINITIONS of loss changes (..., N) over the last axis, each of shape (...)."""
    values = np.asarray(changes, dtype=np.float64)
    mean, sd = values.mean(axis=-1), values.std(axis=-1)
    scaled = (values - mean[..., None]) / np.where(sd > 0, sd, 1)[..., None]
    return {
        "change_mean": mean,
        "change_sd": sd,
        "change_skewness": (scaled**3).mean(axis=-1),
        "change_kurtosis": (scaled**4).mean(axis=-1) - 3,
        **{f"change_{k}sd": (np.abs(scaled) > k).mean(axis=-1) for k in BEYOND},
        "change_1": (np.abs(values) >= 1).mean(axis=-1),
    }
