"""What a fitted curve pins down: bootstrap intervals and the combinations it cannot tell apart."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from linmodel.arguments import typed
from linmodel.errors import integer
from linmodel.problem import Array
from linmodel.store import provenance
from realnet.bridge.blocks import block_length, resampled
from realnet.bridge.curve import Curve
from realnet.bridge.fitting import BridgeResult
from realnet.bridge.searching import refine, residuals
from realnet.bridge.toy import PARAMETERS, ToyParameters, drawn_start, real_curve

# Quantiles of the intervals.
LOW, HIGH = 0.025, 0.975
# A parameter is called pinned down where its interval spans less than this factor.
PINNED = 2.0
# What the toy's fast evaluation is good for: no combination is known better.
ACCURACY = 1e-6
# d1 of the standard initialisation whose randomness widens the intervals: OpposingSignals' default.
D1 = 100
FEWEST_DRAWS = 10


@typed
def bootstrap(result: BridgeResult, *, draws: int = 40, seed: int = 0) -> xr.Dataset:
    """Intervals of the parameters: profile likelihood, and moving-block residual bootstrap.

    The bootstrap refits `draws` synthetic curves from the optimum: it sees noise, and not the far
    ends of a flat valley. The profile sees those. An interval is the wider of both on either side.

    source "curve": fitted curve + resampled residuals: what the curve alone says. source "curve and
    initial state": besides, the initial norms of n and o are drawn from the standard initialisation
    at d1 = 100 (the fit assumes their average): what it says of a problem's own alpha, B, k.
    Blocks are as long as the residuals stay correlated; residuals are inflated by n / (n - p).

    Returns draws of the six parameters (source, draw, parameter), low and high (95%, source,
    parameter; a bound of the search where nothing else stops them), pinned (1: the interval of
    "curve" spans less than a factor 2, and the fit is not at a bound). Raises InvalidInput for
    draws < 10.
    """
    draws = integer("draws", draws, low=FEWEST_DRAWS)
    rng = np.random.default_rng(integer("seed", seed, low=0))
    curve, values = result.curve, result.values
    fitted = real_curve(values, curve.time)
    residual = np.log(curve.sharpness) - np.log(fitted)
    count, free = len(residual), len(result.free)
    residual = (residual - residual.mean()) * math.sqrt(count / max(count - free, 1))
    block = block_length(residual)
    sources = ("curve", "curve and initial state")
    table = np.empty((len(sources), draws, len(PARAMETERS)))
    for i in range(len(sources)):
        for j in range(draws):
            shape = fitted if i == 0 else _redrawn(values, curve.time, rng)
            noisy = shape * np.exp(resampled(residual, block, rng))
            table[i, j] = _refit(result, Curve(curve.time, noisy, curve.used, curve.step_size))
    return _summary(result, table, sources, block, seed)


@typed
def identifiability(result: BridgeResult) -> xr.Dataset:
    """Which combinations of log parameters the curve pins down, from the fit's Jacobian.

    Eigenvectors of J^T J: on `combination` (best first): relative_sd, the standard deviation of the
    combination's logarithm at the fit's own residual variance, or half of its largest excursion
    along the profile where that is more, valleys being bent (0.1 is 10%; above about 1 the curve
    says nothing); on (combination, parameter): weight (0 for a fixed parameter).
    """
    jacobian = result.best.jacobian
    count, free = jacobian.shape
    variance = 2 * result.best.cost / max(count - free, 1)
    _, singular, vectors = np.linalg.svd(jacobian, full_matrices=False)
    with np.errstate(divide="ignore"):
        local = math.sqrt(variance) / singular
    excursion = np.abs((result.profile.points - result.best.point) @ vectors.T).max(axis=0)
    deviation = np.maximum(np.maximum(local, excursion / 2), ACCURACY)
    order = np.argsort(deviation, kind="stable")
    deviation, vectors = deviation[order], vectors[order]
    weight = np.zeros((free, len(PARAMETERS)))
    places = [PARAMETERS.index(name) for name in result.free]
    # Sign convention: the largest weight is positive.
    sign = np.sign(vectors[np.arange(free), np.abs(vectors).argmax(axis=1)])
    weight[:, places] = vectors * sign[:, None]
    return xr.Dataset(
        {
            "relative_sd": (
                "combination",
                deviation,
                {"long_name": "standard deviation of the combination's logarithm", "units": "1"},
            ),
            "weight": (
                ("combination", "parameter"),
                weight,
                {"long_name": "exponent of the parameter in the combination", "units": "1"},
            ),
        },
        coords={"parameter": list(PARAMETERS), "combination": np.arange(1, free + 1)},
        attrs={"title": "what the curve pins down", "status": result.status},
    )


def _redrawn(values: ToyParameters, times: Array, rng: np.random.Generator) -> Array:
    """The curve of the same problem from another draw of the initial norms."""
    for _ in range(20):
        start = drawn_start(values.k, values.aligned_share, D1, rng)
        curve = real_curve(values, times, start)
        if np.isfinite(curve).all():
            return curve
    return real_curve(values, times)


def _refit(result: BridgeResult, noisy: Curve) -> Array:
    found = refine(residuals(result.space, noisy), result.space, result.best.point)
    return np.array(list(result.space.parameters(found.point).as_dict().values()))


def _summary(
    result: BridgeResult, table: Array, sources: tuple[str, ...], block: int, seed: int
) -> xr.Dataset:
    low, high = np.quantile(table, [LOW, HIGH], axis=1)
    ends = [
        result.space.parameters(end).as_dict() for end in (result.profile.low, result.profile.high)
    ]
    for name in result.free:
        at = PARAMETERS.index(name)
        low[:, at] = np.minimum(low[:, at], ends[0][name])
        high[:, at] = np.maximum(high[:, at], ends[1][name])
    if "time_scale" not in result.free:  # tied: the inverse of the other scale, ends exchanged
        scale, time = PARAMETERS.index("sharpness_scale"), PARAMETERS.index("time_scale")
        low[:, time], high[:, time] = 1 / high[:, scale], 1 / low[:, scale]
    bounded = result.space.at_bound(result.best.point)
    at_bound = np.array([name in bounded for name in PARAMETERS])
    pinned = (high[0] < PINNED * low[0]) & ~at_bound
    over = ("source", "parameter")
    return xr.Dataset(
        {
            "draws": (("source", "draw", "parameter"), table),
            "low": (over, low, {"long_name": "2.5% quantile", "units": "as the parameter"}),
            "high": (over, high, {"long_name": "97.5% quantile", "units": "as the parameter"}),
            "value": ("parameter", list(result.values.as_dict().values())),
            "pinned": ("parameter", pinned.astype(np.int8), {"units": "1"}),
        },
        coords={"source": list(sources), "parameter": list(PARAMETERS)},
        attrs={
            "title": "bootstrap of the bridge's parameters",
            "status": result.status,
            "block_length": block,
            **provenance(method="profile likelihood, moving-block bootstrap", seed=seed, d1=D1),
        },
    )
