"""How much later than the flow the toy's descent reaches the edge (S1: they differ by O(eta)).

A step of the toy must last as long as the network's, and its 2/eta be the same: both only where
time_scale x sharpness_scale = 1 (M10), so everything here is for a toy fitted with one scale.
"""

from __future__ import annotations

import math

import numpy as np

from linmodel.descent import gradient_descent
from linmodel.errors import InvalidInput
from linmodel.problem import Array, OpposingSignals
from realnet.bridge.curve import rise_time
from realnet.bridge.toy import ToyParameters

# Descent is followed for this many times the flow's time to the edge, and this many steps at most.
PATIENCE = 3.0
MOST_STEPS = 20_000


def descent_curve(toy: ToyParameters, step_size: float, end: float) -> tuple[Array, Array, str]:
    """Times, sharpness (real units) and status of the toy's descent at real `step_size`, to `end`
    or MOST_STEPS steps. Raises InvalidInput for a toy with two scales."""
    if not math.isclose(toy.time_scale * toy.sharpness_scale, 1, rel_tol=1e-6):
        raise InvalidInput(
            f"time_scale x sharpness_scale is {toy.time_scale * toy.sharpness_scale:.4g}; allowed:"
            " 1 for descent: a step would not last as long as the network's. Fit with scales=1."
        )
    steps = max(math.ceil(min(end / step_size, MOST_STEPS)), 1)
    problem = OpposingSignals(toy.alpha, toy.beta_norm, toy.k)
    path = gradient_descent(problem, toy.start, step_size / toy.time_scale, steps)
    sharpness = toy.sharpness_scale * path.sharpness.values
    return path.time.values * toy.time_scale, sharpness, path.attrs["status"]


def descent_lags(toy: ToyParameters, flow_edges: Array, etas: Array, small: float | None) -> Array:
    """How much later the toy's descent at each eta reaches 2/eta than the run at step size `small`
    does, (m,), real time; small = None: than the flow, at `flow_edges`.

    NaN where the flow or a descent does not cross, or needs more than MOST_STEPS steps.
    """
    lags = np.full(len(etas), np.nan)
    for i, (eta, edge) in enumerate(zip(etas, flow_edges, strict=True)):
        if not math.isfinite(edge):
            continue
        here = edge if small is None else _descent_edge(toy, small, 2 / eta, edge)
        lags[i] = _descent_edge(toy, eta, 2 / eta, edge) - here
    return lags


def _descent_edge(toy: ToyParameters, eta: float, level: float, flow_edge: float) -> float:
    """Real time at which the toy's descent at step size `eta` rises through `level`."""
    end = PATIENCE * flow_edge
    if not 0 < end / eta <= MOST_STEPS:
        return math.nan
    time, sharpness, _ = descent_curve(toy, float(eta), end)
    return rise_time(time, sharpness, level)
