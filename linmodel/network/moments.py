"""The loss of the full network from second moments: population or finite sample, any covariance.

With z = (x, x_o) and w = (b, b_o) the loss (factor 1/2) depends on the data by two moments only:
    L = 1/2 (c^2 w^T M w - 2 c w^T v + E y^2),  M = E z z^T,  v = E z y.
Parameters are one vector theta = (c, w) of length 1 + d.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from linmodel.arguments import typed
from linmodel.data import Samples
from linmodel.errors import refuse
from linmodel.network.arrowhead import top_eigenvalue
from linmodel.problem import Array, OpposingSignals
from linmodel.reduction import signal_direction


@dataclass(frozen=True)
class Moments:
    """M (d, d), v (d,), and d1, where z's opposing coordinates begin."""

    matrix: Array
    cross: Array
    d1: int

    def gradient(self, theta: Array) -> Array:
        """Gradient of the loss at theta (1 + d,)."""
        c, w = theta[0], theta[1:]
        error = c * (self.matrix @ w) - self.cross
        return np.concatenate([[w @ error], c * error])

    def excess(self, theta: Array) -> Array:
        """Loss above its least value, for rows theta (..., 1 + d): 1/2 |M^(1/2) (c w - w*)|^2."""
        modes = theta[..., :1] * (theta[..., 1:] @ self._basis) - self._target
        return np.asarray(0.5 * (modes**2 @ self._values))

    def sharpness(self, theta: Array) -> Array:
        """Top Hessian eigenvalue (arrowhead in M's eigenbasis) for rows theta (..., 1 + d)."""
        c, modes = theta[..., 0], theta[..., 1:] @ self._basis
        border = self._values * (2 * c[..., None] * modes - self._target)
        corner = modes**2 @ self._values
        return top_eigenvalue(corner, border, c[..., None] ** 2 * self._values)

    def opposing_top(self) -> float:
        """Top eigenvalue of the opposing block of M (alpha, in the population)."""
        return float(np.linalg.eigvalsh(self.matrix[self.d1 :, self.d1 :])[-1])

    @cached_property
    def _eigen(self) -> tuple[Array, Array]:
        values, basis = np.linalg.eigh(self.matrix)
        return np.maximum(values, 0.0), basis

    @property
    def _values(self) -> Array:
        return self._eigen[0]

    @property
    def _basis(self) -> Array:
        return self._eigen[1]

    @cached_property
    def _target(self) -> Array:
        """The best w in M's eigenbasis; 0 where M has no variance (v has none there either)."""
        values = self._values
        live = values > 1e-12 * values.max()
        return np.divide(self.cross @ self._basis, values, out=np.zeros_like(values), where=live)


@typed
def population_moments(
    problem: OpposingSignals,
    *,
    beta: ArrayLike | None = None,
    sampler: str | None = None,
    covariance: ArrayLike | None = None,
) -> Moments:
    """Sigma = I, Sigma_o as the sampler has it (linmodel.draw); v = (beta, 0), as g is even.

    The target's part g, which no linear network fits, does not count as loss (M1-M3). Raises
    InvalidInput: a covariance that is not symmetric of shape (d2, d2).
    """
    d1, d2 = problem.d1, problem.d2
    opposing = problem.alpha * np.eye(d2)
    if covariance is not None:
        opposing = np.asarray(covariance, dtype=float)
        if opposing.shape != (d2, d2) or not np.array_equal(opposing, opposing.T):
            allowed = f"a symmetric matrix of shape ({d2}, {d2})"
            refuse("covariance", f"an array of shape {opposing.shape}", allowed)
    elif (sampler or problem.support) == "aligned":
        opposing = problem.alpha * np.full((d2, d2), 1 / d2)
    matrix = np.zeros((d1 + d2, d1 + d2))
    matrix[:d1, :d1] = np.eye(d1)
    matrix[d1:, d1:] = opposing
    target = problem.beta_norm * signal_direction(problem, beta)
    return Moments(matrix, np.concatenate([target, np.zeros(d2)]), d1)


@typed
def sample_moments(samples: Samples) -> Moments:
    """Means over the samples."""
    z = np.hstack([samples.x, samples.x_o])
    size = len(z)
    matrix, cross = z.T @ z / size, z.T @ samples.y / size
    return Moments(matrix, cross, samples.x.shape[1])
