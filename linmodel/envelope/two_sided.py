"""F11: explicit two-sided bounds of the state and the sharpness along the flow, in tau and in time.

Valid for every alpha >= 1 under the standing hypotheses; closed forms only, no integrator. The
bounds are theorems of exact arithmetic; floats add about 1e-13, covered by a relative SLACK.
For intervals that are rigorous to the last rounding see `linmodel.certified`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from linmodel.arguments import typed
from linmodel.assumptions import arrays, require_convex
from linmodel.bounds import dip_floor, limit_c_squared
from linmodel.conserved import conserved
from linmodel.curves import LABELS, MODEL, head
from linmodel.envelope.chords import Cases, Curve, lower_curve, upper_curve
from linmodel.errors import integer, real
from linmodel.formulas import arrowhead
from linmodel.problem import Array, OpposingSignals, State, single
from linmodel.times import time_grid

SLACK = 1e-10
STEP = 0.25
PIECES = 2000


class PrecisionExhausted(ArithmeticError):
    """float64 cannot resolve the bounds; the message says where and what to use instead."""


@dataclass(frozen=True)
class Box:
    """Lower and upper values of c, epsilon, |n|, |o|: arrays of one shape."""

    c: tuple[Array, Array]
    epsilon: tuple[Array, Array]
    n: tuple[Array, Array]
    o: tuple[Array, Array]


@dataclass(frozen=True)
class Envelope:
    """The two curves of a batch of starts of one problem, ready to be evaluated."""

    problem: OpposingSignals
    start: State
    lower: Curve
    upper: Curve

    @classmethod
    def of(cls, problem: OpposingSignals, start: State, step: float, pieces: int) -> Envelope:
        """Build the curves; `start` has shape (N,)."""
        require_convex(problem, start)
        c, epsilon, n, o = arrays(start)
        alpha, b_norm = np.full(c.shape, problem.alpha), np.full(c.shape, problem.beta_norm)
        cases = Cases(alpha, b_norm, c, epsilon, n**2, o**2)
        return cls(
            problem, start, lower_curve(cases, step, pieces), upper_curve(cases, step, pieces)
        )

    def box_at_tau(self, tau: Array) -> Box:
        """Bounds at intrinsic times tau, shape (T, N); n and o are exact."""
        return self._box(tau, tau, self.lower.at_tau(tau), self.upper.at_tau(tau))

    def box_at_time(self, time: Array) -> tuple[Box, tuple[Array, Array]]:
        """Bounds at times (step size x step), shape (T, N), and of tau there."""
        slow, low = self.lower.at_time(time)
        fast, high = self.upper.at_time(time)
        return self._box(slow, fast, low, high), (slow * (1 - SLACK), fast * (1 + SLACK))

    def _box(self, slow: Array, fast: Array, low: Array, high: Array) -> Box:
        c, _, n, o = arrays(self.start)
        low, high = low * (1 - SLACK), high * (1 + SLACK)
        slow, fast = slow * (1 - SLACK), fast * (1 + SLACK)
        n_low, n_high = np.abs(n) * np.exp(-fast), np.abs(n) * np.exp(-slow)
        alpha = self.problem.alpha
        o_low, o_high = np.abs(o) * np.exp(-alpha * fast), np.abs(o) * np.exp(-alpha * slow)
        kappa = conserved(self.start)
        rounding = SLACK * 1e-5 * (np.abs(kappa) + high**2 + n_high**2 + o_high**2)
        floor = dip_floor(self.problem, self.start) * (1 - SLACK)
        top = np.maximum(c**2, limit_c_squared(kappa, self.problem.beta_norm))
        with np.errstate(divide="ignore"):
            ceiling = np.minimum(top, (self.problem.beta_norm / low) ** 2) * (1 + SLACK)
        c_low = np.maximum(kappa + low**2 + n_low**2 + o_low**2 - rounding, floor)
        c_high = np.minimum(kappa + high**2 + n_high**2 + o_high**2 + rounding, ceiling)
        if not (c_low <= c_high).all():
            raise PrecisionExhausted(
                f"lower bounds above upper ones at alpha = {alpha:g}: c^2 is smaller than the"
                " rounding of epsilon^2 and o^2. Use linmodel.certified, or alpha <= 1e6."
            )
        return Box((np.sqrt(c_low), np.sqrt(c_high)), (low, high), (n_low, n_high), (o_low, o_high))


@typed
def sharpness_of(problem: OpposingSignals, box: Box) -> tuple[Array, Array]:
    """lambda_max over a box: the arrowhead's entries are >= 0 up to signs, so it grows with each.

    (Perron-Frobenius: the spectral radius of a nonnegative matrix increases with its entries. Signs
    of the arrowhead's border do not change its spectrum.)
    """
    ends = []
    for side in (0, 1):
        c, epsilon = box.c[side], box.epsilon[side]
        n = box.n[side]
        gap = [2 * c * e - problem.beta_norm for c, e in zip(box.c, box.epsilon, strict=True)]
        size = np.abs(gap)
        least = np.where(gap[0] * gap[1] <= 0, 0.0, size.min(axis=0))
        border = np.hypot(size.max(axis=0) if side else least, 2 * c * n)
        block = arrowhead(problem.alpha, c, epsilon, n, box.o[side], border)
        ends.append(np.linalg.eigvalsh(block)[..., -1])
    return ends[0] * (1 - SLACK), ends[1] * (1 + SLACK)


@typed
def envelope(
    problem: OpposingSignals,
    start: State,
    times: ArrayLike,
    *,
    step: float = STEP,
    pieces: int = PIECES,
) -> xr.Dataset:
    """F11 in time: lower and upper c, epsilon, n, o, tau, alpha c^2, sharpness at `times`.

    step    length of a piece in log(o^2), times c/|o|: the ratio upper/lower - 1 goes like step^2
    pieces  at most so many; 0 gives the plain envelope of the alpha = 1 and alpha = inf curves

    Raises InvalidInput outside the standing hypotheses, on bad times, or a batch of states;
    PrecisionExhausted where c is too small against o for float64 (seen from alpha = 1e9 on).
    """
    grid = time_grid(times)
    curves = _curves(problem, start, step, pieces)
    box, tau = curves.box_at_time(grid[:, None])
    return _dataset(problem, start, "time", grid, box, {"tau": tau}, step, pieces)


@typed
def envelope_in_tau(
    problem: OpposingSignals,
    start: State,
    tau: ArrayLike,
    *,
    step: float = STEP,
    pieces: int = PIECES,
) -> xr.Dataset:
    """F11 in intrinsic time tau = int c^2 dt, where n and o are explicit: like `envelope`."""
    grid = time_grid(tau)
    curves = _curves(problem, start, step, pieces)
    return _dataset(problem, start, "tau", grid, curves.box_at_tau(grid[:, None]), {}, step, pieces)


def _curves(problem: OpposingSignals, start: State, step: float, pieces: int) -> Envelope:
    step, pieces = real("step", step, above=0), integer("pieces", pieces, low=0)
    c, epsilon, n, o = (np.atleast_1d(value) for value in arrays(single(start)))
    return Envelope.of(problem, State(c, epsilon, n, o), step, pieces)


def _dataset(
    problem: OpposingSignals,
    start: State,
    dimension: str,
    grid: Array,
    box: Box,
    more: dict[str, tuple[Array, Array]],
    step: float,
    pieces: int,
) -> xr.Dataset:
    alpha = problem.alpha
    values = {
        "c": box.c,
        "epsilon": box.epsilon,
        "n": box.n,
        "o": box.o,
        "opposing_curvature": (alpha * box.c[0] ** 2, alpha * box.c[1] ** 2),
        "sharpness": sharpness_of(problem, box),
        **more,
    }
    dataset = xr.Dataset(coords={dimension: grid})
    for name, pair in values.items():
        text, units = LABELS.get(name, ("intrinsic time tau = int c^2 dt (M7)", "1"))
        for side, value in zip(("lower", "upper"), pair, strict=True):
            attrs = {"long_name": f"{side} bound of |{name}|: {text}", "units": units}
            dataset[f"{name}_{side}"] = (dimension, value[:, 0], attrs)
    dataset[dimension].attrs = {
        "long_name": LABELS["time"][0] if dimension == "time" else "intrinsic time tau",
        "units": LABELS["time"][1] if dimension == "time" else "1",
    }
    dataset.attrs = head(
        "envelope",
        f"{MODEL}: two-sided envelope (F11)",
        problem=problem.as_dict(),
        start=start.as_dict(),
        settings={"step": step, "pieces": pieces},
    )
    return dataset
