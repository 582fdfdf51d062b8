"""Samples (x, x_o, y) of the data model: aligned, isotropic, gaussian, or your own covariance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from linmodel.arguments import typed
from linmodel.errors import generator, integer, refuse
from linmodel.problem import Array, OpposingSignals
from linmodel.reduction import signal_direction

SAMPLERS = ("aligned", "isotropic", "gaussian", "covariance")


class Samples(NamedTuple):
    """x (N, d1), x_o (N, d2), target y (N,), and sign (N,): -1, 0, +1, the group of each sample."""

    x: Array
    x_o: Array
    y: Array
    sign: Array


@typed
def draw(
    problem: OpposingSignals,
    size: int,
    rng: int | np.random.Generator = 0,
    *,
    sampler: str | None = None,
    covariance: ArrayLike | None = None,
    beta: ArrayLike | None = None,
) -> Samples:
    """Draw `size` samples with y = beta.x + |1.x_o| / sqrt(d2), x ~ N(0, I) (section 1).

    rng         a seed or a Generator
    sampler     law of x_o; each is symmetric. Default: the problem's support.
        "aligned"     on a fraction p: +-sqrt(alpha / (p d2)) on every coordinate, else 0
        "isotropic"   independent coordinates +-sqrt(alpha)
        "gaussian"    N(0, alpha I)
        "covariance"  N(0, covariance), your own (d2, d2) positive semidefinite matrix
    beta        (d1,) of norm beta_norm; along the first axis where None
    sign of a sample is the sign of 1.x_o: +1 and -1 are the two opposing groups.

    Raises InvalidInput: size < 1, an unknown sampler, a covariance that is not symmetric,
    positive semidefinite and (d2, d2).
    """
    size, rng = integer("size", size, low=1), generator("rng", rng)
    kind = problem.support if sampler is None else sampler
    if kind not in SAMPLERS:
        refuse("sampler", kind, f"one of {', '.join(SAMPLERS)}")
    if (covariance is not None) != (kind == "covariance"):
        refuse("covariance", covariance, 'a matrix if and only if sampler="covariance"')
    root = None if covariance is None else _root(covariance, problem.d2)
    x = rng.standard_normal((size, problem.d1))
    x_o = _opposing(problem, size, rng, kind, root)
    total = x_o.sum(axis=1)
    signal = problem.beta_norm * (x @ signal_direction(problem, beta))
    return Samples(x, x_o, signal + np.abs(total) / np.sqrt(problem.d2), np.sign(total))


def _opposing(
    problem: OpposingSignals, size: int, rng: np.random.Generator, kind: str, root: Array | None
) -> Array:
    d2, alpha = problem.d2, problem.alpha
    if kind == "aligned":
        outlier = rng.random(size) < problem.outlier_fraction
        sign = rng.choice([-1.0, 1.0], size) * outlier
        return np.outer(sign, np.full(d2, problem.outlier_size / np.sqrt(d2)))
    if kind == "isotropic":
        return np.sqrt(alpha) * rng.choice([-1.0, 1.0], (size, d2))
    normal = rng.standard_normal((size, d2))
    return np.sqrt(alpha) * normal if root is None else normal @ root


def _root(covariance: ArrayLike, d2: int) -> Array:
    """Symmetric square root of a positive semidefinite matrix, checked."""
    allowed = f"a symmetric positive semidefinite matrix of shape ({d2}, {d2})"
    matrix = np.asarray(covariance, dtype=float)
    if matrix.shape != (d2, d2) or not np.isfinite(matrix).all():
        refuse("covariance", f"an array of shape {matrix.shape}", allowed)
    scale = np.abs(matrix).max()
    if not np.allclose(matrix, matrix.T, rtol=0, atol=1e-12 * scale):
        refuse("covariance", "not symmetric", allowed)
    values, vectors = np.linalg.eigh(matrix)
    if values[0] < -1e-10 * scale:
        refuse("covariance", f"a matrix with eigenvalue {values[0]:g}", allowed)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
