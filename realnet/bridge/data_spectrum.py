"""The spectrum toy: the model with the data's own covariance, its spectrum taken from the data.

With signal eigenvalues l_i far from equal the modes are learned at rates l_i c^2, and an isotropic
toy fitted to such a curve returns alpha many times too large (M13). A curve cannot tell both the
spectrum and alpha: the spectrum comes from the inputs and targets, alpha from the curve.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from linmodel.arguments import typed
from linmodel.errors import InvalidInput, integer, refuse
from linmodel.kernels.spectra import GOOD, spectral_sharpness_at
from linmodel.problem import Array

MODES = 6
# Eigenvalues below this share of the largest carry no signal that a float can hold.
LEAST = 1e-9


@dataclass(frozen=True)
class Spectrum:
    """Few modes of the inputs' covariance and of the target in it.

    eigenvalues  (m,) over `half`, descending
    shares       (m,) of the linearly explainable target variance; they add up to 1
    half         l_half, see `half_eigenvalue`, in the data's own units
    """

    eigenvalues: Array
    shares: Array
    half: float


def modes_of(inputs: ArrayLike, targets: ArrayLike) -> tuple[Array, Array]:
    """Eigenvalues l_i (descending) of the inputs' second moment, and the variance of the targets
    that the best linear predictor explains along each, |E u_i.x y|^2 / l_i.

    inputs (n, ...), flattened; targets (n,) whole numbers are classes and become one-hot rows, else
    (n,) or (n, k) numbers; their means are taken off. Raises InvalidInput.
    """
    x = np.asarray(inputs, dtype=float)
    y = np.asarray(targets)
    if x.ndim < 2 or y.ndim < 1 or len(x) != len(y) or len(x) < 2 or not x[0].size:
        said = f"shape {x.shape} for targets of shape {y.shape}"
        refuse("inputs", said, "a row (n, ...) for each of two or more targets (n,)")
    if not (np.isfinite(x).all() and np.isfinite(np.asarray(y, dtype=float)).all()):
        refuse("inputs and targets", "NaN or infinite numbers", "finite numbers")
    x = x.reshape(len(x), -1)
    if y.ndim == 1 and y.dtype.kind in "iu":
        y = (y[:, None] == np.unique(y)).astype(float)
    y = np.asarray(y, dtype=float).reshape(len(x), -1)
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    left, singular, _ = np.linalg.svd(x, full_matrices=False)
    values = singular**2 / len(x)
    kept = values > LEAST * values[0]
    # u_i.x y / n = singular_i left_i.y / n; squared over l_i: |left_i.y|^2 / n.
    explained = ((left.T @ y) ** 2).sum(axis=1) / len(x)
    if not kept.any() or not explained[kept].sum() > 0:
        raise InvalidInput("the inputs explain nothing of the targets linearly: no spectrum.")
    return values[kept], explained[kept]


def half_eigenvalue(eigenvalues: Array, explained: Array) -> float:
    """l_half: the eigenvalue, from the largest down, at which half of the linearly explainable
    target variance is reached."""
    reached = np.cumsum(explained) / explained.sum()
    return float(eigenvalues[int(np.searchsorted(reached, 0.5))])


@typed
def spectrum_of(inputs: ArrayLike, targets: ArrayLike, modes: int = MODES) -> Spectrum:
    """`modes_of` in few modes: runs of neighbouring eigenvalues with equal shares of the explained
    variance, each at its mean in logarithms. Raises InvalidInput."""
    values, explained = modes_of(inputs, targets)
    half = half_eigenvalue(values, explained)
    count = integer("modes", modes, low=1)
    shares = explained / explained.sum()
    # The middle of each eigenvalue's stretch of the cumulated shares says which run it is in.
    place = np.minimum(((np.cumsum(shares) - shares / 2) * count).astype(int), count - 1)
    rows = [place == i for i in range(count) if shares[place == i].sum() > 0]
    means = [np.exp(np.average(np.log(values[row]), weights=shares[row])) for row in rows]
    return Spectrum(np.array(means) / half, np.array([shares[row].sum() for row in rows]), half)


@typed
def alpha_over_half(own: ArrayLike, others: ArrayLike, targets: ArrayLike) -> float:
    """Measured alpha: the top eigenvalue of the groups' part of the second moment, over l_half.

    own (n, ...) inputs in the opposing groups, others (m, ...) with their targets (m,): l_half is
    theirs. sum z z^T / (n + m) over the groups, as theory's section 1. NaN without groups.
    """
    groups = np.asarray(own, dtype=float)
    if not groups.ndim or not np.isfinite(groups).all():
        refuse("own", f"shape {groups.shape}", "finite numbers, a row (n, ...) a sample")
    if not len(groups):
        return math.nan
    groups = groups.reshape(len(groups), -1)
    top = np.linalg.norm(groups, 2) ** 2 / (len(groups) + len(np.asarray(others)))
    return float(top / half_eigenvalue(*modes_of(others, targets)))


def curves_with(spectrum: Spectrum) -> Callable[[Array, Array], Array]:
    """As `toy.flow_curves`, of the spectrum toy: (toys, 6) parameters, (n,) times -> (toys, n).

    In units in which l_half = 1: sum l_i beta_i^2 = B^2, beta_i^2 l_i in the spectrum's shares, b0
    along beta with the aligned share, the rest of b0 in a mode of eigenvalue 1 without signal, one
    opposing mode alpha (M11; H3 is the sharpness). NaN where the integrator gives up.
    """
    values = np.append(spectrum.eigenvalues, 1.0)
    unit = np.append(np.sqrt(spectrum.shares / spectrum.eigenvalues), 0.0)

    def curves(table: Array, times: Array) -> Array:
        alpha, beta_norm, k, share, sharpness_scale, time_scale = table.T
        length = (1 + k) ** -0.5
        start = np.empty((len(table), 1 + len(values)))
        start[:, 0] = 1
        start[:, 1:] = (share * length)[:, None] * unit / np.linalg.norm(unit)
        start[:, -1] = np.sqrt(np.maximum(0.0, 1 - share**2)) * length
        found, status = np.empty((len(table), len(times))), np.zeros(len(table), np.int64)
        spectral_sharpness_at(
            np.tile(values, (len(table), 1)),
            beta_norm[:, None] * unit,
            np.ascontiguousarray(alpha),
            start,
            np.sqrt(k / (1 + k)),
            times / time_scale[:, None],
            found,
            status,
        )
        found[status != GOOD] = np.nan
        return found * sharpness_scale[:, None]

    return curves
