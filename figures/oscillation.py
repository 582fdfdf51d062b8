"""b_o's oscillation past the edge, and the two groups' losses in antiphase (G1, M9, S4)."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.cache import Datasets
from figures.edge import ABOVE, START, limit_curvature
from figures.edge import PROBLEM as ISOTROPIC
from figures.options import Options
from figures.style import COLOURS, axis_text, edge_line, label_axes, panels
from linmodel.descent import gradient_descent
from linmodel.problem import OpposingSignals

NAME = "oscillation"
TITLE = "The oscillation is in b_o, and the two groups' losses move in antiphase"
STATEMENTS = ("G1", "M9", "S3", "S4")
CAPTION = (
    "Gradient descent with the aligned opposing signal, around the moment at which the opposing "
    "curvature αc² passes 2/η. Top: αc² against 2/η. Middle: co, the weight that the prediction gives "
    "to the opposing signal, on a scale that is linear near 0 and logarithmic beyond; o changes sign "
    "at every step where ηαc² > 1 and grows exactly where ηαc² > 2 (G1). Bottom: the mean losses of "
    "the outliers with x_o = +a and x_o = −a above what they share: while |co| < 1, one rises exactly "
    "when the other falls (M9)."
)
PROBLEM = OpposingSignals(
    alpha=ISOTROPIC.alpha, beta_norm=ISOTROPIC.beta_norm, k=ISOTROPIC.k, support="aligned"
)
STEPS = 250
LEAST = 1e-6


def compute(_options: Options) -> Datasets:
    """Descent at the same step size as the right panel of the figure `edge`."""
    eta = ABOVE * 2 / limit_curvature()
    return {"descent": gradient_descent(PROBLEM, START, eta, STEPS)}


def draw(datasets: Datasets) -> Figure:
    """Three panels on one step axis, cut to where |c o| is large enough to be seen."""
    steps = datasets["descent"]
    window = _window(steps)
    cut = steps.isel(time=window)
    figure, axes = panels(3, 1, (8.5, 8), sharex=True)
    top, middle, bottom = axes[:, 0]
    _curvature(top, cut, steps.attrs["step_size"])
    _weight(middle, cut)
    _groups(bottom, cut)
    bottom.set_xlabel("gradient descent step")
    return figure


def _window(steps: xr.Dataset) -> slice:
    """From some steps before the opposing curvature passes 2/eta to where co has died down again."""
    first = int(np.searchsorted(steps.time, float(steps.t_edge)))
    size = np.abs(steps.c * steps.o).values
    peak = first + int(np.argmax(size[first:]))
    small = np.flatnonzero(size[peak:] < LEAST)
    last = peak + int(small[0]) if small.size else len(size) - 1
    return slice(max(0, first - 15), min(last + 5, len(size)))


def _curvature(axes: Axes, cut: xr.Dataset, eta: float) -> None:
    axes.plot(cut.step, cut.opposing_curvature, color=COLOURS["opposing_curvature"], label=r"$\alpha c^2$")
    edge_line(axes, eta)
    label_axes(axes, "", axis_text(cut.opposing_curvature, "opposing curvature"))
    axes.set_ylim(bottom=0)
    axes.legend(loc="center left")


def _weight(axes: Axes, cut: xr.Dataset) -> None:
    weight = cut.c * cut.o
    style = {"color": COLOURS["o"], "marker": ".", "markersize": 4, "linewidth": 0.9}
    axes.plot(cut.step, weight, label="co", **style)  # type: ignore[arg-type]
    axes.set_yscale("symlog", linthresh=1e-4)
    label_axes(axes, "", "weight on the opposing signal, co")
    axes.legend(loc="upper left")


def _groups(axes: Axes, cut: xr.Dataset) -> None:
    # What both groups share (the signal's part of the loss) hides the antiphase: subtract the mean.
    shared = (cut.loss_plus + cut.loss_minus) / 2
    for name, text, marker in (
        ("loss_plus", "group x_o = +a", "o"),
        ("loss_minus", "group x_o = −a", "s"),
    ):
        style = {"color": COLOURS[name], "marker": marker, "markersize": 3, "linewidth": 0.9}
        axes.plot(cut.step, cut[name] - shared, label=text, **style)  # type: ignore[arg-type]
    axes.set_yscale("symlog", linthresh=0.1)
    label_axes(axes, "", "group loss − mean of the two [loss]")
    axes.legend(loc="upper left")
