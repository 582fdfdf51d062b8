"""The sharpness at which a run's own optimiser turns unstable: factor / step size.

Descent: 2/eta (S3, G1). Heavy ball m: 2 (1 + m)/eta (G9). For the rest it depends on more than the
sharpness: a run may have recorded it, as attribute `threshold` [curvature].
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from linmodel.errors import real, refuse

DESCENT = 2.0


def optimiser_of(run: xr.Dataset) -> str:
    """The optimiser in the run's configuration; "gd" where it does not say."""
    return str(_configuration(run).get("optimiser", "gd"))


def factor_of(run: xr.Dataset) -> float:
    """threshold x step size of the run's optimiser.

    Raises InvalidInput for an optimiser whose threshold the run has not recorded.
    """
    if "threshold" in run.attrs and "step_size" in run.attrs:
        threshold = real("attribute threshold of the run", run.attrs["threshold"], above=0)
        return threshold * real("attribute step_size of the run", run.attrs["step_size"], above=0)
    optimiser = optimiser_of(run)
    if optimiser == "momentum":
        return DESCENT * (1 + real("momentum", _configuration(run)["momentum"], low=0))
    if optimiser not in ("gd", "flow"):
        refuse(
            "optimiser of the run",
            optimiser,
            "gd, momentum or flow, or a run with the attribute threshold",
            "Sharpness alone does not say where this one turns unstable.",
        )
    return DESCENT


def own_edge(run: xr.Dataset, step_size: float | None) -> float | None:
    """Sharpness at which the run itself leaves the flow; None where that is not known."""
    known = "threshold" in run.attrs or optimiser_of(run) in ("gd", "momentum")
    return None if step_size is None or not known else factor_of(run) / step_size


def levels(run: xr.Dataset) -> NDArray:
    """The sharpness at which the run's optimiser turns unstable, at each evaluation, (time,).

    As recorded there (column `threshold`: schedules, momentum, decay; NaN where the optimiser
    does not see the sharpness); else the attribute `threshold`, and 2/eta where there is neither.
    """
    if "threshold" in run and run["threshold"].dims == ("time",):
        return np.asarray(run["threshold"].values, dtype=float)
    return np.full(run.sizes["time"], level(run.attrs))


def level(attrs: Mapping[str, Any]) -> float:
    """The same as one number, from a run's attributes or those of collected runs."""
    return float(attrs.get("threshold", attrs["two_over_eta"]))


def _configuration(run: xr.Dataset) -> dict[str, Any]:
    try:
        found = json.loads(run.attrs.get("configuration", "{}"))
    except (TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
