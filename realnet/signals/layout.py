"""The Dataset that evidence is: names, dimensions, units. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from linmodel.errors import refuse

ATTRIBUTES = {
    "loss": ("1", "loss of one sample before the step"),
    "slope": ("1 / sqrt(time)", "g_i.u: derivative of the sample's loss along u"),
    "curvature": ("1 / time", "u'H_i u: second derivative of the sample's loss along u"),
    "response": ("1", "||J_i u||: change of the sample's outputs along u"),
    "alignment": ("1", "g_i.g / g.g, g the mean gradient: averages to 1"),
    "eigenvalue": ("1 / time", "top eigenvalues of the full-batch loss Hessian, descending"),
    "residual": ("1 / time", "||H u - eigenvalue u||"),
    "penultimate": ("1", "scores on the penultimate features' leading components, unit sd"),
    "input_norm": ("1", "Euclidean norm of the sample's input (tokens: one-hot)"),
}
DIMENSIONS = {
    "slope": ("checkpoint", "direction", "sample"),
    "curvature": ("checkpoint", "direction", "sample"),
    "response": ("checkpoint", "direction", "sample"),
    "alignment": ("checkpoint", "sample"),
    "eigenvalue": ("checkpoint", "direction"),
    "residual": ("checkpoint", "direction"),
    "penultimate": ("checkpoint", "sample", "component"),
}


def as_dataset(
    loss: NDArray,
    time: NDArray,
    looks: Mapping[str, NDArray],
    input_norm: NDArray,
    label: NDArray,
    attrs: Mapping[str, object],
) -> xr.Dataset:
    """loss (records, N) on `time` (records,); `looks`: DIMENSIONS' arrays, "step" and "time"."""
    content = {name: (axes, looks[name]) for name, axes in DIMENSIONS.items() if name in looks}
    found = xr.Dataset(
        {
            **content,
            "loss": (("time", "sample"), loss),
            "label": ("sample", label),
            "input_norm": ("sample", input_norm),
        },
        coords={
            "time": ("time", time),
            "checkpoint": ("checkpoint", looks["time"]),
            "checkpoint_step": ("checkpoint", looks["step"]),
        },
        attrs=dict(attrs),
    )
    for name in ATTRIBUTES.keys() & found.variables.keys():
        units, long_name = ATTRIBUTES[name]
        found[name].attrs = {"units": units, "long_name": long_name}
    found["time"].attrs = {"units": "time", "long_name": "step size x step"}
    found["checkpoint"].attrs = {"units": "time", "long_name": "step size x step, where looked"}
    return found


def check(evidence: xr.Dataset, needed: Sequence[str]) -> None:
    """Refuse evidence without `needed`, or with a value in them that is no number."""
    missing = [name for name in needed if name not in getattr(evidence, "variables", ())]
    if missing:
        refuse("evidence", f"without {', '.join(missing)}", "a Dataset of Evidence.dataset()")
    broken = [name for name in needed if not np.isfinite(evidence[name].values).all()]
    if broken:
        refuse("evidence", f"not finite in {', '.join(broken)}", "finite numbers, as it records")


def record_index(evidence: xr.Dataset) -> NDArray[np.int64]:
    """Which record on `time` each checkpoint is."""
    time, looked = evidence.time.values, evidence.checkpoint.values
    return np.abs(time[None, :] - looked[:, None]).argmin(axis=1)
