"""b_o's oscillation past the edge, and the two groups' losses in antiphase (G1, M9, S4)."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.cache import Datasets
from figures.edge import ABOVE, START, limit_curvature
from figures.edge import PROBLEM as ISOTROPIC
from figures.options import Work
from figures.style import COLOURS, axis_text, edge_line, label_axes, panels
from linmodel.descent import gradient_descent
from linmodel.problem import OpposingSignals

NAME = "oscillation"
TITLE = "The oscillation is in b_o, and the two groups' losses move in antiphase"
STATEMENTS = ("G1", "M9", "S3", "S4")
OPTIONS = ()
CAPTION = (
    "Gradient descent with the aligned opposing signal at the step size of the right panel "
    "above. Top: the opposing curvature αc² passes 2/η; the shaded steps are those of the "
    "panels below. Middle: co, the weight that the prediction gives to the opposing signal, "
    "on a scale that is linear near 0 and logarithmic beyond: o changes sign at every step "
    "where ηαc² > 1 and grows exactly where ηαc² > 2 (G1). Bottom: the mean losses of the "
    "outliers with x_o = +a and with x_o = −a: while |co| < 1 (the region not shaded grey), "
    "one rises when the other falls (M9)."
)
PROBLEM = OpposingSignals(
    alpha=ISOTROPIC.alpha, beta_norm=ISOTROPIC.beta_norm, k=ISOTROPIC.k, support="aligned"
)
STEPS = 250
# Steps at which |c o| is smaller than this are not shown in the lower panels.
LEAST = 1e-4
STEP = "gradient descent step"


def compute(_work: Work) -> Datasets:
    """Descent at the same step size as the right panel of the figure `edge`."""
    eta = ABOVE * 2 / limit_curvature()
    return {"descent": gradient_descent(PROBLEM, START, eta, STEPS)}


def draw(datasets: Datasets) -> Figure:
    """Opposing curvature above; below, the steps at which |c o| is large enough to be seen."""
    steps = datasets["descent"]
    figure, axes = panels(3, 1, (8.5, 8.5))
    first, last = window(steps)
    _curvature(axes[0, 0], steps, first, last)
    cut = steps.isel(time=slice(first, last + 1))
    _weight(axes[1, 0], cut)
    groups_panel(axes[2, 0], cut)
    axes[1, 0].sharex(axes[2, 0])
    return figure


def window(steps: xr.Dataset) -> tuple[int, int]:
    """First and last step of the first burst of oscillation: |c o| >= LEAST around its peak."""
    size = np.abs(steps.c * steps.o).values
    crossing = int(np.searchsorted(steps.time, float(steps.t_edge)))
    peak = crossing + int(np.argmax(size[crossing:]))
    before = np.flatnonzero(size[:peak] < LEAST)
    after = np.flatnonzero(size[peak:] < LEAST)
    first = int(before[-1]) + 1 if before.size else 0
    last = peak + int(after[0]) - 1 if after.size else len(size) - 1
    return first, last


def _curvature(axes: Axes, steps: xr.Dataset, first: int, last: int) -> None:
    colour = COLOURS["opposing_curvature"]
    axes.plot(steps.step, steps.opposing_curvature, color=colour, label=r"$\alpha c^2$")
    edge_line(axes, steps.attrs["step_size"])
    axes.axvspan(
        first, last, color=COLOURS["o"], alpha=0.15, linewidth=0, label="steps shown below"
    )
    label_axes(axes, STEP, axis_text(steps.opposing_curvature, "opposing curvature"))
    axes.set_xlim(0, float(steps.step[-1]))
    axes.set_ylim(bottom=0)
    axes.legend(loc="lower right")


def _weight(axes: Axes, cut: xr.Dataset) -> None:
    style = {"color": COLOURS["o"], "marker": ".", "markersize": 5, "linewidth": 1}
    axes.plot(cut.step, cut.c * cut.o, **style)  # type: ignore[arg-type]
    axes.set_yscale("symlog", linthresh=1e-3)
    axes.set_yticks(
        [-1, -0.1, -0.01, 0, 0.01, 0.1, 1], ["−1", "−0.1", "−0.01", "0", "0.01", "0.1", "1"]
    )
    axes.minorticks_off()
    _shade_large(axes, cut)
    label_axes(axes, "", "weight on the\nopposing signal, co")


def groups_panel(axes: Axes, cut: xr.Dataset) -> None:
    """Mean losses of the two groups of outliers, step by step."""
    for name, text, marker in (
        ("loss_plus", "outliers with x_o = +a", "o"),
        ("loss_minus", "outliers with x_o = −a", "s"),
    ):
        style = {"color": COLOURS[name], "marker": marker, "markersize": 4, "linewidth": 1}
        axes.plot(cut.step, cut[name], label=text, **style)  # type: ignore[arg-type]
    axes.set_yscale("log")
    _shade_large(axes, cut)
    label_axes(axes, STEP, axis_text(cut.loss_plus, "mean loss of the group"))
    axes.legend(loc="upper left")


def _shade_large(axes: Axes, cut: xr.Dataset) -> None:
    """Grey where |c o| >= 1, where M9 does not promise antiphase."""
    large = np.flatnonzero(np.abs(cut.c * cut.o).values >= 1)
    if large.size:
        step = cut.step.values
        axes.axvspan(step[large[0]] - 0.5, step[large[-1]] + 0.5, color="#E5E5E5", zorder=0)
