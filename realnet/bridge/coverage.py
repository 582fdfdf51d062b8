"""How good the rules are: networks that the quantiles have not seen, by window of the small run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from linmodel.errors import InvalidInput
from realnet.bridge.calibration import Case, prefix, quantiles_of, scores_of
from realnet.bridge.intervals import Quantiles, interval
from realnet.bridge.local import edge_times
from realnet.bridge.status import EARLIEST, HORIZON

WINDOWS = (1.0, 0.5, 0.25)
RULES = ("two runs", "local exponential")
NUMBERS = {
    "edges": "edges that were reached, at 15 steps or later",
    "forecasts": "of these, forecast at a time",
    "median_error": "median |log(forecast / observed)|",
    "late_error": "its 95% quantile",
    "held": "of those forecast, inside the interval",
    "width": "median relative width of the intervals",
    "not_reached": "edges that were not reached as long as was watched",
    "never": "of these, called never, or forecast later than was watched",
}


def coverage(cases: Sequence[Case], level: float = 0.9) -> xr.Dataset:
    """NUMBERS on (column, rule, window), with quantiles from other networks than the one scored.

    column "leave one network out": the networks of the calibration; "fresh": those trained after
    the rule was frozen, scored with the quantiles of all the others.
    """
    known = [case for case in cases if not case.fresh]
    networks = sorted({case.network for case in known})
    errors = [(case.network, scores_of(case)) for case in known]
    left = {
        name: quantiles_of([scores for network, scores in errors if network != name], level)
        for name in networks
    }
    whole = quantiles_of([scores for _, scores in errors], level)
    columns = {
        "leave one network out": [(case, left[case.network]) for case in known],
        "fresh": [(case, whole) for case in cases if case.fresh],
    }
    shape = (len(columns), len(RULES), len(WINDOWS))
    table = {name: np.full(shape, np.nan) for name in NUMBERS}
    for i, scored in enumerate(columns.values()):
        for j, rule in enumerate(RULES):
            for k, window in enumerate(WINDOWS):
                for name, value in _numbers(scored, rule, window).items():
                    table[name][i, j, k] = value
    dims = ("column", "rule", "window")
    data = xr.Dataset(
        coords={"column": list(columns), "rule": list(RULES), "window": list(WINDOWS)}
    )
    for name, values in table.items():
        data[name] = (dims, values, {"long_name": NUMBERS[name], "units": "1"})
    data["networks"] = (
        "column",
        [len({case.network for case, _ in scored}) for scored in columns.values()],
        {"long_name": "networks", "units": "1"},
    )
    data.attrs = {"title": "forecasts of edges on networks not calibrated on", "level": level}
    return data


def _numbers(scored: list[tuple[Case, Quantiles]], rule: str, window: float) -> dict[str, float]:
    rows = [_scores(case, found, rule, window) for case, found in scored]
    if not rows:
        return {}
    seen, forecasts, error, held, width, missing, never = (
        np.concatenate(column) for column in zip(*rows, strict=True)
    )
    found = {
        "edges": float(seen.sum()),
        "forecasts": float(forecasts.sum()),
        "not_reached": float(missing.sum()),
        "never": float(never[missing].sum()),
    }
    if forecasts.any():
        found["median_error"], found["late_error"] = np.quantile(error[forecasts], [0.5, 0.95])
        found |= {"held": float(held[forecasts].sum()), "width": float(np.median(width[forecasts]))}
    return found


def _scores(case: Case, found: Quantiles, rule: str, window: float) -> tuple[np.ndarray, ...]:
    """Per larger step size: reached, forecasts, error, held, width, not reached, rightly never."""
    small = prefix(case.small, window)
    etas, levels = case.step_sizes, 2 / case.step_sizes
    times, _ = edge_times(small, levels)
    lag = None
    if rule == "two runs":
        part = small.span - small.start
        second = prefix(case.second, min(1.0, part / (case.second.span - case.second.start)))
        try:
            lag = replace(case, small=small, second=second).pair.lag(etas, levels)
            times = times + lag
        except InvalidInput:  # too short for a pair
            times, lag = np.full(len(etas), np.nan), np.zeros(len(etas))
    begin = small.start
    seen = np.isfinite(case.edges) & (case.edges - begin >= EARLIEST * etas)
    seen &= small.sharpness[0] < levels
    forecasts = seen & (times <= begin + HORIZON * (small.span - begin))
    low, high = interval(times, lag, small, found)
    with np.errstate(invalid="ignore"):
        error = np.abs(np.log((times - begin) / (case.edges - begin)))
        held = (low <= case.edges) & (case.edges <= high)
        never = ~(times <= case.watched)
    width = (high - low) / (times - begin)
    return seen, forecasts, error, held, width, np.isnan(case.edges), never
