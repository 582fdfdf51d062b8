"""The bridge: the toy fitted to a real small-step run, and what it says of a larger step size."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import bridge_tables, real_run
from figures.bridge_tables import said
from figures.cache import Datasets, Unavailable, figure_data
from figures.options import Work
from figures.style import COLOURS, edge_of, label_axes, panels
from figures.table import Table, number
from linmodel.errors import InvalidInput
from realnet.bridge.threshold import levels

NAME = "bridge"
TITLE = "The bridge: the toy fitted to the real network, and its forecast"
STATEMENTS = ("M10", "S1", "F5", "G6")
OPTIONS = real_run.OPTIONS
CAPTION = (
    "Left: the small-step run's sharpness and the toy's gradient flow fitted to it (four "
    "dimensionless parameters and two scales, M10), with the relative difference below; and the "
    "second short run, from the same start at twice the step size and half as long. "
    "Right: the run at the larger step size, which the fit has not seen; the circle marks "
    "where its sharpness first rises through 2/η. Vertical lines: the forecast by the two short "
    "runs, which show how far descent lags behind the flow (S1; band: 90%, conformal over other "
    "networks), and by the small-step run alone, of the toy's flow and of the toy's descent."
)

TIME = "time [step size × step]"
DRAWS = 20


def compute(work: Work) -> Datasets:
    """Fit on the small-step run, intervals, rivals, and the forecast for the larger step size.

    Raises Unavailable where the run cannot be fitted (no rise, too short): the message says why.
    """
    from realnet.bridge.calibration import cases, table
    from realnet.bridge.coverage import coverage
    from realnet.bridge.fitting import fit
    from realnet.bridge.rivals import compare_rivals
    from realnet.bridge.scoring import compare
    from realnet.bridge.uncertainty import bootstrap, identifiability

    runs = figure_data(real_run, work)
    seed = work.options.seed
    try:
        work.report("fitting the toy")
        result = fit(runs["small"], seed=seed)
    except InvalidInput as error:
        raise Unavailable(f"The toy cannot be fitted to this run: {error}") from error
    work.report("bootstrap")
    intervals = bootstrap(result, draws=DRAWS, seed=seed)
    work.report("forecast")
    predicted = forecast_of(runs, seed)
    work.report("rivals, out of sample")
    return {
        "fit": result.dataset,
        "intervals": intervals,
        "combinations": identifiability(result),
        "rivals": compare_rivals(result.curve, seed=seed),
        "forecast": compare(predicted, [runs["large"]]),
        "coverage": coverage(cases(table())),
        **{name: runs[name] for name in ("large", "second") if name in runs},
    }


def forecast_of(runs: Datasets, seed: int) -> xr.Dataset:
    """For the larger step size, by both short runs; by one where they are no pair (attribute
    no_pair says why)."""
    from realnet.bridge.forecasting import forecast

    small, second, etas = runs["small"], runs.get("second"), [runs["large"].attrs["step_size"]]
    if second is None:
        return forecast(small, None, etas, seed=seed)
    try:
        return forecast(small, second, etas, seed=seed)
    except InvalidInput as error:
        return forecast(small, None, etas, seed=seed).assign_attrs(no_pair=str(error))


def draw(datasets: Datasets) -> Figure:
    """Fit and residual on the left, the unseen run with the forecast on the right."""
    figure, axes = panels(2, 2, (10, 6), gridspec_kw={"height_ratios": [3, 1]})
    fit, large = datasets["fit"], datasets["large"]
    overlay_panel(axes[0, 0], fit, datasets.get("second"))
    _residual(axes[1, 0], fit)
    axes[0, 0].sharex(axes[1, 0])
    grid = axes[0, 1].get_gridspec()
    for panel in axes[:, 1]:
        panel.set_axis_off()
    right = figure.add_subplot(grid[:, 1])
    _unseen(right, datasets["forecast"], large)
    return figure


def overlay_panel(axes: Axes, fit: xr.Dataset, second: xr.Dataset | None) -> None:
    """The run's sharpness, the fitted toy's, and the second run's; grey: not fitted."""
    if second is not None:
        text, grey = f"second run, η = {second.attrs['step_size']:g}", COLOURS["reference"]
        axes.plot(second.time, second.sharpness, "x", color=grey, markersize=4, label=text)
    axes.plot(
        fit.time, fit.sharpness, ".", color=COLOURS["sharpness"], markersize=5, label="real run"
    )
    axes.plot(fit.time, fit.toy_sharpness, color=COLOURS["toy"], label="fitted toy flow")
    last, end = float(fit.time[fit.fitted.values == 1][-1]), float(fit.time[-1])
    if last < end:
        axes.axvspan(last, end, color=COLOURS["reference"], alpha=0.1, linewidth=0)
    status, error = fit.attrs["status"], fit.attrs["error"]
    label_axes(axes, "", "sharpness [1/time]", f"fit: {status}, rms error {error:.1%}")
    axes.legend(loc="lower right")


def _residual(axes: Axes, fit: xr.Dataset) -> None:
    used = fit.isel(time=fit.fitted.values == 1)
    axes.axhline(0, color=COLOURS["reference"], linewidth=1)
    axes.plot(used.time, 100 * np.expm1(used.log_residual), ".-", color=COLOURS["toy"], linewidth=1)
    label_axes(axes, TIME, "toy − real [%]")


def _unseen(axes: Axes, forecast: xr.Dataset, large: xr.Dataset) -> None:
    eta = large.attrs["step_size"]
    axes.plot(large.time, large.sharpness, ".-", color=COLOURS["sharpness"], label="real run")
    edge_of(axes, large)
    _forecast_lines(axes, forecast.isel(run=0), float(large.time[-1]))
    seen = float(forecast.observed_edge_time.isel(run=0))
    if np.isfinite(seen):
        ring = {"markerfacecolor": "none", "markersize": 8, "linestyle": ""}
        level = float(np.interp(seen, large.time, levels(large)))
        axes.plot([seen], [level], "o", color=COLOURS["edge"], **ring)  # type: ignore[arg-type]
    axes.set_ylim(bottom=0)
    label_axes(axes, TIME, "sharpness [1/time]", f"unseen: η = {eta:g}")
    axes.legend(loc="lower right")


def _forecast_lines(axes: Axes, forecast: xr.Dataset, end: float) -> None:
    answer = forecast.attrs["answer"]
    lines = {
        answer: (COLOURS["edge"], "-", f"forecast: {answer}"),
        "toy": (COLOURS["toy"], "-.", "toy flow"),
        "toy descent": (COLOURS["toy"], ":", "toy descent"),
    }
    for name, (colour, style, text) in lines.items():
        row = forecast.sel(rule=name)
        if not np.isfinite(row.edge_time):
            continue
        edge = float(row.edge_time)
        axes.axvline(edge, color=colour, linestyle=style, label=f"{text} ({said(row)})")
        if name == answer:
            low, high = float(row.low), min(float(row.high), end)
            axes.axvspan(low, high, color=colour, alpha=0.25, linewidth=0)


def verdict(row: xr.Dataset) -> str:
    """The forecast of the edge, its interval, what happened, and whether the interval holds it."""
    edge, seen = float(row.edge_time), float(row.observed_edge_time)
    by = f"The forecast of the time to $2/\\eta$ at $\\eta$ = {float(row.eta):g}"
    name = f"{by} ({row.rule.item()})"
    happened = f"at {seen:.2f}" if np.isfinite(seen) else "never"
    if not np.isfinite(edge):
        return f"{name}: {said(row)}; observed {happened}."
    low, high = float(row.low), float(row.high)
    span = f", 90% [{low:.2f}, {high:.2f}]" if np.isfinite(low) else ""
    end = "."
    if span and np.isfinite(seen):
        held = low <= seen <= high
        end = ", held by the interval." if held else ", which the interval misses."
    return f"{name} is {edge:.2f}{span}; observed {happened}{end}"


def words(datasets: Datasets) -> list[str]:
    """Sentences for the report: the fit, what it fixes, the forecast beside what happened."""
    fit, forecast = datasets["fit"], datasets["forecast"].isel(run=0)
    fixed = json.loads(fit.attrs["fixed"])
    refused = forecast.attrs.get("no_pair")
    sentences = [
        *([f"Two runs give no forecast: {refused}"] if refused else []),
        f"Fit status {fit.attrs['status']}: {fit.attrs['message']}.",
        *([f"Not described: {fit.attrs['left_out']}."] if fit.attrs["left_out"] else []),
        "Fixed: " + "; ".join(f"{name}: {why}" for name, why in fixed.items()) + ".",
    ]
    seen = float(forecast.observed_edge_time)
    happened = f"{seen:.3g}" if np.isfinite(seen) else "never"
    told = []
    for name in (forecast.attrs["answer"], "toy", "toy descent"):
        row = forecast.sel(rule=name)
        edge = float(row.edge_time)
        value = "no number" if not np.isfinite(edge) else f"{edge:.3g}"
        if np.isfinite(edge) and np.isfinite(seen):
            value += f", {edge / seen - 1:+.0%}"
        told.append(f"{name} {value} ({said(row)})")
    row = forecast.sel(rule=forecast.attrs["answer"])
    plateau = float(forecast.sel(rule="toy").plateau)
    sentences.append(
        f"Time at which sharpness rises through 2/η at η = {float(forecast.eta):g}: observed "
        f"{happened}; forecast: {'; '.join(told)}. Plateau: forecast {number(plateau)}, observed "
        f"mean over the last quarter {number(float(forecast.observed_plateau))}."
    )
    return [*sentences, verdict(row)]


def tables(datasets: Datasets) -> list[Table]:
    """Parameters with intervals, what the curve pins down, rivals out of sample, forecasts."""
    return [
        bridge_tables.parameters(datasets["fit"], datasets["intervals"]),
        bridge_tables.combinations(datasets["combinations"]),
        bridge_tables.rivals(datasets["rivals"]),
        bridge_tables.forecasts(datasets["forecast"].isel(run=0)),
        *(
            bridge_tables.coverage(datasets["coverage"], str(name))
            for name in datasets["coverage"].column.values
            if int(datasets["coverage"].networks.sel(column=name))
        ),
    ]
