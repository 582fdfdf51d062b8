"""F14: balanced deep linear networks, f = c^m (b.x + b_o.x_o) with m = depth - 1."""

from __future__ import annotations

import numpy as np

from linmodel.arguments import typed
from linmodel.assumptions import arrays
from linmodel.errors import integer
from linmodel.problem import Array, OpposingSignals, State


@typed
def deep_velocity(problem: OpposingSignals, state: State, depth: int) -> tuple[Array, ...]:
    """(c', epsilon', n', o') of the flow of depth L = m + 1, in the reduced state (F14).

    c' = c^(m-1) (epsilon v - c^m (n^2 + alpha o^2)), epsilon' = c^m v, n' = -c^(2m) n,
    o' = -alpha c^(2m) o, v = B - c^m epsilon; the opposing curvature is alpha c^(2m). Depth 2 is
    the model. Shape of the batch. Raises InvalidInput unless depth is a whole number >= 2.
    """
    m = integer("depth", depth, low=2) - 1
    c, epsilon, n, o = arrays(state)
    chain = c**m
    missing = problem.beta_norm - chain * epsilon
    drive = epsilon * missing - chain * (n**2 + problem.alpha * o**2)
    rates = c ** (m - 1) * drive, chain * missing, -(chain**2) * n, -problem.alpha * chain**2 * o
    return tuple(np.asarray(rate) for rate in rates)
