"""The two-layer linear model of opposing signals: flow, descent, sharpness, bounds, sweeps."""

import linmodel.interrupt  # noqa: F401  first: signals during the other imports are one line, too
from linmodel.closed_form import closed_form
from linmodel.data import Samples, draw
from linmodel.descent import gradient_descent
from linmodel.errors import FlowFailed, InvalidInput
from linmodel.flow import gradient_flow
from linmodel.landscape import (
    Spectrum,
    gradient,
    group_losses,
    hessian_spectrum,
    loss,
    opposing_curvature,
    sharpness,
    velocity,
)
from linmodel.problem import OpposingSignals, State
from linmodel.reduction import (
    Frame,
    Parameters,
    expand,
    reduce,
    standard_parameters,
    standard_state,
)
from linmodel.sweeps.run import sweep

__all__ = [
    "FlowFailed",
    "Frame",
    "InvalidInput",
    "OpposingSignals",
    "Parameters",
    "Samples",
    "Spectrum",
    "State",
    "closed_form",
    "draw",
    "expand",
    "gradient",
    "gradient_descent",
    "gradient_flow",
    "group_losses",
    "hessian_spectrum",
    "loss",
    "opposing_curvature",
    "reduce",
    "sharpness",
    "standard_parameters",
    "standard_state",
    "sweep",
    "velocity",
]
