"""Where eigenvectors are going: in a slow phase of training, straight on.

The error of a Rayleigh quotient is the square of its vector's, so going straight on instead of
standing still makes a first guess that often is accurate enough.
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

    def guess(self) -> Tensor | None:
        """The next vectors, rows (k, n), orthonormal; None where standing still was better."""
        return self._next if self._steady else None

    def learn(self, found: Tensor) -> None:
        """Note the vectors (k, n), orthonormal rows, that came out."""
        last, ahead = self._last, self._next
        self._last, self._next, self._steady = found, None, False
        if last is None or last.shape != found.shape:
            return
        self._next = _straight_on(last, found)
        if ahead is not None:
            self._steady = _distance(found, ahead) < _distance(found, last)

    def state(self) -> dict[str, Tensor]:
        """What the next guess depends on."""
        state = {"steady": torch.tensor(self._steady, device="cpu")}
        for name, value in (("last", self._last), ("next", self._next)):
            if value is not None:
                state[name] = value.cpu()
        return state

    def restore(self, state: dict[str, Tensor], device: torch.device) -> None:
        """Take up `state()` again."""
        self._steady = bool(state["steady"])
        self._last, self._next = (
            state[name].to(device) if name in state else None for name in ("last", "next")
        )


def _straight_on(last: Tensor, found: Tensor) -> Tensor | None:
    """2 found - last, with last turned within its span to lie closest to found; orthonormal."""
    left, cosines, right = torch.linalg.svd(found @ last.T)
    if float(cosines.min()) < 0.5:
        return None
    ahead = 2.0 * found - left @ right @ last
    return torch.linalg.qr(ahead.T)[0].T.contiguous()


def _distance(found: Tensor, span: Tensor) -> float:
    """Norm of the part of `found` that is outside of the span of orthonormal rows."""
    return float((found - (found @ span.T) @ span).norm())
