"""The two-layer linear model of opposing signals: exact flow, descent, sharpness, bounds, sweeps."""

from linmodel.errors import InvalidInput
from linmodel.landscape import hessian_spectrum, loss, sharpness
from linmodel.problem import OpposingSignals, State

__all__ = ["InvalidInput", "OpposingSignals", "State", "hessian_spectrum", "loss", "sharpness"]
