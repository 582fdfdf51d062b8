"""The tables of the figure `bridge`."""

from __future__ import annotations

import numpy as np
import xarray as xr

from figures.table import Table, number
from realnet.bridge.status import BEYOND, INSIDE

# A status says where a number comes from, not whether the interval holds what happened.
SAID = {INSIDE: "read off the curve", BEYOND: "the curve carried on"}


def said(row: xr.Dataset) -> str:
    """Where a forecast's number comes from."""
    status = str(row.status.item())
    return SAID.get(status, status)


def parameters(fit: xr.Dataset, intervals: xr.Dataset) -> Table:
    """The fitted parameters with intervals."""
    rows = []
    for name in fit.parameter.values:
        pinned = "yes" if int(intervals.pinned.sel(parameter=name)) else "no"
        row = intervals.sel(parameter=name)
        spans = [
            f"{number(float(low))} to {number(float(high))}"
            for low, high in zip(row.low.values, row.high.values, strict=True)
        ]
        rows.append([name, number(float(fit.value.sel(parameter=name))), *spans, pinned])
    title = "Fitted parameters (95% by block bootstrap)"
    heading = [
        "parameter",
        "value",
        "from the curve",
        "with a random start",
        "pinned down by the curve",
    ]
    return Table(title, heading, rows)


def combinations(table: xr.Dataset) -> Table:
    """Which combinations the curve pins down."""
    rows = []
    for index in table.combination.values:
        row = table.sel(combination=index)
        weights = {str(p): float(row.weight.sel(parameter=p)) for p in table.parameter.values}
        text = " × ".join(f"{p}^{w:.2f}" for p, w in weights.items() if abs(w) > 0.15)
        rows.append([text, number(float(row.relative_sd))])
    title = "Which combinations the curve pins down (best first; above 1: not at all)"
    return Table(title, ["combination", "relative standard deviation"], rows)


def rivals(table: xr.Dataset) -> Table:
    """Each description's error on the rest of the curve."""
    models = [str(name) for name in table.model.values]
    rows = []
    for share in table.share.values:
        row = table.sel(share=share)
        errors = [number(float(row.error.sel(model=name))) for name in models]
        rows.append([f"{share:.0%}", *errors, str(row.best.item())])
    title = "Rms log error on the rest of the curve, after fitting its first part"
    return Table(title, ["fitted part", *models, "best"], rows)


def forecasts(row: xr.Dataset) -> Table:
    """Every rule beside what was observed."""
    rows = []
    for name in row.rule.values:
        each = row.sel(rule=name)
        low, high = float(each.low), float(each.high)
        span = "–" if np.isnan(low) else f"{number(low)} to {number(high)}"
        numbers = [number(float(each[key])) for key in ("edge_step", "edge_time")]
        rows.append([str(name), *numbers, span, number(float(each.plateau)), said(each)])
    seen = [number(float(row[f"observed_{key}"])) for key in ("edge_step", "edge_time", "plateau")]
    rows.append(["observed", seen[0], seen[1], "", seen[2], ""])
    title = f"Forecast for η = {float(row.eta):g}, from the short runs alone, by every rule"
    heading = [
        "description",
        "edge step",
        "edge time",
        f"{row.attrs['level']:.0%} of edge time",
        "plateau",
        "status",
    ]
    return Table(title, heading, rows)


def coverage(data: xr.Dataset, column: str) -> Table:
    """What the forecasts of other networks held, by rule and window."""
    rows = []
    for rule in map(str, data.rule.values):
        for window in data.window.values:
            one = data.sel(column=column, rule=rule, window=window)
            given, missing = float(one.forecasts), float(one.not_reached)
            later = f"{float(one.later):.0f} ({float(one.later_held):.0f} held)"
            rows.append(
                [
                    rule,
                    f"{window:.0%}",
                    f"{given:.0f} of {float(one.edges):.0f}",
                    later,
                    f"{float(one.never_reached):.0f}",
                    f"{float(one.median_error):.1%}",
                    f"{float(one.late_error):.0%}",
                    f"{float(one.held):.0f} of {given:.0f}",
                    number(float(one.width)),
                    f"{float(one.rightly):.0f} of {missing:.0f}",
                ]
            )
    count, level = int(data.networks.sel(column=column)), data.attrs["level"]
    title = f"Forecasts of {count} networks: {column}; intervals of nominal {level:.0%}"
    heading = ["rule", "window", "edges forecast", "not within 1.5 windows", "wrongly never"]
    heading += ["median error", "95% of errors", "held", "width", "not reached, rightly"]
    return Table(title, heading, rows)
