"""Certified integration: intervals that contain the flow's state and sharpness, proved in Arb.

linmodel.certified.pieces covers the time axis by polynomials and proves how far the solution is
from them. n and o are then taken from the intrinsic time tau = int c^2 dt (M7): n = n0 e^(-tau),
o = o0 e^(-alpha tau), with the same relative accuracy however small they are. Cost is a few tens of
pieces, a fraction of a second, for every alpha up to 1e6: stiffness does not enter.

    from linmodel.arguments import typed
from linmodel.certified import certified_flow
    bounds = certified_flow(problem, start, [0.1, 1.0])
    bounds.sharpness.sel(bound="lower"), bounds.sharpness.sel(bound="upper")

Times are step size x step, the loss has the factor 1/2.
"""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from flint import arb, ctx
from numpy.typing import ArrayLike

from linmodel.arguments import typed
from linmodel.certified.pieces import CannotEnclose, enclosures, make_setting
from linmodel.certified.sharpness import largest_eigenvalue
from linmodel.curves import MODEL, head, label
from linmodel.errors import integer, real
from linmodel.problem import OpposingSignals, State, single
from linmodel.times import time_grid

__all__ = ["CannotEnclose", "certified_flow", "reference"]

NAMES = ("c", "epsilon", "n", "o", "log_abs_o", "tau", "opposing_curvature", "sharpness")


@typed
def certified_flow(
    problem: OpposingSignals,
    start: State,
    times: ArrayLike,
    *,
    digits: int = 24,
    relative_width: float = 1e-12,
    max_pieces: int = 20_000,
) -> xr.Dataset:
    """Gradient flow with a proof: lower and upper bounds of the state and of the sharpness.

    Variables c, epsilon, n, o, log_abs_o, tau = int c^2 dt, opposing_curvature, sharpness, each on
    dimensions (time, bound), bound = "lower", "upper", rounded outwards to float64. The numbers in
    `problem` and `start` are taken as the exact binary numbers that they are.

    digits          decimal digits that each piece is computed to; more is slower and narrower
    relative_width  how narrow the enclosures must be at every time: the state's, relative to |s|;
                    the sharpness's, to itself. (Relative to itself, a component that crosses 0 is
                    wider, and so is o where it underflows: see log_abs_o.)
    max_pieces      pieces of the time axis allowed

    Raises InvalidInput (bad times or settings) and CannotEnclose (with where, and the remedy).
    """
    grid = time_grid(times)
    digits = integer("digits", digits, low=8)
    width = real("relative_width", relative_width, above=0)
    max_pieces = integer("max_pieces", max_pieces, low=1)
    setting = make_setting(problem, digits)
    try:
        with ctx.workprec(setting.bits), np.errstate(all="ignore"):
            rows = [
                _report(problem, start, found, width, time)
                for time, found in enclosures(setting, single(start), grid, max_pieces)
            ]
    except OverflowError as error:
        raise CannotEnclose(
            "a bound exceeds float64's range; rescale the problem (M10)."
        ) from error
    variables = {
        name: (("time", "bound"), [row[i] for row in rows]) for i, name in enumerate(NAMES)
    }
    dataset = xr.Dataset(variables, {"time": grid, "bound": ["lower", "upper"]})
    dataset["tau"].attrs = {"units": "1", "long_name": "intrinsic time, integral of c^2 (M7)"}
    settings = {"digits": digits, "relative_width": width, "max_pieces": max_pieces}
    dataset.attrs = head(
        "certified_flow",
        f"{MODEL}: certified flow",
        problem=problem.as_dict(),
        start=start.as_dict(),
        settings=settings,
    )
    return label(dataset)


def reference(
    problem: OpposingSignals, start: State, times: ArrayLike, *, digits: int = 24
) -> xr.Dataset:
    """The flow right to about float64's last digit: midpoints of `certified_flow`, on time.

    Shares no code with linmodel.flow or linmodel.landscape: what accuracy tests compare with.
    Raises what certified_flow raises.
    """
    found = certified_flow(problem, start, times, digits=digits)
    return found.mean("bound", keep_attrs=True)


def _report(
    problem: OpposingSignals, start: State, found: tuple[arb, ...], width: float, time: float
) -> list[tuple[float, float]]:
    """(lower, upper) of every variable of NAMES in float64; CannotEnclose where it is too wide."""
    c, epsilon, n, o, tau = found
    top = largest_eigenvalue(problem.alpha, problem.beta_norm, (c, epsilon, n, o))
    size = sum((value * value for value in (c, epsilon, n, o)), arb(0)).nonnegative_part().sqrt()
    widest = max((value.rad() for value in (c, epsilon, n, o)), key=float)
    for name, radius, scale in (
        ("state", widest, size),
        ("sharpness", top.rad(), abs(top)),
    ):
        if not 2 * radius <= width * scale:
            raise CannotEnclose(
                f"at time {time:.6g} the {name} is known to {2 * float(radius):.3g} "
                f"(its size: {float(scale):.3g}); asked: {width:.3g} relative. "
                "Raise digits, or ask for a larger relative_width."
            )
    start_o = arb(float(np.asarray(start.o)))
    log_o = abs(start_o).log() - problem.alpha * tau if start_o != 0 else arb.neg_inf()
    balls = (c, epsilon, n, o, log_o, tau, problem.alpha * c * c, top)
    return [outward(ball) for ball in balls]


@typed
def outward(ball: arb) -> tuple[float, float]:
    """Float64 (low, high) with low <= ball <= high, equal only where the ball is one float."""
    low, high = float(ball.lower()), float(ball.upper())
    if not arb(low) <= ball:
        low = math.nextafter(low, -math.inf)
    if not arb(high) >= ball:
        high = math.nextafter(high, math.inf)
    return low, high
