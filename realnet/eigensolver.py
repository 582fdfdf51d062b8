"""Algebraically largest eigenpairs of a symmetric operator from few products: block Davidson.

The basis V (rows orthonormal, float64) grows together with Y = H V; Ritz pairs come from V Y^T. It
grows by the residuals of the wanted pairs and of a guard pair below them. The guard starts from
noise, so that an eigenvalue which a warm start does not contain is found as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Products = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Eigenpairs:
    """values (k,) descending, vectors (k, n) as rows, residuals ||H v - lambda v|| (k,).

    `errors`: estimated eigenvalue errors (k,), residual^2 / gap; `converged` (k,): within the
    tolerance that was asked, and no larger eigenvalue in sight.
    """

    values: Tensor
    vectors: Tensor
    residuals: Tensor
    errors: Tensor
    converged: Tensor
    products: int
    basis: Tensor


def orthonormal(rows: Tensor, basis: Tensor) -> Tensor:
    """Rows made orthogonal to `basis` and to each other, twice; what vanishes is left out."""
    kept = basis
    for row in rows:
        before = row.norm()
        for _ in range(2):
            row = row - (kept @ row) @ kept
        if before > 0 and row.norm() > 1e-10 * before:
            kept = torch.cat([kept, (row / row.norm())[None]])
    return kept[len(basis) :]


def top_of(
    products: Products, start: Tensor, k: int, tolerance: float, floor: float, limit: int
) -> Eigenpairs:
    """The k largest eigenpairs, from the rows of `start` (m > k, the last ones noise), float64.

    Stops where each estimated error is below tolerance * |lambda| (`floor`: the smallest absolute
    error that the arithmetic can reach), or after `limit` products: converged is False then.
    """
    n = start.shape[1]
    basis = start[:0]
    images = start[:0]
    grow = start
    while True:
        new = orthonormal(grow, basis)[: max(1, limit - len(basis))]
        basis = torch.cat([basis, new])
        images = torch.cat([images, products(new)])
        small = images @ basis.T
        values, weights = torch.linalg.eigh(0.5 * (small + small.T))
        values, weights = values.flip(0), weights.flip(1).T
        wanted = min(k + 1, len(values))
        vectors = weights[:wanted] @ basis
        residual = weights[:wanted] @ images - values[:wanted, None] * vectors
        sizes = residual.norm(dim=1)
        full = len(basis) >= n
        errors = torch.zeros_like(sizes) if full else estimated_errors(values, sizes, k)
        allowed = tolerance * values[:wanted].abs() + floor
        good = errors <= allowed
        if full or len(basis) >= limit or bool(good.all()):
            break
        grow = residual[~good]
    return Eigenpairs(values[:k], vectors[:k], sizes[:k], errors[:k], good[:k], len(basis), vectors)


def estimated_errors(values: Tensor, sizes: Tensor, k: int) -> Tensor:
    """min(r, r^2 / gap) for the wanted pairs; the guard's: how far it may rise above the k-th.

    The gap is to the guard, so that near-equal wanted values are no obstacle.
    """
    gaps = (values[: len(sizes)] - values[len(sizes) - 1]).clamp_min(1e-300)
    errors = torch.minimum(sizes, sizes.square() / gaps)
    if len(sizes) > k:
        errors[k] = (values[k] + 0.5 * sizes[k] - values[k - 1]).clamp_min(0.0)
    return errors
