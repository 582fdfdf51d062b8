"""The Dataset around a sweep's results: coordinates, units, meanings of codes, configuration."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from linmodel.curves import LABELS, MODEL, head
from linmodel.sweeps.plan import Column, Plan

FAST, SAFE, FAILED = 0, 1, 2
FLOW_STATUS = ("kernel", "safe_path", "failed")
DESCENT_STATUS = ("running", "settled", "diverged")
REGIMES = ("like_flow", "catapult", "oscillating", "diverged", "unfinished")

_MORE_LABELS = {
    "alpha": ("magnitude of the opposing signal, alpha", "1"),
    "beta_norm": ("strength of the signal, B = ||beta||", "1"),
    "k": ("pervasiveness of the opposing signal, k = d2/d1", "1"),
    "step_size": ("step size eta", "1/(loss curvature)"),
    "time_scale": ("unit of the dimension time", "1/(loss curvature)"),
    "dip_depth": ("alpha c^2 at the dip over alpha c^2 at the start", "1"),
    "final_sharpness": ("sharpness at the last time or step (H1)", "curvature"),
    "final_c": ("c after the last step", "1"),
    "final_epsilon": ("epsilon after the last step", "1"),
    "final_n": ("n after the last step", "1"),
    "final_log_abs_o": ("natural logarithm of |o| after the last step", "1"),
    "peak_curvature": ("largest alpha c^2 on the way", "curvature"),
    "steps_taken": ("steps taken; fewer than asked for where descent diverged", "1"),
    "status": ("how the cell ended", "1"),
    "regime": ("regime of gradient descent", "1"),
}


def flags(words: tuple[str, ...]) -> dict[str, Any]:
    """CF attributes of codes 0, 1, 2, ...: what each means."""
    return {"flag_values": list(range(len(words))), "flag_meanings": " ".join(words)}


def attributes(variable: str, method: str) -> dict[str, Any]:
    """long_name, units and, for codes, the meaning of 0, 1, 2, ... of a result or coordinate."""
    long_name, units = (LABELS | _MORE_LABELS)[variable]
    found: dict[str, Any] = {"long_name": long_name, "units": units}
    if variable == "regime":
        found |= flags(REGIMES)
    if variable == "status":
        found |= flags(FLOW_STATUS if method == "flow" else DESCENT_STATUS)
    return found


def frame(plan: Plan) -> xr.Dataset:
    """Coordinates and attributes of the sweep, without its results."""
    listed = plan.dims == ("cell",)
    coordinates: dict[str, tuple[str, Column]] = {
        name: ("cell" if listed else name, values) for name, values in plan.axes.items()
    }
    if plan.curves:
        coordinates[plan.time_dim] = (plan.time_dim, plan.grid)
    scaled = plan.method == "flow" and bool((plan.start["scale"] != 1).any())
    if scaled:
        coordinates["time_scale"] = (plan.along["scale"], plan.start["scale"])
    dataset = xr.Dataset(coords=coordinates)
    for name, variable in dataset.coords.items():
        variable.attrs.update(attributes(str(name), plan.method))
    if scaled and "time" in dataset.coords:
        dataset["time"].attrs |= {"units": "time_scale", "long_name": "time / time_scale"}
    dataset.attrs = head(
        plan.method,
        f"{MODEL}: sweep of {_article(plan.method)}",
        dims=list(plan.dims),
        cells=plan.cells,
        ranges={
            name: [float(np.min(values)), float(np.max(values)), len(values)]
            for name, values in (plan.axes | plan.start).items()
        },
        last=float(plan.grid[-1]),
        variables=list(plan.variables),
    )
    dataset.attrs["fingerprint"] = json.dumps(plan.fingerprint(), sort_keys=True)
    return dataset


def fill(plan: Plan, dataset: xr.Dataset, results: dict[str, Column]) -> xr.Dataset:
    """`dataset` with results (cells, ...) laid out along the sweep's dimensions."""
    for name, values in results.items():
        dims = (*plan.dims, plan.time_dim) if name in plan.curves else plan.dims
        shaped = values.reshape(*plan.shape, *values.shape[1:])
        dataset[name] = (dims, shaped, attributes(name, plan.method))
    return dataset


def _article(method: str) -> str:
    return "gradient flow" if method == "flow" else "gradient descent"
