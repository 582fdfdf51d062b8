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

from linmodel.descent import gradient_descent
from linmodel.errors import integer, refuse
from linmodel.flow import gradient_flow
from linmodel.problem import Array, OpposingSignals
from linmodel.store import provenance
from realnet.bridge.curve import Curve, curve_of
from realnet.bridge.profile import Profile, profile
from realnet.bridge.searching import Family, Found, family, search
from realnet.bridge.toy import LONG_NAMES, PARAMETERS, real_curve, start_of

# R^2 of log sharpness below which the toy does not describe the curve.
LEAST_R_SQUARE = 0.9
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
MOST_DESCENT_STEPS = 100_000


@dataclass(frozen=True)
class BridgeResult:
    """A fit. Read `status` before any number.

    status   "ok"; "systematic": within `error` of the curve, but off by more than its noise;
             "poor": R^2 < 0.9, or off by more than its noise and by more than 10%: the toy does not
             describe this curve; "not_converged"
    message  the same in words, with the numbers
    error    rms of log toy - log real over the fitted points (about the relative error)
    values   the six parameters by name; `free` names those that were fitted
    dataset  on `time`: sharpness, toy_sharpness, log_residual, fitted (1: used by the fit); on
             `parameter`: value, free; with `step_size` known, on `descent_time`: toy_descent
    toy      the toy's own Dataset (gradient_flow, toy units) at the same moments
    """

    status: str
    message: str
    error: float
    values: dict[str, float]
    free: tuple[str, ...]
    dataset: xr.Dataset
    toy: xr.Dataset
    curve: Curve
    space: Family
    best: Found

    @cached_property
    def profile(self) -> Profile:
        """How far each parameter can go: see `realnet.bridge.profile`. Computed once, on demand."""
        return profile(self.curve, self.space, self.best)

    def predict(self, times: Array) -> Array:
        """The fitted toy's sharpness in real units at real times (increasing, >= 0), shape (n,)."""
        return real_curve(self.values, np.asarray(times, dtype=float))


def fit(real: xr.Dataset, *, scales: int = 2, seed: int = 0) -> BridgeResult:
    """Fit the toy to `real`'s sharpness on time = step size x step, up to the edge.

    Least squares on log sharpness over (alpha, B, k, aligned share, sharpness scale, time scale),
    bounded, from the best 8 of 300 starts drawn with `seed`. Fixed: c0 = 1 and the initial norms
    (see FIXED and M10). scales = 1 ties time_scale to 1/sharpness_scale: then step size x sharpness
    is the same number in the toy and in the network.

    Raises InvalidInput: a curve that is too short, not finite, not positive or without a rise.
    """
    if integer("scales", scales, low=1) > 2:
        refuse("scales", scales, "1 or 2")
    curve = curve_of(real)
    space = family(curve, scales)
    found = search(curve, space, integer("seed", seed, low=0))
    best = found[0]
    values = space.parameters(best.point)
    quality = _quality(curve, values)
    status, message = _judge(best, quality, space)
    problem = OpposingSignals(values["alpha"], values["beta_norm"], values["k"])
    start = start_of(values["k"], values["aligned_share"])
    time = np.asarray(real["time"].values, dtype=float)
    toy = gradient_flow(problem, start, time / values["time_scale"])
    dataset = _side_by_side(real, curve, toy, values, space)
    dataset["cost"] = ("start", [each.cost for each in found], {"units": "1"})
    dataset["cost"].attrs["long_name"] = "half the sum of squared log residuals, by start"
    if curve.step_size is not None:
        dataset = dataset.merge(_descent(problem, curve.step_size, values, float(time[-1])))
    dataset.attrs = {
        "title": "bridge: the toy's gradient flow fitted to a real run's sharpness",
        "status": status,
        "message": message,
        "fixed": json.dumps(
            FIXED | ({} if scales == 2 else {"time_scale = 1/sharpness_scale": TIED})
        ),
        "at_bound": json.dumps(space.at_bound(best.point)),
        **quality,
        **_step_attributes(curve),
        **provenance(
            method="bridge", scales=scales, seed=seed, real=real.attrs.get("configuration")
        ),
    }
    names = space.names
    return BridgeResult(
        status, message, quality["error"], values, names, dataset, toy, curve, space, best
    )


def _quality(curve: Curve, values: dict[str, float]) -> dict[str, float]:
    """error (rms log residual), largest_error, r_square, noise_ratio (see MOST_NOISE_RATIO)."""
    target = np.log(curve.sharpness)
    residual = np.log(real_curve(values, curve.time)) - target
    mean_square = float(np.mean(residual**2))
    # Second differences cancel a smooth curve and leave 6 times the variance of white noise; the
    # median (0.6745 standard deviations) ignores the few points where the curve itself bends.
    noise = float(np.median(np.abs(np.diff(target, n=2))) / 0.6745) ** 2 / 6
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
    real: xr.Dataset, curve: Curve, toy: xr.Dataset, values: dict[str, float], space: Family
) -> xr.Dataset:
    sharpness = np.asarray(real["sharpness"].values, dtype=float)
    fitted = values["sharpness_scale"] * toy.sharpness.values
    table = xr.Dataset(coords={"time": ("time", np.asarray(real["time"].values, dtype=float))})
    unit = {"units": "curvature"}
    table["sharpness"] = ("time", sharpness, {"long_name": "sharpness, real run", **unit})
    table["toy_sharpness"] = ("time", fitted, {"long_name": "sharpness, fitted toy flow", **unit})
    log_residual = np.log(fitted / sharpness)
    table["log_residual"] = ("time", log_residual, {"long_name": "log(toy / real)", "units": "1"})
    table["fitted"] = ("time", curve.used.astype(np.int8), {"long_name": "1: used by the fit"})
    table["fitted"].attrs["units"] = "1"
    table["time"].attrs = {"long_name": "time", "units": "step size x step"}
    table = table.assign_coords(parameter=list(PARAMETERS))
    table["value"] = ("parameter", [values[name] for name in PARAMETERS])
    table["value"].attrs = {
        "long_name": "fitted value",
        "units": "see parameter_units",
        "parameter_units": json.dumps({name: unit for name, (_, unit) in LONG_NAMES.items()}),
    }
    table["free"] = ("parameter", [np.int8(name in space.names) for name in PARAMETERS])
    table["free"].attrs = {"long_name": "1: fitted, 0: fixed", "units": "1"}
    return table


def _descent(
    problem: OpposingSignals, step_size: float, values: dict[str, float], end: float
) -> xr.Dataset:
    """Toy descent with its edge where the network's is: eta_toy x toy sharpness = eta x sharpness.

    Its time is scaled as the flow's is; where sharpness_scale x time_scale is not 1 it takes a
    different number of steps than the network in the same real time.
    """
    eta = step_size * values["sharpness_scale"]
    # The least before the ceiling: at absurd scales the number of steps is infinite.
    steps = max(math.ceil(min(end / values["time_scale"] / eta, MOST_DESCENT_STEPS)), 1)
    start = start_of(values["k"], values["aligned_share"])
    path = gradient_descent(problem, start, eta, steps)
    time = path.time.values * values["time_scale"]
    found = xr.Dataset(coords={"descent_time": ("descent_time", time)})
    found["toy_descent"] = ("descent_time", values["sharpness_scale"] * path.sharpness.values)
    found["toy_descent"].attrs = {
        "long_name": "sharpness, toy descent at the run's 2/eta",
        "units": "curvature",
        "status": path.attrs["status"],
    }
    found["descent_time"].attrs = {"long_name": "time", "units": "step size x step"}
    return found


def _step_attributes(curve: Curve) -> dict[str, float]:
    if curve.step_size is None:
        return {}
    return {"step_size": curve.step_size, "two_over_eta": 2 / curve.step_size}
