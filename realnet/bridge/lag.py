"""How much later than the flow the toy's descent reaches the edge (S1: they differ by O(eta))."""

from __future__ import annotations

import math

import numpy as np

from linmodel.descent import gradient_descent
from linmodel.problem import Array, OpposingSignals
from realnet.bridge.curve import rise_time
from realnet.bridge.toy import start_of

# Descent is followed for this many times the flow's time to the edge, and this many steps at most.
PATIENCE = 3.0
MOST_STEPS = 20_000


def lagged_edges(
    values: dict[str, float], flow_edges: Array, etas: Array, small: float | None
) -> Array:
    """Edge times of the toy's descent at `etas`, (m,), from those of the fitted flow; real units.

    The fitted curve is that of a run at step size `small`, which lags as well:
    edge = flow's + (descent's at eta - descent's at small), both through 2/eta. small = None: the
    fitted curve is taken for the flow itself. NaN where the flow or a descent does not cross, or
    where descent would need more than MOST_STEPS steps.
    """
    edges = np.full(len(etas), np.nan)
    for i, (eta, flow_edge) in enumerate(zip(etas, flow_edges, strict=True)):
        if not math.isfinite(flow_edge):
            continue
        there = _descent_edge(values, float(eta), float(eta), float(flow_edge))
        here = flow_edge
        if small is not None:
            here = _descent_edge(values, small, float(eta), float(flow_edge))
        edges[i] = flow_edge + there - here
    return edges


def _descent_edge(
    values: dict[str, float], eta: float, level_eta: float, flow_edge: float
) -> float:
    """Real time at which the toy's descent at step size `eta` rises through 2/level_eta.

    The toy's step size is eta x sharpness_scale, so that its edge lies at the network's 2/eta.
    """
    toy_eta = eta * values["sharpness_scale"]
    steps = PATIENCE * flow_edge / values["time_scale"] / toy_eta
    if not 0 < steps <= MOST_STEPS:
        return math.nan
    problem = OpposingSignals(values["alpha"], values["beta_norm"], values["k"])
    start = start_of(values["k"], values["aligned_share"])
    path = gradient_descent(problem, start, toy_eta, math.ceil(steps))
    sharpness = values["sharpness_scale"] * path.sharpness.values
    return rise_time(path.time.values * values["time_scale"], sharpness, 2 / level_eta)
