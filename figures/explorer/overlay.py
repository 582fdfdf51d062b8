"""A real run laid over the toy's curves, scaled by the bridge's fit."""

from __future__ import annotations

import numpy as np
import xarray as xr

from linmodel.problem import Array
from realnet.bridge import fit
from realnet.bridge.curve import step_size_of
from realnet.bridge.threshold import own_edge
from realnet.bridge.toy import ToyParameters

MOST_POINTS = 3000
# Without a known edge the page needs one: 2/eta at this share of the run's largest sharpness.
SHARE = 0.8
STEPS = (10, 20_000)


def overlay(run: xr.Dataset, name: str) -> dict[str, object]:
    """The run's curve in the toy's units, and the fitted state to begin with, ready for JSON.

    Sharpness is divided by the fit's sharpness scale and time by its time scale. Raises
    InvalidInput where the bridge cannot fit the run.
    """
    found = fit(run)
    toy = found.values
    time = np.asarray(run["time"].values, dtype=float) / toy.time_scale
    sharpness = np.asarray(run["sharpness"].values, dtype=float) / toy.sharpness_scale
    keep = np.linspace(0, len(time) - 1, min(len(time), MOST_POINTS)).round().astype(int)
    scales = f"sharpness / {toy.sharpness_scale:.4g}, time / {toy.time_scale:.4g} (the fit)"
    return {
        "time": time[keep].tolist(),
        "sharpness": sharpness[keep].tolist(),
        "message": f"Real run {name}: {found.status}: {found.message}. Shown: {scales}.",
        "first": _first(toy, own_edge(run, step_size_of(run)), time, sharpness),
    }


def _first(
    toy: ToyParameters, edge: float | None, time: Array, sharpness: Array
) -> dict[str, object]:
    """The page's first state: the fitted toy, at the run's own edge, for the run's time."""
    level = SHARE * float(np.nanmax(sharpness)) if edge is None else edge / toy.sharpness_scale
    eta = 2 / level
    return {
        **{name: _short(getattr(toy, name)) for name in ("alpha", "beta_norm", "k")},
        **{name: _short(value) for name, value in toy.start.as_dict().items()},
        "start": "numbers",
        "step_size": _short(eta),
        "steps": int(np.clip(round(float(time[-1]) / eta), *STEPS)),
    }


def _short(value: float) -> float:
    """Six digits: what a field can show, and far more than a fit can tell."""
    return float(f"{value:.6g}")
