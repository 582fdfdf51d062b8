"""A low-rank model of a Hessian, kept along training: what products have shown, old and new.

M = B^T T B with orthonormal rows B (b, n) and small symmetric T (b, b). A product y = H s replaces
what M knew along s (Powell's symmetric Broyden update, the smallest change with M s = y); what it
knew elsewhere stays, a little stale.
"""

from __future__ import annotations

import torch
from torch import Tensor

SLACK = 12  # rows beyond what is kept before they are rotated away: rotating costs half a gradient


class SecantModel:
    """M = B^T T B; vectors are written in coordinates of B (float64) wherever possible.

    `unknown`: the value that M takes along a new row of B, of which nothing is known yet.
    """

    def __init__(self, n: int, dtype: torch.dtype, device: torch.device) -> None:
        self._buffer = torch.zeros(0, n, dtype=dtype, device=device)
        self.rank = 0
        self.small = torch.zeros(0, 0, dtype=torch.float64, device="cpu")
        self.unknown = 0.0
        self._eigen: tuple[Tensor, Tensor] | None = None

    @property
    def rows(self) -> Tensor:
        """B, shape (b, n)."""
        return self._buffer[: self.rank]

    def express(self, vector: Tensor) -> Tensor:
        """Coordinates (b,) of a vector (n,); B grows by what is outside of its span."""
        size = vector.norm()
        inside, outside = self._split(vector)
        left = outside.norm()
        if left == 0:
            return inside
        if left < 0.7 * size:  # cancellation: once more; what then shrinks again is roundoff
            before = left
            more, outside = self._split(outside)
            inside += more
            left = outside.norm()
            if left <= 0.5 * before:
                return inside
        self._append(outside / left)
        return torch.cat([inside, left.double().cpu().reshape(1)])

    def inside(self, vector: Tensor) -> Tensor:
        """B v: coordinates (b,) of the part of a vector (n,) that is in the span."""
        return (self.rows @ vector).double().cpu()

    def vectors(self, coordinates: Tensor) -> Tensor:
        """The vectors (m, n) of coordinates (m, <= b)."""
        weights = coordinates.to(self._buffer)
        return weights @ self._buffer[: weights.shape[1]]

    def learn(self, s: Tensor, y: Tensor) -> None:
        """Take in y = H s, both in coordinates, |s| = 1."""
        s, y = self.padded(s), self.padded(y)
        t = self.small
        ts = t @ s
        change = y - ts
        self._eigen = None
        self.small = (
            t + torch.outer(s, change) + torch.outer(change, s) - (s @ change) * torch.outer(s, s)
        )

    def padded(self, coordinates: Tensor) -> Tensor:
        """Coordinates (..., b), zeros added for rows of B that came later."""
        return torch.nn.functional.pad(coordinates, (0, self.rank - coordinates.shape[-1]))

    def eigen(self) -> tuple[Tensor, Tensor]:
        """Eigenvalues of M, descending, and eigenvectors as rows of coordinates."""
        if self._eigen is None:
            values, vectors = torch.linalg.eigh(self.small)
            self._eigen = values.flip(0), vectors.flip(1).T
        return self._eigen

    def compress(self, rank: int, top: int) -> None:
        """Keep the `top` highest eigenpairs, then the largest |value|, `rank` in all; T diagonal.

        Only once there are SLACK more.
        """
        if self.rank <= rank + SLACK:
            return
        # In float32 rows drift from orthonormal, and drift feeds on itself: B = L Q, and Q is kept.
        lower = torch.linalg.cholesky((self.rows @ self.rows.T).double().cpu())
        values, vectors = torch.linalg.eigh(lower.T @ self.small @ lower)
        weight = values.abs()
        weight[-top:] = torch.inf
        kept = weight.argsort(descending=True)[:rank].sort(descending=True).values
        turn = torch.linalg.solve_triangular(lower.T, vectors[:, kept], upper=True).T
        rows = turn.to(self._buffer) @ self.rows
        self.rank = len(kept)
        self._buffer[: self.rank] = rows
        self.small = torch.diag(values[kept])
        self._eigen = None

    def _split(self, vector: Tensor) -> tuple[Tensor, Tensor]:
        inside = self.rows @ vector
        return inside.double().cpu(), vector - inside @ self.rows

    def _append(self, row: Tensor) -> None:
        if self.rank == len(self._buffer):
            room = torch.zeros(max(8, self.rank), len(row), dtype=row.dtype, device=row.device)
            self._buffer = torch.cat([self._buffer, room])
        self._buffer[self.rank] = row
        self.rank += 1
        self.small = torch.nn.functional.pad(self.small, (0, 1, 0, 1))
        self.small[-1, -1] = self.unknown
        self._eigen = None

    def state(self) -> dict[str, Tensor]:
        """B, T and the value along unknown directions."""
        unknown = torch.tensor(self.unknown, dtype=torch.float64, device="cpu")
        return {"rows": self.rows.cpu().clone(), "small": self.small, "unknown": unknown}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take up `state()` again."""
        self._buffer = state["rows"].to(self._buffer)
        self.rank, self.small = len(self._buffer), state["small"]
        self.unknown = float(state["unknown"])
        self._eigen = None
