"""The one currency: trajectories as an xarray.Dataset with units and the full configuration."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from linmodel.arguments import typed
from linmodel.landscape import group_losses, loss, opposing_curvature, sharpness
from linmodel.problem import Array, OpposingSignals, State
from linmodel.store import provenance

MODEL = "two-layer linear model of opposing signals"
LABELS = {
    "time": ("time (step size x step)", "1/(loss curvature)"),
    "step": ("gradient descent step", "1"),
    "c": ("second-layer weight c", "1"),
    "epsilon": ("b along beta / ||beta||, epsilon", "1"),
    "n": ("rest of b, n", "1"),
    "o": ("opposing weight P b_o, o", "1"),
    "log_abs_o": ("natural logarithm of |o|", "1"),
    "sign_o": ("sign of o", "1"),
    "loss": ("loss above its minimum (factor 1/2)", "loss"),
    "loss_plus": ("mean loss of the outliers with x_o = +a (M9)", "loss"),
    "loss_minus": ("mean loss of the outliers with x_o = -a (M9)", "loss"),
    "opposing_curvature": ("opposing curvature alpha c^2", "curvature"),
    "sharpness": ("sharpness: largest Hessian eigenvalue (H1)", "curvature"),
    "t_dip": ("time of the first minimum of alpha c^2 (F4)", "1/(loss curvature)"),
    "t_edge": ("first time alpha c^2 rises through 2/eta (F10)", "1/(loss curvature)"),
}


@typed
def label(dataset: xr.Dataset) -> xr.Dataset:
    """Attach long_name and units to every variable that `LABELS` knows."""
    for name, variable in dataset.variables.items():
        if name in LABELS:
            variable.attrs["long_name"], variable.attrs["units"] = LABELS[str(name)]
    return dataset


def head(method: str, title: str, **configuration: object) -> dict[str, Any]:
    """The attributes that every Dataset of the model has: title, method, conventions, provenance.

    configuration  what made it (problem, start, settings, ...), ready for JSON
    """
    return {
        "title": title,
        "method": method,
        "loss_factor": "1/2",
        "time_unit": "step size x step",
        **provenance(method=method, **configuration),
    }


@typed
def trajectory(
    problem: OpposingSignals,
    start: State,
    time: Array,
    states: State,
    *,
    method: str,
    t_dip: float,
    t_edge: float,
    extra: dict[str, Array] | None = None,
    **settings: object,
) -> xr.Dataset:
    """Dataset on `time` of the states and everything the model says of them.

    `method` is "flow", "descent" or "closed_form"; `settings` (tolerances, step size) go into the
    attribute `configuration` with the problem and the start.
    """
    columns: dict[str, object] = dict(zip(("c", "epsilon", "n", "o"), states, strict=True))
    columns["loss"] = loss(problem, states)
    columns["opposing_curvature"] = opposing_curvature(problem, states)
    columns["sharpness"] = sharpness(problem, states)
    if problem.support == "aligned":
        columns["loss_plus"], columns["loss_minus"] = group_losses(problem, states)
    columns.update(extra or {})
    dataset = xr.Dataset(
        {name: ("time", np.asarray(values)) for name, values in columns.items()},
        coords={"time": time},
    )
    dataset["t_dip"] = t_dip
    dataset["t_edge"] = t_edge
    dataset.attrs = head(
        method,
        f"{MODEL}: {method.replace('_', ' ')}",
        problem=problem.as_dict(),
        start=start.as_dict(),
        settings=settings,
    )
    return label(dataset)
