"""Forecasts beside what happened."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from linmodel.arguments import typed
from linmodel.errors import refuse
from realnet.bridge.curve import rise_time, step_size_of
from realnet.bridge.forecasting import step_of
from realnet.bridge.status import NONE
from realnet.bridge.threshold import factor_of


@typed
def observed(run: xr.Dataset) -> dict[str, float]:
    """edge_time and edge_step at which a run's sharpness first rises through its edge (interpolated
    between evaluations; NaN where it never does), and plateau: the mean over the last quarter.

    Raises InvalidInput when the run does not carry its step size or has no sharpness.
    """
    eta = step_size_of(run)
    if "sharpness" not in run or eta is None:
        refuse("observed run", sorted(map(str, run.variables)), "sharpness and attribute step_size")
    time = np.asarray(run["time"].values, dtype=float)
    values = np.asarray(run["sharpness"].values, dtype=float)
    keep = np.isfinite(values)
    time, values = time[keep], values[keep]
    edge = rise_time(time, values, factor_of(run) / eta)
    late = values[time >= 0.75 * time[-1]] if len(time) else values
    return {
        "edge_time": edge,
        "edge_step": float(step_of(edge, eta)),
        "plateau": float(late.mean()) if len(late) else math.nan,
    }


@typed
def compare(predicted: xr.Dataset, runs: list[xr.Dataset]) -> xr.Dataset:
    """The forecast beside what was observed, on (rule, run).

    `edge_log_error` = log(predicted / observed edge time), `plateau_log_error` likewise; NaN where
    either is missing; `agrees`: both say that there is an edge, or both that there is none;
    `held`: 1 where the observed edge lies in the interval, 0 where not, NaN without both. The step
    size of every run must be among the forecast's. Raises InvalidInput otherwise.
    """
    if "rule" not in predicted.dims or "step_size" not in predicted.dims:
        refuse("predicted", sorted(map(str, predicted.dims)), "a Dataset of forecast()")
    rows = [observed(run) for run in runs]
    etas = [float(step_size_of(run) or math.nan) for run in runs]
    columns = []
    for eta in etas:
        near = np.flatnonzero(np.isclose(predicted["step_size"].values, eta, rtol=1e-6))
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
    seen = chosen.observed_edge_time
    both = np.isfinite(chosen.edge_time) == np.isfinite(seen)
    chosen["agrees"] = both.where(chosen.status != NONE, False).astype(np.int8)
    within = (chosen.low <= seen) & (seen <= chosen.high)
    chosen["held"] = within.where(np.isfinite(chosen.low) & np.isfinite(seen))
    chosen["held"].attrs = {"long_name": "1: the observed edge is in the interval", "units": "1"}
    return chosen
