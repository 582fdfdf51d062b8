"""How good the rules are: networks that the quantiles have not seen, by window of the small run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from linmodel.errors import InvalidInput
from realnet.bridge.calibration import Case, forecast_from, prefix, quantiles_of, scores_of
from realnet.bridge.conformal import Quantiles, interval
from realnet.bridge.local import edge_times
from realnet.bridge.status import EARLIEST

WINDOWS = (1.0, 0.5, 0.25)
RULES = ("two runs", "local exponential")
NUMBERS = {
    "edges": "edges that were reached, at 15 steps or later",
    "forecasts": "of these, forecast at a time",
    "median_error": "median |log(forecast / observed)|",
    "late_error": "its 95% quantile",
    "held": "of those forecast, inside the interval",
    "width": "median relative width of the intervals",
    "later": "of the edges, forecast as not within 1.5 windows",
    "later_held": "of these, reached after the interval's lower end",
    "never_reached": "of the edges, wrongly called never",
    "not_reached": "edges that were not reached as long as was watched, and were answered",
    "never": "of these, called never",
    "rightly": "of these, never, not within 1.5 windows, or forecast later than was watched",
}


def coverage(cases: Sequence[Case], level: float = 0.9) -> xr.Dataset:
    """NUMBERS on (column, rule, window), with quantiles from other networks than the one scored.

    column "leave one network out": the networks of the calibration; "fresh": those trained after
    the rule was frozen, scored with the quantiles of all the others. A window that `forecast`
    refuses (too short, no rise by 10%) answers nothing: its edges are not forecast.
    """
    known = [case for case in cases if not case.fresh]
    errors = [scores_of(case) for case in known]
    left = {
        name: quantiles_of([scores for scores in errors if scores.network != name], level)
        for name in {case.network for case in known}
    }
    whole = quantiles_of(errors, level)
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
    rows = [answered(case, found, rule, window) for case, found in scored]
    if not rows:
        return {}
    all_of = {key: np.concatenate([row[key] for row in rows]) for key in rows[0]}
    seen, missing, time = all_of["seen"], all_of["missing"], all_of["time"]
    given, later, never = np.isfinite(time), np.isinf(time), all_of["never"]
    inside = (all_of["low"] <= all_of["edge"]) & (all_of["edge"] <= all_of["high"])
    found = {
        "edges": seen.sum(),
        "forecasts": (seen & given).sum(),
        "held": (seen & given & inside).sum(),
        "later": (seen & later).sum(),
        "later_held": (seen & later & inside).sum(),
        "never_reached": (seen & never).sum(),
        "not_reached": missing.sum(),
        "never": (missing & never).sum(),
        "rightly": (missing & ~(time <= all_of["watched"])).sum(),
    }
    if (given := seen & given).any():
        error = np.abs(np.log(time[given] / all_of["edge"][given]))
        found["median_error"], found["late_error"] = np.quantile(error, [0.5, 0.95])
        found["width"] = np.median((all_of["high"] - all_of["low"])[given] / time[given])
    return {key: float(value) for key, value in found.items()}


def answered(case: Case, found: Quantiles, rule: str, window: float) -> dict[str, np.ndarray]:
    """A rule's answers for the larger step sizes of a case, (m,), times from the curve's start.

    seen, missing   reached at 15 steps or later; not reached, and answered
    time            forecast: infinite for not within 1.5 windows, NaN where none; never: called so
    low, high       its interval
    edge, watched   what was observed
    """
    small, etas = prefix(case.small, window), case.step_sizes
    begin, levels = small.start, 2 / case.step_sizes
    times, _ = edge_times(small, levels)
    lag, taken = None, forecast_from(small)
    if rule == "two runs":
        part = small.span - begin
        second = prefix(case.second, min(1.0, part / (case.second.span - case.second.start)))
        try:
            lag = replace(case, small=small, second=second).pair.lag(etas, levels)
            times = times + lag
        except InvalidInput:  # too short for a pair
            taken, lag = False, np.zeros(len(etas))
    low, high = interval(times, lag, small, found)
    edge, begun = case.edges - begin, small.sharpness[0] >= levels
    answers = taken & ~begun & ~((times - begin) / etas < EARLIEST)
    return {
        "seen": np.isfinite(edge) & (edge >= EARLIEST * etas) & ~begun,
        "missing": np.isnan(edge) & answers,
        "time": np.where(answers, times - begin, np.nan),
        "never": answers & np.isnan(times),
        "low": low - begin,
        "high": high - begin,
        "edge": edge,
        "watched": case.watched - begin,
    }
