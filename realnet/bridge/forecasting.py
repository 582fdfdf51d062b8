"""From one or two small-step runs: when a larger step size reaches the edge, by every rule.

S1: until the edge, descent follows the flow, so at step size eta sharpness first reaches 2/eta at
about the time at which the small-step curve does ("reading"), and later by a lag that two small
runs show ("two runs") and one cannot. G6: from then on its average stays at 2/eta.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from linmodel.arguments import typed
from linmodel.errors import integer, real, refuse
from linmodel.problem import Array
from linmodel.store import provenance
from realnet.bridge.calibration import quantiles
from realnet.bridge.conformal import Quantiles, interval
from realnet.bridge.curve import Curve, measured
from realnet.bridge.pair import pair_of
from realnet.bridge.reading import read_curve
from realnet.bridge.rules import ONE_RUN, RULES, TWO_RUNS, Answer, Question, answers
from realnet.bridge.searching import FULL, Search
from realnet.bridge.threshold import factor_of

NUMBERS = {
    "edge_time": ("time at which sharpness first rises through 2/eta", "step size x step"),
    "edge_step": ("first step with sharpness >= 2/eta", "1"),
    "low": ("lower end of the interval of edge_time", "step size x step"),
    "high": ("upper end of the interval of edge_time", "step size x step"),
    "plateau": ("sharpness after the edge, or at late times", "curvature"),
}
Run = xr.Dataset | str | Path


@typed
def forecast(
    small: Run,
    second: Run | None = None,
    step_sizes: ArrayLike = (),
    *,
    level: float = 0.9,
    seed: int = 0,
    searched: Search = FULL,
) -> xr.Dataset:
    """Edge time and step for each step size, by every rule; with an interval where it is known.

    small, second   runs at eta0 and r eta0 from one start (r about 2), each a Dataset with
                    sharpness on time and attribute step_size, or a file (`read_curve`)
    step_sizes      those asked for; the edge is 2/eta, or the runs' own optimiser's threshold
    level           nominal coverage of the intervals of edges that are reached, conformal over
                    other networks (`calibration`)
    seed, searched  of the toy's fit: random starts, and how many

    On (rule, step_size): edge_time, edge_step, low, high, plateau, status (see `status`). Only "two
    runs" and "local exponential" have intervals; attribute `answer` names the one to use: "two
    runs" with a second run. One run's interval is one-sided: it cannot see the lag, so its lower
    end is the reading itself. An edge "not within 1.5 windows" has the interval's lower end alone,
    the upper is infinite. NaN where there is no honest number.

    Raises InvalidInput: no step sizes, curves that are too short, do not rise or have gaps, runs
    that are no pair, an optimiser without a known threshold.
    """
    small, second = _run(small), None if second is None else _run(second)
    etas = _step_sizes(step_sizes)
    level = real("level", level, above=0)
    known = quantiles(level)
    curve = measured(small, "small run's sharpness curve")
    runs, pair = [curve], None
    if second is not None:
        runs.append(measured(second, "second run's sharpness curve"))
        pair = pair_of(*runs)
    levels = factor_of(small) / etas
    seed = integer("seed", seed, low=0)
    question = Question(small, curve, pair, etas, levels, seed, searched)
    data = _dataset(question, answers(question), known)
    data.attrs |= {
        "answer": ONE_RUN if pair is None else TWO_RUNS,
        "level": level,
        **_cost(runs),
        **provenance(method="forecast", level=level, seed=seed, second=pair is not None),
    }
    return data


def step_of(time: ArrayLike, step_size: ArrayLike) -> Array:
    """The first whole step at or after a time."""
    return np.ceil(np.asarray(time) / np.asarray(step_size) - 1e-9)


def _cost(runs: list[Curve]) -> dict[str, float]:
    """Steps that the small runs took, where their step sizes are known."""
    steps = [(run.span - run.start) / run.step_size for run in runs if run.step_size is not None]
    return {"steps": sum(map(round, steps))} if len(steps) == len(runs) else {}


def _run(run: Run) -> xr.Dataset:
    return run if isinstance(run, xr.Dataset) else read_curve(run)


def _step_sizes(step_sizes: ArrayLike) -> Array:
    values = np.array(step_sizes, dtype=float, ndmin=1)
    if values.ndim != 1 or not values.size:
        refuse("step sizes", f"an array of shape {values.shape}", "a number or a list of numbers")
    return np.array([real("step size", value, above=0) for value in values])


def _dataset(question: Question, found: dict[str, Answer], known: Quantiles) -> xr.Dataset:
    over, etas = ("rule", "step_size"), question.etas
    units = {"long_name": "step size eta", "units": "time"}
    data = xr.Dataset(coords={"rule": list(RULES), "step_size": ("step_size", etas, units)})
    times = np.array([answer.times for answer in found.values()])
    times[np.isinf(times)] = np.nan
    limits = np.array([answer.limit for answer in found.values()])
    table = {
        "edge_time": times,
        "edge_step": step_of(times, etas),
        "low": np.full(times.shape, np.nan),
        "high": np.full(times.shape, np.nan),
        "plateau": np.where(np.isfinite(times), question.levels, limits[:, None]),
    }
    for i, (name, answer) in enumerate(found.items()):
        if name in (ONE_RUN, TWO_RUNS):
            ends = interval(answer.times, answer.lag, question.curve, known)
            table["low"][i], table["high"][i] = ends
    for key, (long_name, unit) in NUMBERS.items():
        data[key] = (over, table[key], {"long_name": long_name, "units": unit})
    status = np.array([answer.status.astype(str) for answer in found.values()])
    data["status"] = (over, status, {"long_name": "how far to trust the row"})
    data["edge"] = ("step_size", question.levels, {"long_name": "sharpness at the edge"})
    data["edge"].attrs["units"] = "curvature"
    data.attrs = {
        "title": "forecast from small-step runs",
        "window_start": question.curve.start,
        "window_end": question.curve.span,
        "left_out": question.curve.left_out,
    }
    return data
