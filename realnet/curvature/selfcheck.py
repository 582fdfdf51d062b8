"""Are the products derivatives of the gradient, and the gradient one of the loss?

Differences along one direction answer it, for two gradients. Where a derivative jumps (ReLU, max
pooling) they do not: in float32 a step long enough to be seen crosses kinks, and the gradient's
jumps there are no part of the Hessian that autograd means. Such a loss is taken if all of its
operations are torch's own, and refused if some are not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from linmodel.errors import InvalidInput
from realnet.curvature.graph import Survey
from realnet.curvature.objective import Objective
from realnet.curvature.parameters import unflatten
from realnet.curvature.secant import dots

Products = Callable[[Tensor], Tensor]
STEPS = {torch.float32: (1e-3, 5e-5), torch.float64: (1e-5, 1e-7)}  # of the parameters' norm
AGREES = 0.05  # a difference this close (relative) to what it is compared with
OF_ALL = {torch.float32: 5e-3, torch.float64: 1e-4}  # of the whole product: what a tensor may miss
SMOOTH = 0.25  # differences forward and backward this close: the gradient has a derivative
ROUNDINGS = 30.0  # epsilons by which a gradient or loss may be off


@dataclass(frozen=True, slots=True)
class Difference:
    """What one step along v shows; blocks are the tensors' indices."""

    wrong: frozenset[int]  # blocks in which the central difference is not the product
    smooth: frozenset[int]  # of these, where forward and backward difference agree
    slope: bool  # the loss changes as the gradient says
    flat: bool  # the loss does not change at all, although there is curvature
    still: bool  # nor does the gradient

    @property
    def passed(self) -> bool:
        return not self.wrong and self.slope


def verified(objective: Objective, loss: float, gradient: Tensor, survey: Survey) -> Products:
    """`objective.products`, of whose first call the first row is verified: it costs no product."""
    pending = [True]

    def products(vectors: Tensor) -> Tensor:
        images = objective.products(vectors)
        if pending:
            pending.clear()
            verify(objective, loss, gradient, vectors[0].to(objective.dtype), images[0], survey)
        return images

    return products


def verify(
    objective: Objective, loss: float, gradient: Tensor, v: Tensor, image: Tensor, survey: Survey
) -> None:
    """Raises InvalidInput where `image` is not H v: H the derivative of the loss's gradient.

    `loss` and `gradient` (n,) at the parameters as they are; `survey` of the loss's graph.
    """
    shown = []
    for relative in STEPS[objective.dtype]:
        difference = _step(objective, relative, loss, gradient, v, image)
        if difference is not None and difference.passed:
            return
        shown.append(difference)
    seen = [difference for difference in shown if difference is not None]
    if seen and all(difference.still for difference in seen):
        raise InvalidInput(
            "the loss does not change when the parameters do: loss_fn must compute it afresh from "
            "the model at every call."
        )
    if seen and not any(difference.slope for difference in seen) and all(d.flat for d in seen):
        raise InvalidInput(
            "the loss does not change along a step over which its gradient says that it does: it "
            f"is rounded away in {str(objective.stored)[6:]} (a loss that has saturated, at "
            f"{loss:.3g}), or the gradient is not the loss's.{_of_whom(survey)} Convert a copy: "
            "model.double()."
        )
    if seen and not any(difference.slope for difference in seen):
        raise InvalidInput(
            "the gradient is not the loss's: the loss changes otherwise than its gradient says."
            f"{_of_whom(survey)}{_of_rounding(objective)}"
        )
    lost = frozenset[int].intersection(*(difference.smooth for difference in seen)) if seen else ()
    if lost and not (survey.jumps and not survey.own):
        names = ", ".join(objective.names[i] for i in sorted(lost)[:5])
        raise InvalidInput(
            f"Hessian-vector products are not the derivative of the gradient (in {names}): an "
            f"operation drops its second-order terms, or a hook on an activation changes "
            f"them.{_of_whom(survey)} product='difference' needs no second derivative."
        )
    if survey.own:
        raise InvalidInput(
            "Hessian-vector products cannot be verified: the gradient jumps, and the loss holds "
            f"what is not torch's own.{_of_whom(survey)} In float64 (model.double()) jumps are "
            "rarely met, and the check can tell."
        )


def _of_rounding(objective: Objective) -> str:
    if objective.dtype == torch.float64:
        return ""
    return " Where the loss is near zero this is float32's rounding: track model.double()."


def _of_whom(survey: Survey) -> str:
    return f" Look at: {', '.join(sorted(survey.own))}." if survey.own else ""


def _step(
    objective: Objective, relative: float, loss: float, gradient: Tensor, v: Tensor, image: Tensor
) -> Difference | None:
    """None where the loss is not finite a step away."""
    size = math.hypot(*(float(p.detach().norm()) for p in objective.params)) or 1.0
    h = relative * size / float(v.norm())
    ahead, after = _at(objective, v, h)
    behind, before = _at(objective, v, -h)
    if not all(bool(torch.isfinite(found).all()) for found in (after, before)):
        return None
    eps = torch.finfo(objective.dtype).eps
    roundoff = ROUNDINGS * eps * float(gradient.norm() + after.norm()) / (2 * h)
    floor = OF_ALL[objective.dtype] * float(image.norm()) + roundoff
    wrong, smooth, moved = set(), set(), False
    parts = (unflatten(x, objective.params) for x in (before, gradient, after, image))
    for i, (behind_it, here, ahead_of_it, expected) in enumerate(zip(*parts, strict=True)):
        c = (ahead_of_it - behind_it) / (2 * h)
        moved |= bool(c.any())
        scale = float(torch.maximum(c.norm(), expected.norm()))
        if float((c - expected).norm()) > AGREES * scale + floor:
            wrong.add(i)
            bend = (ahead_of_it - here) / h - (here - behind_it) / h  # forward less backward
            if float(bend.norm()) <= SMOOTH * float(c.norm()):
                smooth.add(i)
    slopes = [float(dots(x[None], v)) for x in (before, gradient, after)]
    integral = h / 3 * (slopes[0] + 4 * slopes[1] + slopes[2])  # Simpson's rule
    allowed = 2 * AGREES * h * sum(abs(slope) for slope in slopes)
    allowed += ROUNDINGS * eps * (abs(loss) + abs(ahead))
    flat = ahead == behind == loss and bool(image.any())
    slope = abs(ahead - behind - integral) <= allowed
    still = flat and not moved
    return Difference(frozenset(wrong), frozenset(smooth), slope, flat, still)


def _at(objective: Objective, v: Tensor, h: float) -> tuple[float, Tensor]:
    with _lent(objective, v, h):
        return objective.gradient()


@contextmanager
def _lent(objective: Objective, v: Tensor, h: float) -> Iterator[None]:
    """Other memory in place of the parameters' own, so that graphs of the point itself stay."""
    own = [p.data for p in objective.params]
    try:
        pieces = unflatten(v, objective.params)
        for p, here, piece in zip(objective.params, own, pieces, strict=True):
            p.data = here + h * piece
        yield
    finally:
        for p, here in zip(objective.params, own, strict=True):
            p.data = here
