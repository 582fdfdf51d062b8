"""Where eigenvectors are going: in a slow phase of training, straight on.

The error of a Rayleigh quotient is the square of its vector's, so going straight on instead of
standing still makes a first guess that often is accurate enough. Vectors are rows of coordinates
in an orthonormal basis which may gain rows (zeros are added) and be rotated (`turn`).
"""

from __future__ import annotations

import torch
from torch import Tensor


class Trend:
    """Linear extrapolation of k orthonormal vectors, offered once it would have been the better."""

    def __init__(self) -> None:
        self._last: Tensor | None = None
        self._next: Tensor | None = None
        self._steady = False

    @property
    def last(self) -> Tensor | None:
        """The vectors (k, b) that came out last."""
        return self._last

    def guess(self) -> Tensor | None:
        """The next vectors, rows (k, b), orthonormal; None where standing still was better."""
        return self._next if self._steady else None

    def learn(self, found: Tensor) -> None:
        """Note the vectors (k, b), orthonormal rows, that came out."""
        last, ahead = _padded(self._last, found), _padded(self._next, found)
        self._last, self._next, self._steady = found, None, False
        if last is None or last.shape != found.shape:
            return
        self._next = _straight_on(last, found)
        if ahead is not None:
            self._steady = _distance(found, ahead) < _distance(found, last)

    def turn(self, turned: Tensor) -> None:
        """Coordinates c become c W, W (b, rows)."""
        self._last, self._next = (
            None if rows is None else _orthonormal(_padded(rows, turned.T) @ turned)
            for rows in (self._last, self._next)
        )

    def state(self) -> dict[str, Tensor]:
        """What the next guess depends on."""
        state = {"steady": torch.tensor(self._steady, device="cpu")}
        for name, value in (("last", self._last), ("next", self._next)):
            if value is not None:
                state[name] = value
        return state

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take up `state()` again."""
        self._steady = bool(state["steady"])
        self._last, self._next = state.get("last"), state.get("next")


def _padded(rows: Tensor | None, like: Tensor) -> Tensor:
    if rows is None:
        return None  # type: ignore[return-value]
    return torch.nn.functional.pad(rows, (0, like.shape[1] - rows.shape[1]))


def _orthonormal(rows: Tensor) -> Tensor:
    return torch.linalg.qr(rows.T)[0].T.contiguous()


def _straight_on(last: Tensor, found: Tensor) -> Tensor | None:
    """2 found - last, with last turned within its span to lie closest to found; orthonormal."""
    left, cosines, right = torch.linalg.svd(found @ last.T)
    if float(cosines.min()) < 0.5:
        return None
    return _orthonormal(2.0 * found - left @ right @ last)


def _distance(found: Tensor, span: Tensor) -> float:
    """Norm of the part of `found` that is outside of the span of orthonormal rows."""
    return float((found - (found @ span.T) @ span).norm())
