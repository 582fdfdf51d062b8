"""The products of one evaluation, and the Ritz pairs that they give."""

from __future__ import annotations

import torch
from torch import Tensor

from realnet.curvature.secant import SecantModel, descending

NEW = 0.1  # of a vector must be outside of what was measured: less is mostly roundoff


class Measured:
    """Orthonormal inputs s and images y = H s, in coordinates of the secant model.

    asymmetry: the largest |s^T H s' - s'^T H s| seen.
    """

    def __init__(self, model: SecantModel) -> None:
        self.model = model
        self.asymmetry = 0.0
        self._turned = 0  # pairs from before a rotation, which cuts off the least of images
        self._s = self._y = torch.zeros(0, model.rank, dtype=torch.float64, device="cpu")
        self._found: tuple[Tensor, Tensor, Tensor] | None = None

    def __len__(self) -> int:
        return len(self._s)

    def add(self, s: Tensor, image: Tensor) -> None:
        """Note s (coordinates, a unit vector orthogonal to earlier ones) and H s (n,)."""
        self._note(s, self.model.express(image))  # the image is overwritten

    def _note(self, s: Tensor, y: Tensor) -> None:
        earlier, s, y = self.coordinates(), self.model.padded(s), self.model.padded(y)
        self.compare(s, y)
        self._s, self._y = torch.cat([earlier[0], s[None]]), torch.cat([earlier[1], y[None]])
        self._found = None
        self.model.learn(s, y)

    def add_outside(self, direction: Tensor, image: Tensor) -> None:
        """Note of a vector (coordinates) and its image (n,) what is orthogonal to earlier ones."""
        y = self.model.express(image)
        earlier, images = self.coordinates()
        s, y = self.model.padded(direction), self.model.padded(y)
        size = float(s.norm())
        for _ in range(2):
            part = earlier @ s
            s, y = s - part @ earlier, y - part @ images
        left = float(s.norm())
        if left > NEW * size:
            self._note(s / left, y / left)

    def compare(self, s: Tensor, y: Tensor) -> None:
        """Hold a vector and its image against earlier ones; y's part in the span is enough."""
        earlier, images = (rows[self._turned :] for rows in self.coordinates())
        if len(earlier):
            differ = float((earlier @ y - images @ s).abs().max())
            self.asymmetry = max(self.asymmetry, differ)

    def coordinates(self) -> tuple[Tensor, Tensor]:
        """s and y as rows of coordinates, shapes (m, b)."""
        self._s, self._y = self.model.padded(self._s), self.model.padded(self._y)
        return self._s, self._y

    def ritz(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """The top Ritz values, descending; vectors, as rows of coordinates; residuals, likewise."""
        if self._found is None:
            s, y = self.coordinates()
            values, weights = descending(s @ y.T)
            vectors = weights @ s
            self._found = values, vectors, weights @ y - values[:, None] * vectors
        values, vectors, residuals = self._found
        vectors, residuals = (self.model.padded(rows[:count]) for rows in (vectors, residuals))
        return values[:count], vectors, residuals

    def last(self) -> float:
        """s^T H s of the last product."""
        s, y = self.coordinates()
        return float(s[-1] @ y[-1])

    def scale(self) -> float:
        """The largest absolute Ritz value."""
        return max(self.ritz(len(self))[0].abs().tolist(), default=0.0)

    def outside(self, direction: Tensor) -> Tensor | None:
        """The unit vector along `direction`, made orthogonal to s; None where nothing is left."""
        direction = self.model.padded(direction)
        size = direction.norm()
        s, _ = self.coordinates()
        for _ in range(2):
            direction = direction - (s @ direction) @ s
        left = direction.norm()
        return None if left <= 1e-6 * size else direction / left

    def pairs(self, least: int, others: Tensor, room: int, roundoff: float) -> Tensor:
        """The top Ritz vectors x, then their images, as rows of coordinates.

        As many, from `least` on, as have a span, with the rows `others`, of at most `room` rows:
        of a Krylov space all residuals are parallel, so that they count as one.
        """
        values, vectors, residuals = self.ritz(len(self))
        count, small = min(least, len(self)), residuals / max(self.scale(), 1e-300)
        while count < len(self):
            span = torch.cat([vectors[: count + 1], small[: count + 1], others])
            if int((torch.linalg.svdvals(span) > roundoff).sum()) > room:
                break
            count += 1
        values, vectors, residuals = self.ritz(count)
        return torch.cat([vectors, values[:, None] * vectors + residuals])

    def take(self, pairs: Tensor) -> None:
        """Forget all but these pairs, whose coordinates have been rotated; x orthonormal again."""
        self._found = None
        x, y = pairs.chunk(2)
        lower = torch.linalg.cholesky(x @ x.T)
        self._s, self._y = (
            torch.linalg.solve_triangular(lower, part, upper=False) for part in (x, y)
        )
        self._turned = len(self._s)
