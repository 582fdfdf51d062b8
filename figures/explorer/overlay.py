"""A real run laid over the toy's curves, scaled by the bridge's fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from linmodel.errors import InvalidInput, real, refuse
from linmodel.store import load

MOST_POINTS = 3000
# Without a step size the page needs one: a share of the fitted toy's 2 / sharpness at the end.
SHARE = 0.8
STEPS = (10, 20_000)


def read_curve(path: str | Path, step_size: float | None = None) -> xr.Dataset:
    """sharpness on time of a run folder, a NetCDF file, or a CSV file with a header.

    CSV: columns `sharpness` and `time` (step size x step), or `step` with `step_size` given.
    Raises InvalidInput for what cannot be read.
    """
    path = Path(path)
    if path.suffix.lower() == ".csv" and path.is_file():
        return _read_csv(path, step_size)
    if path.is_file():
        dataset = load(path)
    else:
        from realnet.training.runfolder import load_run  # late: realnet is the heavier package

        dataset = load_run(path)
    if step_size is not None:
        dataset.attrs["step_size"] = real("step_size", step_size, above=0)
    return dataset


def overlay(run: xr.Dataset, name: str) -> dict[str, object]:
    """The run's curve in the toy's units, and the fitted state to begin with, ready for JSON.

    Sharpness is divided by the fit's sharpness scale and time by its time scale. Raises
    InvalidInput where the bridge cannot fit the run.
    """
    from realnet.bridge import fit
    from realnet.bridge.toy import start_of

    found = fit(run)
    values = found.values
    time = np.asarray(run["time"].values, dtype=float) / values["time_scale"]
    sharpness = np.asarray(run["sharpness"].values, dtype=float) / values["sharpness_scale"]
    keep = np.linspace(0, len(time) - 1, min(len(time), MOST_POINTS)).round().astype(int)
    start = start_of(values["k"], values["aligned_share"])
    if "step_size" in run.attrs:
        eta = float(run.attrs["step_size"]) * values["sharpness_scale"]
    else:
        eta = SHARE * 2 / float(sharpness.max())
    first = {
        **{key: float(values[key]) for key in ("alpha", "beta_norm", "k")},
        **{key: float(np.asarray(value)) for key, value in start.as_dict().items()},
        "start": "numbers",
        "step_size": eta,
        "steps": int(np.clip(round(float(time[-1]) / eta), *STEPS)),
    }
    scales = (
        f"sharpness / {values['sharpness_scale']:.4g}, time / {values['time_scale']:.4g} (the fit)"
    )
    return {
        "time": time[keep].tolist(),
        "sharpness": sharpness[keep].tolist(),
        "message": f"Real run {name}: {found.status}: {found.message}. Shown: {scales}.",
        "first": first,
    }


def _read_csv(path: Path, step_size: float | None) -> xr.Dataset:
    try:
        table = pd.read_csv(path, encoding="utf-8-sig")
    except (ValueError, OSError) as error:
        raise InvalidInput(f"{path} cannot be read as CSV ({error}).") from error
    table.columns = [str(column).strip().lower() for column in table.columns]
    if "sharpness" not in table or not {"time", "step"} & set(table.columns):
        allowed = "a header with sharpness and time, or sharpness and step"
        refuse(f"columns of {path}", list(table.columns), allowed)
    try:
        wanted = [name for name in ("time", "step", "sharpness") if name in table]
        columns = {name: table[name].to_numpy(dtype=float) for name in wanted}
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{path} has entries that are not numbers ({error}).") from error
    if "time" in columns:
        time = columns["time"]
    elif step_size is not None:
        time = columns["step"] * real("step_size", step_size, above=0)
    else:
        refuse(f"columns of {path}", list(columns), "time", "Or give --step-size for its steps.")
    run = xr.Dataset({"sharpness": ("time", columns["sharpness"])}, coords={"time": time})
    if step_size is not None:
        run.attrs["step_size"] = real("step_size", step_size, above=0)
    return run
