"""Evaluations as a Dataset on `time`, and back again from a file."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import xarray as xr
from torch import Tensor

from linmodel import store
from linmodel.errors import refuse
from realnet.edges.evaluation import Edges

UNITS = {
    "step": ("1", "number of steps done"),
    "loss": ("1", "loss over all data"),
    "step_size": ("step size", "eta, as the optimiser had it"),
    "two_over_eta": ("1 / time", "2/eta"),
    "products": ("1", "Hessian-vector products spent on the evaluation"),
    "gradients": ("1", "gradients over all data spent on the evaluation"),
    "passes": ("1", "forward passes over all data spent on the evaluation"),
    "seconds": ("s", "wall time of the evaluation"),
}
PARTS = {
    "threshold": "{} at which the optimiser turns unstable",
    "low": "{}: lower end of the 95% interval",
    "high": "{}: upper end of the 95% interval",
    "missed": "{}: bound on the probability that a larger one was missed",
    "step": "{}: step of the differences of gradients that products were",
    "doubt": "{}: by how much these differences may put it off",
}
PURE = ("missed", "step")  # numbers without the quantity's unit
KIND = "opposing-signals history"


class History:
    """Rows of numbers, one an evaluation; a number that an evaluation has not got is NaN."""

    def __init__(self) -> None:
        self.name = ""  # of the optimiser
        self.rows: list[dict[str, float]] = []
        self.about: dict[str, tuple[str, str]] = dict(UNITS)
        self.sources: dict[str, str] = {}

    def add(self, found: Edges, name: str) -> None:
        """One evaluation; `name`: of the optimiser."""
        eta = math.nan if found.step_size is None else found.step_size
        row = {
            "time": found.time,
            "step": found.step,
            "step_size": eta,
            "two_over_eta": 2 / eta if eta else math.inf,
        }
        row |= {"products": found.products, "gradients": found.gradients, "passes": found.passes}
        row |= {"seconds": found.seconds, "loss": math.nan if found.loss is None else found.loss}
        for quantity in found.quantities:
            one = found.values[quantity.name]
            self.about[quantity.name] = quantity.unit, quantity.definition
            self.sources[quantity.name] = quantity.source
            row[quantity.name] = one.value
            for part, text in PARTS.items():
                value = getattr(one, part)
                if value is not None:
                    key = f"{quantity.name}_{part}"
                    unit = "1" if part in PURE else quantity.unit
                    self.about[key] = unit, text.format(quantity.name)
                    row[key] = value
            row[f"{quantity.name}_converged"] = float(one.converged)
            self.about[f"{quantity.name}_converged"] = "1", "within the tolerance asked"
            values = one.more.get("values")
            if isinstance(values, Tensor) and len(values) > 1:
                for i, value in enumerate(values.tolist()):
                    row[f"{quantity.name}_{i + 1}"] = value
                    long_name = f"{quantity.name}: number {i + 1}"
                    self.about[f"{quantity.name}_{i + 1}"] = quantity.unit, long_name
        self.rows.append(row)
        self.name = name

    def redate(self, count: int) -> tuple[int, float]:
        """Put the last rows at step and time of the first of them, which are returned."""
        first = self.rows[-count]
        for row in self.rows[-count:]:
            row |= {"step": first["step"], "time": first["time"]}
        return int(first["step"]), first["time"]

    def dataset(self) -> xr.Dataset:
        """All rows on dimension `time`; attributes threshold and step_size where constant."""
        names = dict.fromkeys(name for row in self.rows for name in row if name != "time")
        time = np.array([row["time"] for row in self.rows], dtype=float)
        data = xr.Dataset(coords={"time": time})
        data["time"].attrs = {"units": "step size x step", "long_name": "time"}
        for name in names:
            units, long_name = self.about[name]
            values = np.array([row.get(name, math.nan) for row in self.rows], dtype=float)
            data[name] = ("time", values, {"units": units, "long_name": long_name})
            if name in self.sources:
                data[name].attrs["source"] = self.sources[name]
        constants: dict[str, float] = {}
        for name, key in (("step_size", "step_size"), ("sharpness_threshold", "threshold")):
            if name in data and _constant(data[name].values):
                constants[key] = float(data[name].values[0])
        about = {"kind": KIND, "optimiser": self.name}
        return data.assign_attrs(about | constants | dict(store.provenance()))

    def load(self, path: str | Path) -> tuple[int, float]:
        """Go on from a saved history; returns the steps and time that were done.

        Raises InvalidInput: damaged, or of another kind.
        """
        data = store.load(path)
        if data.attrs.get("kind") != KIND or "time" not in data.dims:
            refuse("history", str(path), "a file that tracker.save wrote")
        names = [str(name) for name in data.data_vars]
        self.about |= {
            name: (data[name].attrs["units"], data[name].attrs["long_name"]) for name in names
        }
        self.sources |= {
            name: data[name].attrs["source"] for name in names if "source" in data[name].attrs
        }
        self.name = str(data.attrs["optimiser"])
        self.rows = [
            {"time": float(data.time[i])}
            | {name: float(data[name][i]) for name in names if not np.isnan(data[name][i])}
            for i in range(data.sizes["time"])
        ]
        return int(data.attrs["steps_done"]), float(data.attrs["time_done"])


def _constant(values: Iterable[float]) -> bool:
    found = np.asarray(list(values), dtype=float)
    return bool(len(found)) and bool(np.isfinite(found).all()) and bool((found == found[0]).all())
