"""The closed form on top of the integrator, and how far apart they are (M8)."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.cache import Datasets
from figures.options import Work
from figures.style import axis_text, label_axes, panels
from linmodel.closed_form import closed_form
from linmodel.flow import gradient_flow
from linmodel.problem import OpposingSignals, State

NAME = "closed_form"
TITLE = "The closed form lies on the integrator"
STATEMENTS = ("M8",)
OPTIONS = ()
CAPTION = (
    "Sharpness along the gradient flow in three cases that have a closed form (M8): no "
    "opposing signal left (o₀ = 0), α = 1, and no signal (B = 0). Lines: the closed form. "
    "Circles: the integrator. Below: their relative difference, whose size is the "
    "integrator's error; dotted, the accuracy that is promised (1e-9)."
)
CASES = {
    "o0_zero": ("o₀ = 0, α = 50, B = 10", OpposingSignals(50.0, 10.0, 4.0), State(1, 0.1, 0.4, 0)),
    "alpha_one": ("α = 1, B = 10", OpposingSignals(1.0, 10.0, 4.0), State(1, 0.1, 0.4, 0.9)),
    "no_signal": ("B = 0, α = 50", OpposingSignals(50.0, 0.0, 4.0), State(1, 0, 0, 0.9)),
}
# Different from the colours of quantities: here colour means the case.
CASE_COLOURS = ("#0072B2", "#D55E00", "#009E73")
PROMISED = 1e-9


def compute(_work: Work) -> Datasets:
    """Both solutions at the same times, for each case."""
    times = np.geomspace(1e-3, 2.0, 160)
    datasets = {}
    for key, (_text, problem, start) in CASES.items():
        datasets[f"{key}_exact"] = closed_form(problem, start, times)
        datasets[f"{key}_integrated"] = gradient_flow(problem, start, times)
    return datasets


def draw(datasets: Datasets) -> Figure:
    """Sharpness above, relative difference below."""
    figure, axes = panels(2, 1, (8, 6.6), sharex=True, gridspec_kw={"height_ratios": [2, 1]})
    top, bottom = axes[:, 0]
    for (key, (text, _problem, _start)), colour in zip(CASES.items(), CASE_COLOURS, strict=True):
        exact, integrated = datasets[f"{key}_exact"], datasets[f"{key}_integrated"]
        top.plot(exact.time, exact.sharpness, color=colour, label=text)
        every = integrated.isel(time=slice(0, None, 8))
        top.plot(
            every.time, every.sharpness, "o", color=colour, markersize=5, markerfacecolor="none"
        )
        _difference(bottom, exact, integrated, colour)
    time = datasets["o0_zero_exact"].time
    top.set(xscale="log", yscale="log")
    label_axes(top, "", axis_text(datasets["o0_zero_exact"].sharpness, "sharpness"))
    top.legend(loc="best", title="lines: closed form, circles: integrator")
    bottom.axhline(PROMISED, color="black", linestyle=":", linewidth=1)
    bottom.set_yscale("log")
    bottom.set_ylim(1e-17, 1e-8)
    label_axes(bottom, axis_text(time, "time"), "relative difference")
    return figure


def _difference(axes: Axes, exact: xr.Dataset, integrated: xr.Dataset, colour: str) -> None:
    difference = np.abs(integrated.sharpness / exact.sharpness - 1)
    # Exactly equal values have no place on a logarithmic axis: show them at 1e-17.
    axes.plot(exact.time, np.maximum(difference, 1e-17), color=colour, linewidth=1)
