"""The toy's flow as a family of curves: parameters, bounds, and a fast evaluation.

The curve of sharpness against time depends on alpha, B, the initial state and two scales:
    sharpness_real(t) = sharpness_scale * sharpness_toy(t / time_scale).
M10 (s -> r s, B -> r^2 B, t -> t/r^2, Hessian -> r^2 Hessian) makes one of them redundant: c0 = 1
is fixed, as in the standard initialisation. The initial norms are those that it has on average,
|b0|^2 + |b_o0|^2 = 1 and o0^2 = k / (1 + k), so kappa = 0; `aligned_share` is epsilon0 / |b0|.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np

from linmodel.errors import FlowFailed, real
from linmodel.flow import gradient_flow
from linmodel.kernels.flow import flow_sharpness
from linmodel.kernels.packing import pack
from linmodel.problem import Array, OpposingSignals, State


@dataclass(frozen=True)
class ToyParameters:
    """alpha, B and k of the toy, epsilon0/|b0|, and real units per toy unit; all > 0.

    Raises InvalidInput.
    """

    alpha: float
    beta_norm: float
    k: float
    aligned_share: float
    sharpness_scale: float = 1.0
    time_scale: float = 1.0

    def __post_init__(self) -> None:
        for name, value in self.as_dict().items():
            object.__setattr__(self, name, real(name, value, above=0))

    @property
    def start(self) -> State:
        """The standard initial state with typical norms."""
        return start_of(self.k, self.aligned_share)

    @property
    def final_sharpness(self) -> float:
        """F5 in real units: scale x max(alpha c^2, c^2 + B^2/c^2) at c^2 = B (kappa = 0)."""
        return self.sharpness_scale * max(self.alpha, 2.0) * self.beta_norm

    def as_dict(self) -> dict[str, float]:
        """The six numbers by name, in the order of PARAMETERS."""
        return {name: getattr(self, name) for name in PARAMETERS}


PARAMETERS = tuple(field.name for field in fields(ToyParameters))
LONG_NAMES = {
    "alpha": ("magnitude of the opposing signal, alpha", "1"),
    "beta_norm": ("strength of the signal, B (at c0 = 1)", "1"),
    "k": ("pervasiveness of the opposing signal, k", "1"),
    "aligned_share": ("epsilon0 / |b0|, share of b along beta at the start", "1"),
    "sharpness_scale": ("real sharpness per unit of toy sharpness", "curvature"),
    "time_scale": ("real time per unit of toy time", "step size x step"),
}
# The toy's own parameters; the two scales' bounds depend on the curve.
BOUNDS = {
    "alpha": (1.0, 1e6),
    "beta_norm": (0.05, 1e3),
    "k": (1e-3, 1e3),
    "aligned_share": (1e-5, 0.999),
}


def start_of(k: float, aligned_share: float) -> State:
    """Standard initial state with typical norms: c0 = 1, |b0|^2 = 1/(1+k), o0^2 = k/(1+k)."""
    length = (1 + k) ** -0.5
    across = math.sqrt(max(0.0, 1 - aligned_share**2))
    return State(1.0, aligned_share * length, across * length, math.sqrt(k / (1 + k)))


def drawn_start(k: float, aligned_share: float, d1: int, rng: np.random.Generator) -> State:
    """As `start_of`, with the norms of n and o drawn from the standard initialisation's law."""
    typical = start_of(k, aligned_share)
    d2 = max(1, round(k * d1))
    n_square = rng.chisquare(max(1, d1 - 1)) / (d1 + d2)
    return State(
        1.0, typical.epsilon, math.sqrt(n_square), math.sqrt(rng.chisquare(d2) / (d1 + d2))
    )


def flow_curves(table: Array, times: Array, starts: Array | None = None) -> Array:
    """The toys' sharpness in real units at real `times` (increasing, >= 0), shape (toys, times).

    table   (toys, 6), columns in the order of PARAMETERS
    starts  (toys, 4): c0, epsilon0, n0, o0 in place of the typical initial states
    By the compiled kernel of the sweeps (relative error below 1e-8), many toys at once; where it
    hands one back, by `gradient_flow`; NaN where that fails too. Needs c0 > 0, epsilon0 >= 0 (F1).
    """
    alpha, beta_norm, k, share, sharpness_scale, time_scale = table.T
    if starts is None:
        length = (1 + k) ** -0.5
        across = np.sqrt(np.maximum(0.0, 1 - share**2))
        starts = np.stack([0 * k + 1, share * length, across * length, np.sqrt(k / (1 + k))], 1)
    end = float(times[-1])
    found = np.empty((len(table), len(times)))
    status = np.zeros(len(table), np.int64)
    c, epsilon, n, o = starts.T
    cells = pack(alpha, beta_norm, c, epsilon, n, o, end / time_scale)
    flow_sharpness(*cells, np.ascontiguousarray(times / end), found, status)
    for i in np.flatnonzero((status != 0) | ~np.isfinite(found).all(axis=1)):
        found[i] = _slow(ToyParameters(*table[i]), State(*starts[i]), times)
    return found * sharpness_scale[:, None]


def _slow(each: ToyParameters, start: State, times: Array) -> Array:
    problem = OpposingSignals(each.alpha, each.beta_norm, each.k)
    try:
        return gradient_flow(problem, start, times / each.time_scale).sharpness.values
    except (FlowFailed, ArithmeticError, ValueError):
        return np.full(len(times), np.nan)


def real_curve(parameters: ToyParameters, times: Array, start: State | None = None) -> Array:
    """`flow_curves` of one toy, shape (n,)."""
    table = np.array([list(parameters.as_dict().values())])
    starts = None if start is None else np.array([[float(np.asarray(value)) for value in start]])
    return flow_curves(table, times, starts)[0]
