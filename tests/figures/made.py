"""Made-up Datasets in the shapes that the figures read."""

from functools import cache

import numpy as np
import xarray as xr

from figures.bridge import forecast_of
from linmodel.store import provenance
from realnet.bridge import calibration
from realnet.bridge.calibration import cases
from realnet.bridge.coverage import coverage
from realnet.bridge.fitting import fit
from realnet.bridge.rivals import MODELS, SHARES
from realnet.bridge.scoring import compare
from realnet.bridge.uncertainty import bootstrap, identifiability

# Larger and smaller step size of the made-up runs.
ETA, SMALL = 0.05, 0.02


def ledger_data():
    """Three claims with three verdicts."""
    verdicts = ["proved", "proved", "refuted"]
    columns = {
        "title": ["loss", "dip", "growth"],
        "latex": [r"L = \tfrac12", "c", ""],
        "statement": ["L = 1/2 ...", "one minimum", "O(alpha e^(Bt))"],
        "verdict": verdicts,
        "recorded": verdicts,
        "method": ["sympy", "z3 + sympy", "witness"],
        "evidence": ["2 checks", "<b>not markup</b>", "witness: " + "x " * 300],
    }
    table = xr.Dataset(
        {name: ("claim", np.array(values, dtype="U700")) for name, values in columns.items()},
        coords={"claim": ["M1", "F4", "S5"]},
    )
    table["seconds"] = ("claim", [0.1, 0.2, 0.3])
    table.attrs["credit"] = "4 steps by machine, 1 by hand"
    return {"claims": table}


def _run(eta, steps, sharpness):
    """A run whose sharpness is the function `sharpness` of time."""
    step = np.arange(0, steps + 1, 4)
    every = eta * np.arange(steps)
    run = xr.Dataset(coords={"time": eta * step, "step_time": every})
    run["sharpness"] = ("time", sharpness(eta * step), {"units": "1 / time"})
    run["loss"] = ("time", np.exp(-eta * step), {"units": "1", "long_name": "loss"})
    run["step_loss"] = ("step_time", np.exp(-every))
    run.attrs = {
        "step_size": eta,
        "two_over_eta": 2 / eta,
        **provenance(net="cnn", data="mnist5k", size=300),
    }
    return run


def run_data(reaches=True):
    """Two runs and the second short one; sharpness at the larger step size passes 2/eta = 40 at
    time 1.5, if it `reaches`."""
    top = 50 if reaches else 35

    def small(t):
        return 25 + (top - 25) * (1 - np.exp(-t / 1.5 * np.log(25 / 10)))

    def large(t):
        return np.where(t < 4, small(t), 30.0)

    runs = {"large": _run(ETA, 160, large), "small": _run(SMALL, 160, small)}
    return runs | {"second": _run(2 * SMALL, 40, small)}


@cache
def bridge_data():
    """What the figure `bridge` computes, from the made-up runs, with few draws."""
    runs = run_data()
    result = fit(runs["small"])
    table = xr.Dataset(
        {
            "error": (("share", "model"), np.full((len(SHARES), len(MODELS)), 0.1)),
            "best": ("share", ["toy"] * len(SHARES)),
        },
        coords={"share": list(SHARES), "model": list(MODELS)},
    )
    return {
        "fit": result.dataset,
        "intervals": bootstrap(result, draws=10),
        "combinations": identifiability(result),
        "rivals": table,
        "forecast": compare(forecast_of(runs, 0), [runs["large"]]),
        "coverage": coverage(cases(calibration.table())),
        "large": runs["large"],
        "second": runs["second"],
    }
