"""Has the point moved much farther than it usually does? Then the change is abrupt, seen or not.

A step size that was raised, weights that were loaded, a kick: products with known vectors and with
the probe may show nothing of a new top. The distance since the last evaluation is held against the
largest of the last RECENT ones; of SAMPLED entries at most, evenly spaced over all tensors.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

JUMP = 20.0  # times the usual: more than between evaluations at decades of steps
RECENT = 3
SAMPLED = 4096


class Jump:
    """Where the last evaluation was, and how far apart the last ones were."""

    def __init__(self) -> None:
        self._point = torch.zeros(0, dtype=torch.float64, device="cpu")
        self._recent = torch.zeros(0, dtype=torch.float64, device="cpu")

    def far(self, params: Sequence[Tensor]) -> bool:
        """Whether the parameters are JUMP times farther from the last point than usual."""
        moved = self._moved(_sample(params))
        return len(self._recent) > 0 and moved > JUMP * float(self._recent.max())

    def learn(self, params: Sequence[Tensor]) -> None:
        """Note where an evaluation was; standing still teaches nothing."""
        now = _sample(params)
        moved = self._moved(now)
        if moved > 0:
            self._recent = torch.cat([self._recent, self._recent.new_tensor([moved])])[-RECENT:]
        self._point = now

    def state(self) -> dict[str, Tensor]:
        """What the next answer depends on."""
        return {"point": self._point, "recent": self._recent}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take up `state()` again. Raises what reading another thing raises, and ValueError."""
        point, recent = (state[name].double().cpu() for name in ("point", "recent"))
        if not bool(torch.isfinite(torch.cat([point, recent])).all()):
            raise ValueError("a distance that is not finite")
        self._point, self._recent = point, recent

    def _moved(self, now: Tensor) -> float:
        return float((now - self._point).norm()) if len(self._point) == len(now) else 0.0


def _sample(params: Sequence[Tensor]) -> Tensor:
    stride = -(-sum(p.numel() for p in params) // SAMPLED)
    found = [p.detach().reshape(-1)[::stride].double().cpu() for p in params]
    return torch.cat(found)
