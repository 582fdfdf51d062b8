"""How near a run came to its own optimiser's edge. No torch."""

from __future__ import annotations

import numpy as np
import xarray as xr

OWN_EDGE = "the optimiser's own sharpness over its own threshold, mean of the last half"


def own_edge(run: xr.Dataset) -> float:
    """OWN_EDGE of a run observed by `edges`; NaN where nothing of it could be measured.

    Adam: preconditioned sharpness over 2 (1 + b1)/((1 - b1) eta); minibatches: batch sharpness
    over 2/eta; else the sharpness over the threshold recorded at each evaluation (G1, G9, G10),
    with eta the step size of then.
    """
    if "preconditioned_sharpness" in run:
        ratio = run.preconditioned_sharpness / run.preconditioned_threshold
    elif "batch_sharpness" in run:
        ratio = run.batch_sharpness / run.threshold
    else:
        ratio = run.sharpness / run.threshold
    late = ratio.values[run.time.values >= run.time.values[-1] / 2]
    late = late[np.isfinite(late)]
    return float(late.mean()) if len(late) else float("nan")
