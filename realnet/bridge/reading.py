"""A sharpness curve from a file of one's own: run folder, NetCDF, or CSV."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from linmodel.arguments import typed
from linmodel.errors import InvalidInput, real, refuse
from linmodel.problem import Array
from linmodel.store import load
from realnet.bridge.curve import step_size_of
from realnet.training.runfolder import load_run

# Names by which a column is found, in lower case, the first that is there.
NAMES = {
    "time": ("time", "t"),
    "step": ("step", "steps", "iteration", "iter", "global_step", "_step"),
    "sharpness": ("sharpness", "lambda_max", "top_eigenvalue", "max_eigenvalue"),
    "step_size": ("step_size", "learning_rate", "lr", "eta"),
}
NETCDF = (b"\x89HDF", b"CDF\x01", b"CDF\x02", b"CDF\x05")
# Relative difference between a file's time and step x step size that is rounding.
ROUNDING = 1e-3


@dataclass(frozen=True)
class Columns:
    """Names of the columns (CSV) or variables (NetCDF) to read; None: found by name."""

    time: str | None = None
    step: str | None = None
    sharpness: str | None = None


@typed
def read_curve(
    path: str | Path, *, step_size: float | None = None, columns: Columns | None = None
) -> xr.Dataset:
    """sharpness on time = step size x step, with attribute step_size where it is known.

    A run folder; a NetCDF file; or text with a header, columns separated by commas, semicolons or
    tabs, among them sharpness and time or step (`columns`, or the names in NAMES). Rows without a
    sharpness are skipped: it is measured less often than the loss. `step_size` where the file does
    not say it (attribute or column step_size).

    Raises InvalidInput: nothing there, unreadable, a column missing, text for numbers, steps
    without a step size, another step size than the file's, time that is not step size x step.
    """
    path, columns = Path(path), columns or Columns()
    if step_size is not None:
        step_size = real("step size of the run", step_size, above=0)
    if path.is_dir():
        return _with_step_size(load_run(path), step_size, path)
    if not path.is_file():
        refuse("run", str(path), "a run folder, a NetCDF file or a CSV file that exists")
    with path.open("rb") as file:
        head = file.read(4)
    if head in NETCDF:
        return _of_netcdf(load(path), step_size, columns, path)
    return _of_text(path, step_size, columns)


def _with_step_size(run: xr.Dataset, given: float | None, path: Path) -> xr.Dataset:
    """`run` with the step size given, unless it says another."""
    if given is None:
        step_size_of(run)
        return run
    try:
        stated = step_size_of(run)
    except InvalidInput:
        stated = None
    _agree(stated, given, path)
    return run.assign_attrs(step_size=given)


def _agree(stated: float | None, given: float | None, path: Path) -> None:
    if stated is not None and given is not None and not math.isclose(stated, given, rel_tol=1e-6):
        refuse(
            f"step size of {path}", given, f"{stated:g}, as the file says", "Leave the option out."
        )


def _of_netcdf(run: xr.Dataset, given: float | None, columns: Columns, path: Path) -> xr.Dataset:
    run = _with_step_size(run, given, path)
    eta = step_size_of(run)
    sharpness = _found(run.variables, "sharpness", columns.sharpness, path)
    if sharpness is None or run[sharpness].ndim != 1:
        shown = sorted(map(str, run.variables))
        refuse(f"variables of {path}", shown, "sharpness on one dimension, and time or step")
    along = run[sharpness].dims
    there = {
        kind: None if name is None or run[name].dims != along else run[name].values
        for kind, name in (
            ("time", _found(run.variables, "time", columns.time, path)),
            ("step", _found(run.variables, "step", columns.step, path)),
        )
    }
    time = _time(there["time"], there["step"], eta, path)
    found = xr.Dataset({"sharpness": ("time", run[sharpness].values)}, coords={"time": time})
    return found.assign_attrs(run.attrs)


def _found(there: Mapping, kind: str, chosen: str | None, path: Path) -> str | None:
    """The name under which `kind` is there: the one chosen, or the first known one."""
    names = {str(name).strip().lower(): str(name) for name in there}
    if chosen is not None:
        if chosen not in map(str, there):
            refuse(f"{kind} column of {path}", chosen, "one of " + ", ".join(map(str, there)))
        return chosen
    return next((names[name] for name in NAMES[kind] if name in names), None)


def _of_text(path: Path, given: float | None, columns: Columns) -> xr.Dataset:
    table = _table(path)
    sharpness = _found(table, "sharpness", columns.sharpness, path)
    if sharpness is None:
        allowed = "a column sharpness, and time or step"
        refuse(f"columns of {path}", sorted(table), allowed, "Or choose them by option.")
    kept = [bool(cell) for cell in table[sharpness]]
    if not any(kept):
        refuse(f"column {sharpness} of {path}", "without a value", "numbers")

    def numbers(kind: str, chosen: str | None) -> Array | None:
        name = _found(table, kind, chosen, path)
        return None if name is None else _numbers(table[name], kept, name, path)

    stated = numbers("step_size", None)
    if stated is not None and (np.unique(stated).size != 1 or not stated[0] > 0):
        refuse(f"step size in {path}", "a column that changes", "one number > 0 in all its rows")
    eta = given if stated is None else float(stated[0])
    _agree(None if stated is None else float(stated[0]), given, path)
    time = _time(numbers("time", columns.time), numbers("step", columns.step), eta, path)
    values = _numbers(table[sharpness], kept, sharpness, path)
    found = xr.Dataset({"sharpness": ("time", values)}, coords={"time": time})
    return found if eta is None else found.assign_attrs(step_size=eta)


def _time(time: Array | None, step: Array | None, eta: float | None, path: Path) -> Array:
    """Time = step size x step, from whichever is there; both must agree."""
    if time is None and step is None:
        refuse(f"columns of {path}", "neither time nor step", "one of the two beside sharpness")
    if step is None or (eta is None and time is not None):
        return np.asarray(time)
    if eta is None:
        refuse(
            f"step size of {path}",
            None,
            "a number > 0: it has steps and no time",
            "Give --of-step-size (or --second-step-size), in Python step_size.",
        )
    scaled = eta * np.asarray(step, dtype=float)
    if time is None or np.asarray(time).dtype.kind not in "iuf":
        return scaled
    if not np.allclose(time, scaled, rtol=ROUNDING, atol=ROUNDING * float(np.abs(scaled).max())):
        raise InvalidInput(
            f"{path} has time {float(time[-1]):g} at step {float(step[-1]):g}; allowed: time = step"
            f" size x step = {float(scaled[-1]):g} at step size {eta:g}. Choose the column to read,"
            " or mend the step size."
        )
    return scaled


def _table(path: Path) -> dict[str, list[str]]:
    """Header and cells of a text file, stripped. Raises InvalidInput."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"{path} cannot be read ({error}); allowed: a run folder, NetCDF, or CSV as UTF-8 text."
        ) from error
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(lines) < 2:
        refuse(str(path), f"{len(lines)} lines", "a header and rows of numbers")
    mark = max(",;\t", key=lines[0].count)
    header, *rows = csv.reader(lines, delimiter=mark)
    header = [name.strip() for name in header]
    if len(set(header)) < len(header):
        refuse(f"header of {path}", header, "names that are all different")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            refuse(f"row {number} of {path}", f"{len(row)} cells", f"{len(header)}, as the header")
    return {name: [row[i].strip() for row in rows] for i, name in enumerate(header)}


def _numbers(cells: list[str], kept: list[bool], name: str, path: Path) -> Array:
    values = []
    for place, (cell, keep) in enumerate(zip(cells, kept, strict=True), start=2):
        if keep:
            try:
                values.append(float(cell))
            except ValueError:
                refuse(f"column {name} of {path}, row {place}", cell, "a number")
    return np.array(values)
