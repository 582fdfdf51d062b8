"""The products of one evaluation, and the Ritz pairs that they give."""

from __future__ import annotations

import torch
from torch import Tensor

from realnet.curvature.secant import SecantModel


class Measured:
    """Orthonormal inputs s and images y = H s: raw vectors, and coordinates in the secant model.

    The model learns each product; the raw vectors give the result its float64 Rayleigh quotients.
    """

    def __init__(self, model: SecantModel) -> None:
        self.model = model
        self._inputs: list[Tensor] = []
        self._images: list[Tensor] = []
        self._s = self._y = torch.zeros(0, 0, dtype=torch.float64, device="cpu")
        self._pairs: tuple[Tensor, Tensor, Tensor] | None = None

    def __len__(self) -> int:
        return len(self._inputs)

    def add(self, coordinates: Tensor, vector: Tensor, image: Tensor) -> None:
        """Note s = vector (a unit vector orthogonal to earlier ones) and y = H s."""
        self._inputs.append(vector)
        self._images.append(image)
        y = self.model.express(image)
        earlier = self.coordinates()
        self._s = torch.cat([earlier[0], self.model.padded(coordinates)[None]])
        self._y = torch.cat([earlier[1], self.model.padded(y)[None]])
        self._pairs = None
        if self.values().max() < 0:
            self.model.unknown = float(self.values().mean())
        self.model.learn(coordinates, y)

    def coordinates(self) -> tuple[Tensor, Tensor]:
        """s and y as rows of coordinates, shapes (m, b)."""
        if self._s.shape[1] < self.model.rank:
            self._s, self._y = self.model.padded(self._s), self.model.padded(self._y)
        return self._s, self._y

    def values(self) -> Tensor:
        """Ritz values, descending."""
        return self.ritz()[0]

    def ritz(self) -> tuple[Tensor, Tensor, Tensor]:
        """Ritz values descending, their weights on s as rows, residual norms."""
        if self._pairs is None:
            s, y = self.coordinates()
            values, weights = descending(s @ y.T)
            residuals = (weights @ y - values[:, None] * (weights @ s)).norm(dim=1)
            self._pairs = values, weights, residuals
        return self._pairs

    def possible_rise(self, count: int, unmeasured: float) -> Tensor:
        """By how much the top Ritz values are exceeded if all unmeasured has one curvature c.

        Eigenvalues of [[diag(theta), R], [R^T, c I]] less theta, for the first `count` pairs with
        residuals R: an upper bound where c is one and the other pairs do not interfere.
        """
        values, weights, _ = (part[:count] for part in self.ritz())
        s, y = self.coordinates()
        residuals = weights @ y - values[:, None] * (weights @ s)
        squares, turn = torch.linalg.eigh(residuals @ residuals.T)
        coupling = turn * squares.clamp_min(0.0).sqrt()
        corner = unmeasured * torch.eye(len(values), dtype=values.dtype, device="cpu")
        whole = torch.cat(
            [
                torch.cat([torch.diag(values), coupling], 1),
                torch.cat([coupling.T, corner], 1),
            ]
        )
        return (torch.linalg.eigvalsh(whole).flip(0)[: len(values)] - values).clamp_min(0.0)

    def outside(self, direction: Tensor) -> Tensor | None:
        """The unit vector along `direction`, made orthogonal to s; None where nothing is left."""
        direction = self.model.padded(direction)
        size = direction.norm()
        s, _ = self.coordinates()
        for _ in range(2):
            direction = direction - (s @ direction) @ s
        left = direction.norm()
        return None if left <= 1e-6 * size else direction / left

    def share(self, direction: Tensor) -> float:
        """How much of a unit vector lies in the span of s, from 0 to 1."""
        return float((self.coordinates()[0] @ direction).square().sum())

    def unseen(self, part: list[int]) -> tuple[float, Tensor]:
        """On some of the inputs: the top Ritz value, and its residual outside of all inputs."""
        s, y = self.coordinates()
        values, weights = descending(s[part] @ y[part].T)
        image = weights[0] @ y[part]
        return float(values[0]), image - (s @ image) @ s

    def pairs(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Rayleigh quotients, vectors and residual norms of the top pairs, from raw products."""
        weights = self.ritz()[1][:count].to(self._inputs[0].device)
        vectors = _sum_of(weights, self._inputs)
        images = _sum_of(weights, self._images)
        squares = vectors.square().sum(1)
        values = (vectors * images).sum(1) / squares
        left = (images - values[:, None] * vectors).norm(dim=1) / squares.sqrt()
        return values.cpu(), vectors, left.cpu()


def descending(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues of the symmetric part, descending, and eigenvectors as rows."""
    values, vectors = torch.linalg.eigh(0.5 * (matrix + matrix.T))
    return values.flip(0), vectors.flip(1).T


def _sum_of(weights: Tensor, rows: list[Tensor]) -> Tensor:
    """weights @ rows in float64, shape (k, n), one row at a time."""
    total = torch.zeros(len(weights), len(rows[0]), dtype=torch.float64, device=rows[0].device)
    for weight, row in zip(weights.T, rows, strict=True):
        total += torch.outer(weight, row.double())
    return total
