"""From a small-step run alone: when larger step sizes reach the edge, and where they settle.

S1: until the edge, descent follows the flow, so at step size eta sharpness first reaches 2/eta at
about the time at which the flow does ("toy"), later by O(eta) ("toy descent" adds the toy's own
lag); G6: from then on its average stays at 2/eta.
"""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from linmodel.errors import integer, real, refuse
from linmodel.problem import Array
from linmodel.store import provenance
from realnet.bridge.blocks import block_length, resampled
from realnet.bridge.curve import Curve, rise_time
from realnet.bridge.fitting import LEAST_R_SQUARE, BridgeResult
from realnet.bridge.lag import lagged_edges
from realnet.bridge.rivals import MODELS, Description, describe, redescribe, toy_description
from realnet.bridge.uncertainty import HIGH, LOW

# "reading" is the curve itself, interpolated: the forecast that needs no model inside the window.
FORECASTS = ("toy descent", *MODELS, "reading")
# How far beyond the fitted window a crossing is looked for, in windows.
HORIZON = 10.0
GRID = 2000
STATUSES = {
    "inside": "the crossing lies within the fitted window",
    "extrapolated": "the crossing lies after the fitted window",
    "never": "the description does not reach 2/eta within 10 windows",
    "poor": "a rival that misses the curve (R^2 < 0.9) crosses: a number for comparison only",
    "at_start": "sharpness begins above 2/eta, where descent need not follow the flow",
    "unreliable": "no fit that describes the curve, or no descent that reaches 2/eta: no number",
}


def forecast(
    result: BridgeResult, step_sizes: ArrayLike, *, draws: int = 40, seed: int = 0
) -> xr.Dataset:
    """Edge and plateau for each step size, by the toy, its rivals and the curve read directly.

    On (model, step_size): edge_time and edge_step (first step after a rise through 2/eta), edge_low
    and edge_high (95% of edge_time: moving-block residual bootstrap, for the toy with the points of
    its profile besides; draws that never cross count as infinite), plateau (2/eta where the edge is
    reached, else the limit at late times), status (see STATUSES; only "inside" is an
    interpolation). NaN where there is no honest number.
    On step_size: beyond_stable (1: eta > eta*, G3: the fitted toy has no stable minimum there).

    Raises InvalidInput: step sizes that are not positive and finite, draws < 10.
    """
    etas = _step_sizes(step_sizes)
    draws = integer("draws", draws, low=10)
    rng = np.random.default_rng(integer("seed", seed, low=0))
    table = {key: np.full((len(FORECASTS), len(etas)), np.nan) for key in NUMBERS}
    status = np.full((len(FORECASTS), len(etas)), "", dtype=object)
    for i, name in enumerate(FORECASTS):
        found = _description(name, result)
        is_toy = found.name == "toy"
        if not found.converged or (is_toy and result.status not in {"ok", "systematic"}):
            status[i] = "unreliable"
            continue
        edge, status[i] = _edges(name, found, result, etas)
        if found.error**2 > (1 - LEAST_R_SQUARE) * float(np.var(np.log(result.curve.sharpness))):
            status[i][np.isfinite(edge)] = "poor"
        table["edge_time"][i] = edge
        table["edge_step"][i] = np.ceil(edge / etas - 1e-9)
        reached = np.isfinite(edge)
        table["plateau"][i] = np.where(reached, 2 / etas, found.limit)
        if name != "reading":
            again = _resampled_edges(name, found, result, etas, draws, rng)
            low, high = _interval(again, edge)
            if is_toy:
                low, high = _widened(low, high, _profile_edges(name, result, etas))
            table["edge_low"][i], table["edge_high"][i] = low, high
    return _dataset(result, etas, table, status, seed)


NUMBERS = {
    "edge_time": ("time at which sharpness first rises through 2/eta", "step size x step"),
    "edge_step": ("first step with sharpness >= 2/eta", "1"),
    "edge_low": ("2.5% quantile of edge_time", "step size x step"),
    "edge_high": ("97.5% quantile of edge_time", "step size x step"),
    "plateau": ("sharpness after the edge, or at late times", "curvature"),
}


def crossings(found: Description, curve: Curve, levels: Array) -> tuple[Array, Array]:
    """First time at which the description rises through each level, NaN without one; status."""
    end = curve.span if found.name == "reading" else HORIZON * curve.span
    # Dense where the window is, then on to the horizon.
    grid = np.unique(np.concatenate([[0.0], np.linspace(0, curve.span, GRID), [end]]))
    if end > curve.span:
        grid = np.unique(np.concatenate([grid, np.linspace(curve.span, end, GRID)]))
    with np.errstate(all="ignore"):
        values = found.predict(grid)
    times = np.full(len(levels), np.nan)
    status = np.full(len(levels), "never", dtype=object)
    for i, level in enumerate(levels):
        times[i] = rise_time(grid, values, level)
        if np.isfinite(times[i]):
            status[i] = "inside" if times[i] <= curve.span else "extrapolated"
        if values[0] >= level:
            status[i] = "at_start"
    return times, status


def observed(run: xr.Dataset) -> dict[str, float]:
    """edge_time and edge_step at which a run's sharpness first rises through 2/eta (interpolated
    between evaluations; NaN where it never does), and plateau: the mean over the last quarter.

    Raises InvalidInput when the run does not carry its step size or has no sharpness.
    """
    if "sharpness" not in run or "step_size" not in run.attrs:
        refuse("observed run", sorted(map(str, run.variables)), "sharpness and attribute step_size")
    eta = real("step_size", run.attrs["step_size"], above=0)
    time = np.asarray(run["time"].values, dtype=float)
    values = np.asarray(run["sharpness"].values, dtype=float)
    keep = np.isfinite(values)
    time, values = time[keep], values[keep]
    edge = rise_time(time, values, 2 / eta)
    late = values[time >= 0.75 * time[-1]] if len(time) else values
    return {
        "edge_time": edge,
        "edge_step": math.ceil(edge / eta - 1e-9) if math.isfinite(edge) else math.nan,
        "plateau": float(late.mean()) if len(late) else math.nan,
    }


def compare(predicted: xr.Dataset, runs: list[xr.Dataset]) -> xr.Dataset:
    """The forecast beside what was observed, on (model, run).

    `edge_log_error` = log(predicted / observed edge time), `plateau_log_error` likewise; NaN where
    either is missing; `agrees`: both say that there is an edge, or both that there is none. The
    step size of every run must be among the forecast's. Raises InvalidInput otherwise.
    """
    rows = [observed(run) for run in runs]
    etas = [float(run.attrs["step_size"]) for run in runs]
    columns = []
    for eta in etas:
        near = np.flatnonzero(np.isclose(predicted["step_size"].values, eta, rtol=1e-9))
        if not near.size:
            refuse("step size of a run", eta, "one of the forecast's", "Forecast it first.")
        columns.append(int(near[0]))
    chosen = predicted.isel(step_size=columns).rename(step_size="run").drop_vars("run")
    chosen = chosen.assign_coords(run=np.arange(len(runs)), eta=("run", etas))
    for key in ("edge_time", "edge_step", "plateau"):
        chosen[f"observed_{key}"] = ("run", [row[key] for row in rows])
        chosen[f"observed_{key}"].attrs = predicted[key].attrs
    for key in ("edge_time", "plateau"):
        ratio = chosen[key] / chosen[f"observed_{key}"]
        name = f"{key.removesuffix('_time')}_log_error"
        chosen[name] = xr.ufuncs.log(ratio)
        chosen[name].attrs = {"long_name": "log(predicted / observed)", "units": "1"}
    both = np.isfinite(chosen.edge_time) == np.isfinite(chosen.observed_edge_time)
    chosen["agrees"] = both.where(chosen.status != "unreliable", False).astype(np.int8)
    return chosen


def _step_sizes(step_sizes: ArrayLike) -> Array:
    values = np.array(step_sizes, dtype=float, ndmin=1)
    if values.ndim != 1 or not values.size:
        refuse("step sizes", f"an array of shape {values.shape}", "a number or a list of numbers")
    return np.array([real("step size", value, above=0) for value in values])


def _description(name: str, result: BridgeResult) -> Description:
    curve = result.curve
    if name in {"toy", "toy descent"}:
        return toy_description(result.values, curve, result.best.converged, result.best.point)
    if name != "reading":
        return describe(name, curve)

    def predict(times: Array) -> Array:
        return np.interp(times, curve.time, curve.sharpness)

    # A reading knows nothing of late times.
    return Description("reading", predict, math.nan, 0.0, True, np.empty(0))


def _edges(name: str, found: Description, result: BridgeResult, etas: Array) -> tuple[Array, Array]:
    """Edge times and statuses at `etas` of a description; those of the toy's descent lag."""
    edge, status = crossings(found, result.curve, 2 / etas)
    if name != "toy descent":
        return edge, status
    values = result.space.parameters(found.point)
    edge = lagged_edges(values, edge, etas, result.curve.step_size)
    within = np.isin(status, ("inside", "extrapolated"))
    late = np.where(edge <= result.curve.span, "inside", "extrapolated")
    status = np.where(within, np.where(np.isfinite(edge), late, "unreliable"), status)
    return edge, status


def _resampled_edges(
    name: str,
    found: Description,
    result: BridgeResult,
    etas: Array,
    draws: int,
    rng: np.random.Generator,
) -> Array:
    """Edge times (draws, levels) of refits to curves with resampled residuals."""
    curve = result.curve
    fitted = found.predict(curve.time)
    residual = np.log(curve.sharpness) - np.log(fitted)
    block = block_length(residual)
    edges = np.full((draws, len(etas)), np.nan)
    scales = 2 if "time_scale" in result.free else 1
    for i in range(draws):
        noisy = fitted * np.exp(resampled(residual, block, rng))
        again = Curve(curve.time, noisy, curve.used, curve.step_size)
        edges[i], _ = _edges(name, redescribe(found, again, scales), result, etas)
    return edges


def _profile_edges(name: str, result: BridgeResult, etas: Array) -> Array:
    """Edge times (points, levels) of all parameters that the profile found to fit as well."""
    rows = []
    for point in result.profile.points:
        values = result.space.parameters(point)
        rows.append(_edges(name, toy_description(values, result.curve, True, point), result, etas))
    return np.array([edge for edge, _ in rows])


def _widened(low: Array, high: Array, edges: Array) -> tuple[Array, Array]:
    """The interval with `edges` in it; an edge that is never reached is infinite."""
    late = np.where(np.isfinite(edges), edges, np.inf)
    return np.minimum(low, late.min(axis=0)), np.maximum(high, late.max(axis=0))


def _interval(edges: Array, centre: Array) -> tuple[Array, Array]:
    """Quantiles over draws; a draw without a crossing is an infinite time; NaN without a centre."""
    late = np.where(np.isfinite(edges), edges, np.inf)
    low = np.quantile(late, LOW, axis=0, method="lower")
    high = np.quantile(late, HIGH, axis=0, method="higher")
    missing = ~np.isfinite(centre)
    return np.where(missing, np.nan, low), np.where(missing, np.nan, high)


def _dataset(
    result: BridgeResult, etas: Array, table: dict[str, Array], status: Array, seed: int
) -> xr.Dataset:
    over = ("model", "step_size")
    data = xr.Dataset(
        coords={
            "model": list(FORECASTS),
            "step_size": ("step_size", etas, {"long_name": "step size eta", "units": "time"}),
        }
    )
    for key, (long_name, units) in NUMBERS.items():
        data[key] = (over, table[key], {"long_name": long_name, "units": units})
    data["status"] = (over, status.astype(str), {"long_name": "how far to trust the row"})
    values = result.values
    alpha, b_norm = values["alpha"], values["beta_norm"]
    largest = 2 * math.sqrt(alpha - 1) / (alpha * b_norm) if alpha >= 2 else 1 / b_norm
    beyond = etas * values["sharpness_scale"] > largest
    data["beyond_stable"] = ("step_size", beyond.astype(np.int8), {"units": "1"})
    data["beyond_stable"].attrs["long_name"] = "1: no stable minimum in the fitted toy (G3)"
    data.attrs = {
        "title": "forecast from a small-step run",
        "fit_status": result.status,
        "fit_message": result.message,
        "window": result.curve.span,
        **provenance(method="forecast", seed=seed, fit=result.dataset.attrs["configuration"]),
    }
    return data
