"""Residuals that are correlated from point to point: how far, and drawing them again in blocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linmodel.problem import Array


def block_length(residual: Array) -> int:
    """Lag at which the residuals' autocorrelation falls below 0.2, from 1 to a quarter of n."""
    count = len(residual)
    power = float(residual @ residual)
    if power == 0:
        return 1
    for lag in range(1, count // 4):
        if float(residual[:-lag] @ residual[lag:]) / power < 0.2:
            return lag
    return max(1, count // 4)


def resampled(
    residual: NDArray[np.float64], block: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Residuals (..., n) made of whole blocks, drawn with replacement and circularly; (..., n)."""
    count = residual.shape[-1]
    begins = rng.integers(0, count, size=-(-count // block))
    chosen = (begins[:, None] + np.arange(block)).ravel()[:count]
    return residual[..., chosen % count]
