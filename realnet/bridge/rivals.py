"""Rival descriptions of a sharpness curve, fitted like the toy, and scored out of sample.

All are fitted by least squares on log sharpness; `x` is time over the curve's span.
    constant     y = a
    exponential  y = a exp(b x)
    power law    y = a (x + x0)^b
    logistic     y = a + h / (1 + exp(-(x - x0) / w))
    toy          the gradient flow of `realnet.bridge.toy`
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.optimize import least_squares

from linmodel.arguments import typed
from linmodel.errors import InvalidInput
from linmodel.problem import Array
from linmodel.store import provenance
from realnet.bridge.curve import FEWEST, Curve, checked
from realnet.bridge.searching import family, search
from realnet.bridge.toy import ToyParameters, real_curve

RIVALS = ("constant", "exponential", "power law", "logistic")
MODELS = ("toy", *RIVALS)
# Shares of the points, in order of time, that are fitted; the rest are predicted.
SHARES = (0.5, 0.65, 0.8)
# R^2 of log sharpness below which a description does not describe the curve.
LEAST_R_SQUARE = 0.9
LARGEST_LOG = 50.0
# Bounds of (log a), (log a, b), (log a, log x0, b), (log a, log h, x0, log w).
LOG = (-LARGEST_LOG, LARGEST_LOG)
RIVAL_BOUNDS = {
    "constant": [LOG],
    "exponential": [LOG, (-30.0, 30.0)],
    "power law": [LOG, (-12.0, 3.0), (-30.0, 30.0)],
    "logistic": [LOG, LOG, (-5.0, 10.0), (-8.0, 3.0)],
}


@dataclass(frozen=True)
class Description:
    """A fitted description: `predict(times)` in real units, its limit at late times, its fit."""

    name: str
    predict: Callable[[Array], Array]
    limit: float
    error: float
    converged: bool
    point: Array


def describe(name: str, curve: Curve, *, scales: int = 2, seed: int = 0) -> Description:
    """Fit the description `name` (one of MODELS) to `curve`."""
    if name == "toy":
        space = family(curve, scales)
        found = search(curve, space, seed)[0]
        return toy_description(space.parameters(found.point), curve, found.converged, found.point)
    return _rival_description(name, curve, *_fit_rival(name, curve, _starts(name, curve)))


def _rival_description(name: str, curve: Curve, point: Array, converged: bool) -> Description:
    span = curve.span

    def predict(times: Array) -> Array:
        return np.exp(_rival(name, point, np.asarray(times, dtype=float) / span))

    limit, error = _limit(name, point), _error(predict, curve)
    return Description(name, predict, limit, error, converged, point)


def toy_description(
    values: ToyParameters, curve: Curve, converged: bool, point: Array
) -> Description:
    """The toy with given parameters, as a description like the others."""

    def predict(times: Array) -> Array:
        return real_curve(values, np.asarray(times, dtype=float))

    error = _error(predict, curve)
    return Description("toy", predict, values.final_sharpness, error, converged, point)


def describes(found: Description, curve: Curve) -> bool:
    """Whether R^2 of log sharpness is 0.9 or more: else its crossings are no forecast."""
    return found.error**2 <= (1 - LEAST_R_SQUARE) * float(np.var(np.log(curve.sharpness)))


@typed
def compare_rivals(curve: Curve, *, scales: int = 2, seed: int = 0) -> xr.Dataset:
    """Out-of-sample error of every description: fit the first part of the curve, predict the rest.

    Returns `error` (rms log error on the points held out) and `inside_error` (on those fitted) on
    (share, model), NaN where the first part alone cannot be fitted (too short, or no rise yet),
    with `status` saying so; `best` (share) names the winner.
    """
    outside = np.full((len(SHARES), len(MODELS)), np.nan)
    inside = np.full_like(outside, np.nan)
    status = np.full(outside.shape, "ok", dtype=object)
    for i, share in enumerate(SHARES):
        first = max(FEWEST, round(share * len(curve.time)))
        for j, name in enumerate(MODELS):
            try:
                part = checked(curve.first(first))
                found = describe(name, part, scales=scales, seed=seed)
            except InvalidInput as error:
                status[i, j] = f"not fitted: {error}"
                continue
            status[i, j] = "ok" if found.converged else "not converged"
            inside[i, j] = found.error
            outside[i, j] = _rms_log(found.predict(curve.time)[first:], curve.sharpness[first:])
    best = [MODELS[int(np.nanargmin(row))] if np.isfinite(row).any() else "none" for row in outside]
    over = ("share", "model")
    units = {"units": "1"}
    return xr.Dataset(
        {
            "error": (over, outside, {"long_name": "rms log error, points held out", **units}),
            "inside_error": (over, inside, {"long_name": "rms log error, points fitted", **units}),
            "status": (over, status.astype(str)),
            "best": ("share", np.array(best, dtype=str)),
        },
        coords={
            "share": ("share", list(SHARES), {"long_name": "share of the points fitted", **units}),
            "model": list(MODELS),
        },
        attrs={
            "title": "descriptions of one sharpness curve, out of sample",
            **provenance(method="rivals", scales=scales, seed=seed),
        },
    )


def _rms_log(predicted: Array, observed: Array) -> float:
    if not len(observed):
        return float("nan")
    with np.errstate(all="ignore"):
        difference = np.log(predicted) - np.log(observed)
    return float(np.sqrt(np.mean(difference**2)))


def _error(predict: Callable[[Array], Array], curve: Curve) -> float:
    return _rms_log(predict(curve.time), curve.sharpness)


def _rival(name: str, point: Array, x: Array) -> Array:
    """Logarithm of the rival at x = time / span."""
    if name == "constant":
        log = np.full(len(x), point[0])
    elif name == "exponential":
        log = point[0] + point[1] * x
    elif name == "power law":
        log = point[0] + point[2] * np.log(x + np.exp(point[1]))
    else:
        rise = 1 / (1 + np.exp(np.clip(-(x - point[2]) / np.exp(point[3]), -500, 500)))
        log = np.log(np.exp(point[0]) + np.exp(point[1]) * rise)
    return np.clip(log, -LARGEST_LOG, LARGEST_LOG)


def _limit(name: str, point: Array) -> float:
    """Sharpness at late times: a logistic's top, a constant; unbounded growth is infinite."""
    if name == "constant":
        return float(np.exp(point[0]))
    if name == "logistic":
        return float(np.exp(point[0]) + np.exp(point[1]))
    slope = point[1] if name == "exponential" else point[2]
    return float("inf") if slope > 0 else 0.0


def _starts(name: str, curve: Curve) -> list[list[float]]:
    target = np.log(curve.sharpness)
    low, high = float(target.min()), float(target.max())
    return {
        "constant": [[float(target.mean())]],
        "exponential": [[float(target[0]), high - low]],
        "power law": [[high, shift, power] for shift in (-6.0, -2.0, 0.0) for power in (0.3, 2.0)],
        "logistic": [
            [low, high, centre, math.log(width)]
            for centre in (0.2, 0.5, 0.9)
            for width in (0.05, 0.2)
        ],
    }[name]


def _fit_rival(
    name: str, curve: Curve, starts: Sequence[Sequence[float] | Array]
) -> tuple[Array, bool]:
    x, target = curve.time / curve.span, np.log(curve.sharpness)
    low_bounds, high_bounds = np.array(RIVAL_BOUNDS[name]).T
    solutions = [
        least_squares(  # type: ignore[operator]
            lambda p: _rival(name, p, x) - target,
            np.clip(start, low_bounds, high_bounds),
            bounds=(low_bounds, high_bounds),
            max_nfev=500,
        )
        for start in starts
    ]
    best = min(solutions, key=lambda solution: solution.cost)
    return best.x, bool(best.status > 0)
