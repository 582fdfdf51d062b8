"""A forecast in words, and as JSON."""

from __future__ import annotations

import json
import math

import numpy as np
import xarray as xr

from realnet.bridge.fitting import BridgeResult
from realnet.bridge.rules import TWO_RUNS
from realnet.bridge.status import BEYOND, EARLY, LATER, MEANINGS, NEVER


def as_json(predicted: xr.Dataset) -> str:
    """Rows {step_size, rule, edge_time, edge_step, low, high, level, status}; the answer's first.

    null where there is no number, or an infinite one; level is the interval's nominal coverage.
    """
    answer = predicted.attrs["answer"]
    names = sorted(map(str, predicted.rule.values), key=lambda name: name != answer)
    rows = []
    for name in names:
        for i, eta in enumerate(predicted.step_size.values):
            row = predicted.sel(rule=name).isel(step_size=i)
            numbers = {key: _number(row[key]) for key in ("edge_time", "edge_step", "low", "high")}
            if numbers["edge_step"] is not None:
                numbers["edge_step"] = int(numbers["edge_step"])
            about = {"level": float(predicted.attrs["level"]), "status": str(row.status.item())}
            rows.append({"step_size": float(eta), "rule": name, **numbers, **about})
    return json.dumps(rows, indent=1) + "\n"


def answer_lines(predicted: xr.Dataset) -> list[str]:
    """The answer, a line a step size."""
    answer, level = predicted.attrs["answer"], predicted.attrs["level"]
    lines = []
    for i, eta in enumerate(predicted.step_size.values):
        row = predicted.sel(rule=answer).isel(step_size=i)
        status = str(row.status.item())
        text = f"step size {eta:g}, edge at sharpness {float(row.edge):.5g}: {status}"
        if status == LATER:
            text += f", so after time {float(row.low):.5g} if at all ({level:.0%})"
        if math.isfinite(row.edge_time):
            text = (
                f"step size {eta:g}: sharpness reaches {float(row.edge):.5g} at time "
                f"{float(row.edge_time):.5g}, step {int(row.edge_step)}; {level:.0%} interval "
                f"{float(row.low):.5g} to {float(row.high):.5g} ({status})"
            )
        lines.append(text)
    return lines


def rule_lines(predicted: xr.Dataset, scored: xr.Dataset | None) -> list[str]:
    """Every rule, a line each; with the larger run's own edge, and each rule's error on it."""
    lines = [f"{'step size':>10} {'rule':<18} {'edge time':>11} {'step':>7}  status"]
    for i, eta in enumerate(predicted.step_size.values):
        for name in map(str, predicted.rule.values):
            row = predicted.sel(rule=name).isel(step_size=i)
            time, step = _shown(row.edge_time, "11.5g"), _shown(row.edge_step, "7.0f")
            lines.append(f"{eta:>10.4g} {name:<18} {time:>11} {step:>7}  {row.status.item()}")
    if scored is None:
        return lines
    seen = scored.isel(run=0)
    edge = float(seen.observed_edge_time)
    if not math.isfinite(edge):
        return [*lines, f"The larger run ({float(seen.eta):g}) does not reach its edge."]
    lines.append(f"The larger run ({float(seen.eta):g}) reaches its edge at time {edge:.5g}:")
    for name in map(str, seen.rule.values):
        row = seen.sel(rule=name)
        if math.isfinite(row.edge_log_error):
            held = {0.0: ", outside its interval", 1.0: ", inside its interval"}
            error = math.expm1(float(row.edge_log_error))
            lines.append(f"  {name:<18} {error:+.1%}{held.get(float(row.held), '')}")
    return lines


def advice(predicted: xr.Dataset) -> list[str]:
    """What the words mean that were used, what one run cannot see, what a forecast costs."""
    answer = predicted.sel(rule=predicted.attrs["answer"])
    used = [status for status in (BEYOND, LATER, NEVER, EARLY) if (answer.status == status).any()]
    lines = [f"{status}: {MEANINGS[status]}." for status in used]
    if predicted.attrs["answer"] != TWO_RUNS:
        lines.append(
            "One run cannot see how late a larger step is: its interval is one-sided. A second run,"
            " from the same start at twice the step size and a quarter to a half as long, can:"
            " --second."
        )
    if predicted.attrs["left_out"]:
        lines.append(f"Part of the run is not used: {predicted.attrs['left_out']}.")
    times = answer.edge_time.values
    known = np.isfinite(times)
    if known.any() and "steps" in predicted.attrs:
        least = float(answer.edge_step.values[known].max())
        lines.append(
            f"These small runs took {int(predicted.attrs['steps'])} steps; to run the step sizes "
            f"themselves to their edges takes {least:.0f} at most each: a forecast pays for many "
            "step sizes, or from the first quarter of a run."
        )
    return lines


def interval_lines(fitted: BridgeResult, intervals: xr.Dataset) -> list[str]:
    """95% intervals of the fit's parameters."""
    lines = [f"{'parameter':<16} {'95% interval':<22} {'with a random start':<22} note"]
    for name in fitted.values.as_dict():
        row = intervals.sel(parameter=name)
        spans = [
            f"{f'[{low:.4g}, {high:.4g}]':<22}"
            for low, high in zip(row.low.values, row.high.values, strict=True)
        ]
        note = "" if int(row.pinned) else "not pinned down by the curve"
        lines.append(f"{name:<16} {' '.join(spans)} {note}".rstrip())
    return lines


def _number(value: xr.DataArray) -> float | None:
    return float(value) if math.isfinite(value) else None


def _shown(value: xr.DataArray, form: str) -> str:
    return format(float(value), form).strip() if math.isfinite(value) else "-"
