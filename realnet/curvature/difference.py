"""Hessian products by differences of gradients, for losses that have no second derivative in torch.

    H v = (g(w + h v) - g(w - h v)) / ((w+ - w-) . v),    |v| = 1

w+ and w- are w + h v and w - h v as the parameters' dtype rounds them: dividing by how far they
are apart along v, not by 2 h, takes the rounding of the parameters out of v^T H v to first order.
What is left of it is |H| d^2, d the part of (w+ - w-) / 2 h across v, about eps |w| / h.
Truncation, of the third derivative along v, grows as h^2; the gradient's own rounding falls as
1 / h. Both are measured: by the same difference at h / 2 and 2 h (`doubts`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from linmodel.errors import InvalidInput
from realnet.curvature.parameters import flatten
from realnet.curvature.secant import dots, norm

STEPS = {  # h over |w|: near the cube root of epsilon, lower where the third derivative is large
    torch.float64: 1e-5,
    torch.float32: 1e-3,
    torch.float16: 2e-2,
    torch.bfloat16: 5e-2,
}
SLOPE = 0.1  # of the slopes' sum: what the loss may change otherwise than its gradient says
ROUNDINGS = 30.0  # epsilons by which a loss may be off


class Differentiable(Protocol):
    """What is needed of the objective."""

    params: list[Tensor]
    stored: torch.dtype
    dtype: torch.dtype

    def gradient(self) -> tuple[float, Tensor]: ...

    def write(self, point: Tensor) -> None: ...


@dataclass(frozen=True, slots=True)
class Stepped:
    """H v; h; losses and slopes at w - h v and w + h v; d: how far the direction was off v."""

    image: Tensor
    h: float
    losses: tuple[float, float]
    slopes: tuple[float, float]
    off: float


def difference(objective: Differentiable, row: Tensor, factor: float = 1.0) -> Stepped:
    """H v by one central difference at `factor` times the dtype's step; the parameters come back.

    Raises InvalidInput: gradients that are not finite a step away, a step that rounding swallows.
    """
    length = norm(row)
    if not length > 0:
        return Stepped(torch.zeros_like(row), 0.0, (0.0, 0.0), (0.0, 0.0), 0.0)
    v = row / length
    with _lent(objective) as here:
        h = factor * step(objective, here)
        behind, before, low = _at(objective, here - h * v)
        ahead, after, high = _at(objective, here + h * v)
    moved = high.sub_(low)
    along = float(dots(moved[None], v))
    if not bool(torch.isfinite(after).all() and torch.isfinite(before).all()):
        raise InvalidInput(
            f"the gradient is not finite at a step of {h:.3g} from the parameters, so that "
            "differences give no product. Lower the step size, or look at the data for NaN."
        )
    if not along > h:
        raise InvalidInput(
            f"a step of {h:.3g} is lost in the rounding of {objective.stored} parameters. Convert "
            "a copy: model.float()."
        )
    off = max(norm(moved) ** 2 / along**2 - 1.0, 0.0) ** 0.5
    slopes = float(dots(before[None], v)), float(dots(after[None], v))
    return Stepped(after.sub_(before).mul_(length / along), h, (behind, ahead), slopes, off)


def step(objective: Differentiable, here: Tensor | None = None) -> float:
    """h: the step's length in parameter space."""
    point = flatten(objective.params).to(objective.dtype) if here is None else here
    return STEPS[objective.stored] * (norm(point) or 1.0)


def refuse_other_slope(
    objective: Differentiable, loss: float, gradient: Tensor, v: Tensor, seen: Stepped
) -> None:
    """Raises InvalidInput where the loss changes otherwise than its gradient says (Simpson's rule).

    `loss` and `gradient` (n,) at the parameters; `seen` is the step along v.
    """
    slopes = [seen.slopes[0], float(dots(gradient[None], v)) / norm(v), seen.slopes[1]]
    integral = seen.h / 3 * (slopes[0] + 4 * slopes[1] + slopes[2])
    allowed = SLOPE * seen.h * sum(abs(slope) for slope in slopes)
    allowed += ROUNDINGS * torch.finfo(objective.stored).eps * sum(map(abs, (loss, *seen.losses)))
    if abs(seen.losses[1] - seen.losses[0] - integral) > allowed:
        raise InvalidInput(
            "the gradient is not the loss's: the loss changes otherwise than its gradient says, "
            f"over a step of {seen.h:.3g}. Look for a hook or an operation of your own that "
            "changes gradients; among weights of unlike sizes the step may be too long for some."
        )


def doubts(objective: Differentiable, values: Tensor, vectors: Tensor) -> Tensor:
    """How far differences may have put eigenvalues (k,) of eigenvectors (k, n) off, (k,).

    |v^T H_2h v - value| + |v^T H_h/2 v - value| + |value| d^2: the first is three times the
    truncation, the second twice the gradient's rounding where rounding is what matters, the last
    the rounding of the parameters. Four gradients a pair. What is narrower than h in a direction
    that was not found is not seen.
    """
    found = []
    for value, v in zip(values.tolist(), vectors, strict=True):
        half, twice = (difference(objective, v, factor) for factor in (0.5, 2.0))
        other = [float(dots(each.image[None], v)) for each in (half, twice)]
        found.append(sum(abs(each - value) for each in other) + abs(value) * half.off**2)
    return torch.tensor(found, dtype=torch.float64, device="cpu")


def refuse_doubtful(
    objective: Differentiable, values: Tensor, off: Tensor, tolerance: float
) -> None:
    """Raises InvalidInput where eigenvalues may be off by more than the tolerance asked."""
    size = max(float(values.abs().max()), 1e-300)
    if not float(off.max()) <= tolerance * size:
        raise InvalidInput(
            f"differences of {objective.stored} gradients, at a step of {step(objective):.3g}, may "
            f"put the eigenvalues off by {float(off.max()) / size:.2g} of the largest, and "
            f"tolerance is {tolerance:g}. Ask for less (tolerance=), convert a copy to a wider "
            "dtype (model.float(), model.double()), or, where the loss has kinks or a second "
            "derivative, pass product='autograd'."
        )


def _at(objective: Differentiable, point: Tensor) -> tuple[float, Tensor, Tensor]:
    """Loss, gradient, and where the parameters are after rounding."""
    objective.write(point)
    loss, gradient = objective.gradient()
    return loss, gradient, flatten(objective.params).to(objective.dtype)


@contextmanager
def _lent(objective: Differentiable) -> Iterator[Tensor]:
    """The parameters (n,), to be written over: copies put them back, whatever happens."""
    own = [p.detach().clone() for p in objective.params]
    try:
        yield flatten(own).to(objective.dtype)
    finally:
        with torch.no_grad():
            for p, here in zip(objective.params, own, strict=True):
                p.copy_(here)
