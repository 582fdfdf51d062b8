"""The bridge from a real run to the theory: fit the toy's sharpness curve to the network's.

Needs no torch: it reads curves. `fit` holds the toy's gradient flow against the run's sharpness up
to the edge of stability; `realnet.bridge.uncertainty` says what the curve pins down,
`realnet.bridge.rivals` compares other descriptions, `realnet.bridge.forecasting` predicts.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from linmodel.arguments import typed
from linmodel.errors import integer, refuse
from linmodel.problem import Array
from linmodel.store import provenance
from realnet.bridge.curve import Curve, curve_of, log_noise
from realnet.bridge.lag import descent_curve
from realnet.bridge.profile import Profile, profile
from realnet.bridge.rivals import LEAST_R_SQUARE
from realnet.bridge.searching import FULL, Family, Found, Search, family, search
from realnet.bridge.toy import LONG_NAMES, PARAMETERS, ToyParameters, real_curve

# Residual variance over the curve's own point-to-point noise, and rms, beyond which the misfit is
# the toy's and not noise.
MOST_NOISE_RATIO, LEAST_MISFIT = 2.0, 0.01
# Such a misfit is no description any more: a step, which no flow makes, is missed by 0.2.
MOST_MISFIT = 0.1
FIXED = {
    "c0 = 1": "by M10 the scale of the state cannot be told from B and the scales",
    "|b0|^2 + |b_o0|^2 = 1, o0^2 = k/(1+k)": "the standard initialisation's average",
    "d1": "does not enter the population dynamics at given norms (M5)",
}
TIED = "eta x sharpness then means the same in both"


@dataclass(frozen=True, repr=False)
class BridgeResult:
    """A fit. Read `status` before any number.

    status   "ok"; "systematic": within `error` of the curve, but off by more than its noise;
             "poor": R^2 < 0.9, or off by more than its noise and by more than 10%: the toy does not
             describe this curve; "not_converged"
    message  the same in words, with the numbers
    error    rms of log toy - log real over the fitted points (about the relative error)
    values   the six parameters; `free` names those that were fitted
    dataset  on `time`: sharpness, toy_sharpness, log_residual, fitted (1: used by the fit); on
             `parameter`: value, free; with one scale and `step_size` known, on `descent_time`:
             toy_descent; attribute `left_out`: why the points that are not used are not
    """

    status: str
    message: str
    error: float
    values: ToyParameters
    free: tuple[str, ...]
    dataset: xr.Dataset
    curve: Curve
    space: Family
    best: Found
    searched: Search = FULL

    def __str__(self) -> str:
        """Ten lines: what the fit is, the six parameters, what was left out."""
        lines = [f"{self.status}: {self.message}"]
        for name, value in self.values.as_dict().items():
            known = "" if name in self.free else " (tied)"
            lines.append(f"  {name:<16} {value:.5g}{known}")
        product = self.values.alpha * self.values.sharpness_scale
        lines.append(f"  alpha x sharpness_scale {product:.5g}: what a curve can tell of alpha")
        lines.append(f"  {len(self.curve.time)} points fitted, to time {self.curve.span:.5g}")
        return "\n".join([*lines, *filter(None, [self.curve.left_out])])

    __repr__ = __str__

    @cached_property
    def profile(self) -> Profile:
        """How far each parameter can go: see `realnet.bridge.profile`. Computed once, on demand."""
        return profile(self.curve, self.space, self.best, self.searched)

    def predict(self, times: Array) -> Array:
        """The fitted toy's sharpness in real units at real times (increasing, >= 0), shape (n,)."""
        return real_curve(self.values, np.asarray(times, dtype=float))


@typed
def fit(
    real: xr.Dataset, *, scales: int = 2, seed: int = 0, searched: Search = FULL
) -> BridgeResult:
    """Fit the toy to `real`'s sharpness on time = step size x step, up to the edge.

    Least squares on log sharpness over (alpha, B, k, aligned share, sharpness scale, time scale),
    bounded, from the best of many starts (`searched`: 8 of 300) drawn with `seed`. Fixed: c0 = 1
    and the initial norms (see FIXED and M10). scales = 1 ties time_scale to 1/sharpness_scale: then
    step size x sharpness is the same number in the toy and in the network.

    With two scales alpha is not identified: the curve tells sharpness_scale x alpha, and only their
    product is to be read. Fitted are the points before the run's own edge, and, where sharpness
    falls for good after its maximum (cross-entropy), those before the maximum.

    Raises InvalidInput: a curve that is too short, not finite, not positive or without a rise.
    """
    if integer("scales", scales, low=1) > 2:
        refuse("scales", scales, "1 or 2")
    curve = curve_of(real)
    space = family(curve, scales)
    found = search(curve, space, integer("seed", seed, low=0), much=searched)
    best = found[0]
    values = space.parameters(best.point)
    quality = _quality(curve, values)
    status, message = _judge(best, quality, space)
    dataset = _side_by_side(real, curve, values, space)
    dataset["cost"] = ("start", [each.cost for each in found], {"units": "1"})
    dataset["cost"].attrs["long_name"] = "half the sum of squared log residuals, by start"
    if curve.step_size is not None and scales == 1:
        dataset = dataset.merge(_descent(curve.step_size, values, float(real["time"][-1])))
    dataset.attrs = {
        "title": "bridge: the toy's gradient flow fitted to a real run's sharpness",
        "status": status,
        "message": message,
        "fixed": json.dumps(
            FIXED | ({} if scales == 2 else {"time_scale = 1/sharpness_scale": TIED})
        ),
        "left_out": curve.left_out,
        "at_bound": json.dumps(space.at_bound(best.point)),
        **quality,
        **_step_attributes(curve),
        **provenance(
            method="bridge", scales=scales, seed=seed, real=real.attrs.get("configuration")
        ),
    }
    names = space.names
    return BridgeResult(
        status, message, quality["error"], values, names, dataset, curve, space, best, searched
    )


def _quality(curve: Curve, values: ToyParameters) -> dict[str, float]:
    """error (rms log residual), largest_error, r_square, noise_ratio (see MOST_NOISE_RATIO)."""
    target = np.log(curve.sharpness)
    residual = np.log(real_curve(values, curve.time)) - target
    mean_square = float(np.mean(residual**2))
    noise = log_noise(curve.sharpness) ** 2
    return {
        "error": math.sqrt(mean_square),
        "largest_error": float(np.abs(residual).max()),
        "r_square": 1 - mean_square / float(np.var(target)),
        "noise_ratio": mean_square / max(noise, 1e-300),
    }


def _judge(best: Found, quality: dict[str, float], space: Family) -> tuple[str, str]:
    error, r_square = quality["error"], quality["r_square"]
    text = f"rms relative error {error:.2%}, R^2 of log sharpness {r_square:.4f}"
    pushed = space.at_bound(best.point)
    if pushed:
        text += f"; at a bound, so not limited by the curve: {', '.join(pushed)}"
    if not best.converged or not math.isfinite(error):
        return "not_converged", f"the search stopped before it converged; {text}"
    off = quality["noise_ratio"] > MOST_NOISE_RATIO
    if r_square < LEAST_R_SQUARE or (off and error > MOST_MISFIT):
        return "poor", f"the toy does not describe this curve; {text}"
    if off and error > LEAST_MISFIT:
        ratio = quality["noise_ratio"]
        text += f"; residual variance {ratio:.3g} times the curve's point-to-point noise"
        return "systematic", f"the toy follows the curve but misses it by more than noise; {text}"
    return "ok", f"the toy describes the curve; {text}"


def _side_by_side(
    real: xr.Dataset, curve: Curve, values: ToyParameters, space: Family
) -> xr.Dataset:
    sharpness = np.asarray(real["sharpness"].values, dtype=float)
    time = np.asarray(real["time"].values, dtype=float)
    fitted = real_curve(values, time)
    table = xr.Dataset(coords={"time": ("time", time)})
    unit = {"units": "curvature"}
    table["sharpness"] = ("time", sharpness, {"long_name": "sharpness, real run", **unit})
    table["toy_sharpness"] = ("time", fitted, {"long_name": "sharpness, fitted toy flow", **unit})
    log_residual = np.log(fitted / sharpness)
    table["log_residual"] = ("time", log_residual, {"long_name": "log(toy / real)", "units": "1"})
    table["fitted"] = ("time", curve.used.astype(np.int8), {"long_name": "1: used by the fit"})
    table["fitted"].attrs["units"] = "1"
    table["time"].attrs = {"long_name": "time", "units": "step size x step"}
    table = table.assign_coords(parameter=list(PARAMETERS))
    table["value"] = ("parameter", list(values.as_dict().values()))
    table["value"].attrs = {
        "long_name": "fitted value",
        "units": "see parameter_units",
        "parameter_units": json.dumps({name: unit for name, (_, unit) in LONG_NAMES.items()}),
    }
    table["free"] = ("parameter", [np.int8(name in space.names) for name in PARAMETERS])
    table["free"].attrs = {"long_name": "1: fitted, 0: fixed", "units": "1"}
    return table


def _descent(step_size: float, values: ToyParameters, end: float) -> xr.Dataset:
    """The toy's descent at the run's step size: with one scale a step and 2/eta are the same in
    both (M10); with two they cannot be."""
    time, sharpness, status = descent_curve(values, step_size, end)
    found = xr.Dataset(coords={"descent_time": ("descent_time", time)})
    found["toy_descent"] = ("descent_time", sharpness)
    found["toy_descent"].attrs = {
        "long_name": "sharpness, toy descent at the run's step size",
        "units": "curvature",
        "status": status,
    }
    found["descent_time"].attrs = {"long_name": "time", "units": "step size x step"}
    return found


def _step_attributes(curve: Curve) -> dict[str, float]:
    if curve.step_size is None:
        return {}
    return {"step_size": curve.step_size, "two_over_eta": 2 / curve.step_size}
