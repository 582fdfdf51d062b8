"""A low-rank model of a Hessian, kept along training: what products have shown, old and new.

M = B^T T B with orthonormal rows B (b, n), a fixed number of them at most, and small symmetric
T (b, b). A product y = H s replaces what M knew along s (Powell's symmetric Broyden update, the
smallest change with M s = y); what it knew elsewhere stays, a little stale. Beside T stands D, by
how much H may exceed it where nothing has been measured of late: T + D is the hopeful model.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from linmodel.errors import refuse

PANEL = 65536  # columns that are summed at once
TURNED = 4096  # columns that are rotated at once, at least: half a vector more, in the cache


class SecantModel:
    """Vectors are written in coordinates of B (float64, on the CPU) wherever possible.

    Along a new row of B, of which nothing is known yet, T is `low` and T + D is `unknown`.
    """

    def __init__(self, n: int, rows: int, dtype: torch.dtype, device: torch.device) -> None:
        with torch.inference_mode(False):  # it will be written into
            self._buffer = torch.zeros(min(rows, n), n, dtype=dtype, device=device)
        self.roundoff = 16 * torch.finfo(dtype).eps
        self.forget()

    def forget(self) -> None:
        """Know nothing."""
        self.rank = 0
        self.small = torch.zeros(0, 0, dtype=torch.float64, device="cpu")
        self.doubt, self.before = self.small, self.small  # D; and T when the evaluation began
        self.unknown = self.low = 0.0

    @property
    def rows(self) -> Tensor:
        """B, shape (b, n)."""
        return self._buffer[: self.rank]

    def room(self, rows: int) -> bool:
        """Whether B can take up so many more rows, or as many as there are."""
        return min(self.rank + rows, self._buffer.shape[1]) <= len(self._buffer)

    def vector(self, coordinates: Tensor) -> Tensor:
        """The vector (n,), or vectors (m, n), of coordinates (..., b)."""
        return coordinates.to(self._buffer) @ self.rows

    def inside(self, vector: Tensor) -> Tensor:
        """B v: coordinates (b,) of the part of a vector (n,) that is in the span."""
        return dots(self.rows, vector)

    def express(self, vector: Tensor) -> Tensor:
        """Coordinates of a vector (n,), which is overwritten; B grows by what is outside.

        Gram-Schmidt again and again, until rows see only roundoff in what is left. A vector too
        short for its dtype to hold its digits is zero.
        """
        part = inside = dots(self.rows, vector)
        for _ in range(3):
            part, left = self.remove(part, vector)
            inside = inside + part
            if float(part.norm()) <= self.roundoff * left:
                break
        size, kind = math.hypot(float(inside.norm()), left), torch.finfo(vector.dtype)
        if size < kind.tiny / kind.eps:
            return torch.zeros_like(inside)
        if left <= self.roundoff * size or self.rank == self._buffer.shape[1]:
            return inside
        torch.div(vector, left, out=self._buffer[self.rank])
        self.rank += 1
        self.small, self.doubt, self.before = (
            torch.nn.functional.pad(matrix, (0, 1, 0, 1))
            for matrix in (self.small, self.doubt, self.before)
        )
        self.small[-1, -1], self.doubt[-1, -1] = self.low, max(self.unknown - self.low, 0.0)
        return torch.cat([inside, torch.tensor([left], dtype=torch.float64, device="cpu")])

    def remove(self, part: Tensor, vector: Tensor) -> tuple[Tensor, float]:
        """vector - B^T part, in place; B times it, and its length: B is read only once."""
        minus, again = -part.to(self._buffer), torch.zeros_like(part, device=vector.device)
        square = torch.zeros((), dtype=torch.float64, device=vector.device)
        for begin in range(0, len(vector), PANEL):
            rows, panel = self.rows[:, begin : begin + PANEL], vector[begin : begin + PANEL]
            panel.addmv_(rows.T, minus)
            again += (rows @ panel).double()
            square += (panel @ panel).double()
        return again.cpu(), _length(float(square), vector)

    def learn(self, s: Tensor, y: Tensor) -> None:
        """Take in y = H s, both in coordinates, |s| = 1: T s = y, D s = 0."""
        s, y = self.padded(s), self.padded(y)
        change, doubted = y - self.small @ s, -self.doubt @ s
        self.small = self.small + _secant(s, change)
        self.doubt = self.doubt + _secant(s, doubted)

    def padded(self, coordinates: Tensor) -> Tensor:
        """Coordinates (..., b), zeros added for rows of B that came later."""
        if coordinates.shape[-1] == self.rank:
            return coordinates
        return torch.nn.functional.pad(coordinates, (0, self.rank - coordinates.shape[-1]))

    def eigen(self) -> tuple[Tensor, Tensor]:
        """Eigenvalues of T, descending, and eigenvectors as rows of coordinates."""
        return descending(self.small)

    def hopeful(self) -> tuple[Tensor, Tensor]:
        """The same of T + D."""
        return descending(self.small + self.doubt)

    def restart(self, first: Tensor, count: int) -> Tensor:
        """Rotate B to the span of `first` (m, b) and the top of M, `count` rows.

        Returns W (b, rows): coordinates c become c W. In float32 rows drift from orthonormal, and
        drift feeds on itself: the Gram matrix L L^T is taken out.
        """
        lower = torch.linalg.cholesky(dots(self.rows, self.rows.T))
        top = descending(lower.T @ self.small @ lower)[1]
        chosen = orthonormal(torch.cat([first @ lower, top]), count, 10 * self.roundoff)
        turn = torch.linalg.solve_triangular(lower.T, chosen.T, upper=True).T.to(self._buffer)
        columns = max(TURNED, min(PANEL, self._buffer.shape[1] // (2 * self.rank)))
        for begin in range(0, self._buffer.shape[1], columns):
            panel = self._buffer[:, begin : begin + columns]
            panel[: len(turn)] = turn @ panel[: self.rank]
        self.rank, turned = len(turn), lower @ chosen.T
        self.small, self.doubt, self.before = (
            turned.T @ matrix @ turned for matrix in (self.small, self.doubt, self.before)
        )
        return turned

    def state(self) -> dict[str, Tensor]:
        """B, T, D, and what they are along new rows."""
        new = torch.tensor([self.low, self.unknown], dtype=torch.float64, device="cpu")
        rows = self.rows.cpu().clone()
        return {"rows": rows, "small": self.small, "doubt": self.doubt, "new": new}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take up `state()` again. Raises InvalidInput: other, or too many, vectors."""
        most, n = self._buffer.shape
        if state["rows"].shape[1] != n or len(state["rows"]) > most:
            refuse(
                "tracker's state",
                f"{len(state['rows'])} vectors of {state['rows'].shape[1]} numbers",
                f"at most {most} vectors of {n}",
                "Restore what a tracker of the same model, k and memory gave, or start anew.",
            )
        small, doubt, (low, unknown) = state["small"], state["doubt"], state["new"].tolist()
        self.rank, self.small, self.doubt = len(state["rows"]), small, doubt
        self._buffer[: self.rank] = state["rows"].to(self._buffer)
        self.low, self.unknown = low, unknown


def dots(rows: Tensor, columns: Tensor) -> Tensor:
    """rows (b, n) times columns (n,) or (n, m), in float64 on the CPU.

    Panels are summed in float64: a float32 sum of 1e7 squares is 1e-4 to 4e-4 too small, and the
    eigenvalue of a vector that is not as long as it seems is wrong by twice that.
    """
    found = torch.zeros(len(rows), *columns.shape[1:], dtype=torch.float64, device=rows.device)
    for begin in range(0, rows.shape[1], PANEL):
        end = begin + PANEL
        found += (rows[:, begin:end] @ columns[begin:end]).double()
    return found.cpu()


def norm(vector: Tensor) -> float:
    """Euclidean norm of a vector (n,), by `dots`."""
    return _length(float(dots(vector[None], vector)), vector)


def noise(n: int, like: Tensor, generator: torch.Generator) -> Tensor:
    """A random unit vector (n,), of the dtype and on the device of `like`."""
    draw = torch.randn(n, generator=generator, dtype=like.dtype, device="cpu").to(like.device)
    return draw.div_(norm(draw))


def _length(square: float, vector: Tensor) -> float:
    """The root of |vector|^2, found anew where squares of entries may be below the dtype's range.

    In float32 from lengths of 1e-13 on: a loss that has saturated has such products.
    """
    kind = torch.finfo(vector.dtype)
    if square > len(vector) * kind.tiny / kind.eps:
        return square**0.5
    largest = float(vector.abs().max())
    return largest * norm(vector / largest) if largest > 0 else largest


def descending(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues of the symmetric part, descending, and eigenvectors as rows."""
    values, vectors = torch.linalg.eigh(0.5 * (matrix + matrix.T))
    return values.flip(0), vectors.flip(1).T


def orthonormal(rows: Tensor, count: int, roundoff: float) -> Tensor:
    """Gram-Schmidt on rows of coordinates, of length 1 at most, in order: `count` rows at most.

    Without those of which `roundoff` or less is left.
    """
    found = rows[:0]
    for row in rows:
        rest = row
        for _ in range(2):
            rest = rest - (found @ rest) @ found
        if len(found) < count and rest.norm() > roundoff:
            found = torch.cat([found, (rest / rest.norm())[None]])
    return found


def _secant(s: Tensor, change: Tensor) -> Tensor:
    """The smallest symmetric matrix that takes the unit vector s to `change` (Powell)."""
    return torch.outer(s, change) + torch.outer(change, s) - (s @ change) * torch.outer(s, s)
