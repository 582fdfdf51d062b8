"""G9, G10: the curvature above which a minimum is linearly unstable, for each optimiser.

They are theorems about the linearised iteration at a minimum, in exact arithmetic. A run may
diverge before it comes near one: with momentum 0.9 it often does where an edge alone would let it
settle (docs/theory.md).
"""

from __future__ import annotations

from dataclasses import replace

from linmodel import thresholds
from linmodel.arguments import typed
from linmodel.bounds import largest_stable_step
from linmodel.errors import InvalidInput
from linmodel.network.optimisers import (
    Adam,
    Clipped,
    GradientDescent,
    HeavyBall,
    Nesterov,
    Optimiser,
    PlainSharpnessAware,
)
from linmodel.problem import OpposingSignals


@typed
def edge(optimiser: Optimiser) -> float:
    """The largest curvature at which a minimum is linearly stable.

    2/eta for descent and its clipped form; heavy ball 2 (1 + m)/eta; Nesterov
    2 (1 + m)/((1 + 2m) eta); SAM without normalisation (sqrt(1 + 8 r/eta) - 1)/(2 r);
    Adam 2 (1 + b1)/((1 - b1) eta), of the Hessian preconditioned by its (frozen) scales.

    Raises InvalidInput for an optimiser without a linear edge (normalised SAM).
    """
    eta = optimiser.step_size
    match optimiser:
        case HeavyBall(momentum=m):
            return thresholds.heavy_ball(eta, m)
        case Nesterov(momentum=m):
            return thresholds.nesterov(eta, m)
        case Adam(beta1=m):
            return thresholds.adam(eta, m)
        case PlainSharpnessAware(radius=r):
            return thresholds.sam(thresholds.descent(eta), r)
        case GradientDescent() | Clipped():
            return thresholds.descent(eta)
    raise InvalidInput(f"{type(optimiser).__name__} has no linear edge: at a minimum its step is "
                       "not differentiable. Use PlainSharpnessAware.")  # fmt: skip


@typed
def largest_step(problem: OpposingSignals, optimiser: Optimiser) -> float:
    """G3 for other optimisers: no minimum is stable at a larger step size, settings kept.

    With S = 2/eta* the least sharpness of a minimum: edge(eta) >= S. Its own step size is not used.

    Raises InvalidInput when beta_norm = 0, for Adam (it depends on the scales) and as `edge`.
    """
    least = 2 / largest_stable_step(problem)
    if isinstance(optimiser, Adam):
        raise InvalidInput("Adam's largest step depends on its scales, not on the problem alone: "
                           "compare edge(optimiser) with the preconditioned Hessian.")  # fmt: skip
    if isinstance(optimiser, PlainSharpnessAware):
        return 2 / (least * (1 + optimiser.radius * least))
    return edge(replace(optimiser, step_size=1.0)) / least
