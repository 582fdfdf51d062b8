"""The toy's whole story: dip, progressive sharpening, edge of stability (F4, F5, F10, G1-G4)."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.cache import Datasets
from figures.options import Work
from figures.style import COLOURS, axis_text, curve, edge_line, label_axes, mosaic, plain_ticks
from linmodel.bounds import limit
from linmodel.descent import gradient_descent
from linmodel.flow import gradient_flow
from linmodel.problem import OpposingSignals, State

NAME = "edge"
TITLE = "Dip, progressive sharpening, edge of stability"
STATEMENTS = ("F4", "F5", "F10", "G1", "G2", "G4", "S1", "S2", "S3")
OPTIONS = ()
CAPTION = (
    "Top: along the gradient flow the opposing curvature αc² falls to one minimum (the dip, "
    "F4) and then rises for ever, to αc∞² (F5). Below: gradient descent. Left, a step size "
    "below 2/(αc∞²): descent follows the flow and never meets 2/η. Right, a step size above "
    "it: descent follows the flow (S1) until the opposing curvature passes 2/η (F10), "
    "overshoots while b_o grows from almost nothing (G1), is thrown to a smaller c, and "
    "settles below 2/η, at a flatter minimum (G2, G4)."
)
PROBLEM = OpposingSignals(alpha=50.0, beta_norm=10.0, k=4.0)
# The standard initialisation's typical norms at this k, with epsilon0 > 0 (theory's standing case).
START = State(c=1.0, epsilon=0.1, n=np.sqrt(0.19), o=np.sqrt(0.8))
END = 1.0
BELOW, ABOVE = 0.7, 1.5


def compute(_work: Work) -> Datasets:
    """Flow, and descent at BELOW and ABOVE times the threshold step size 2/(alpha c_inf^2)."""
    threshold = 2 / limit_curvature()
    times = np.concatenate([[0.0], np.geomspace(1e-4, END, 600)])
    datasets = {"flow": gradient_flow(PROBLEM, START, times, step_size=ABOVE * threshold)}
    for key, factor in (("below", BELOW), ("above", ABOVE)):
        eta = factor * threshold
        datasets[key] = gradient_descent(PROBLEM, START, eta, round(END / eta))
    return datasets


def limit_curvature() -> float:
    """alpha c_inf^2 (F5)."""
    return float(limit(PROBLEM, START).opposing_curvature)


def draw(datasets: Datasets) -> Figure:
    """The dip on a logarithmic time axis above; descent below and above the threshold beneath."""
    figure, axes = mosaic([["dip", "dip"], ["below", "above"]], (9, 7.2))
    dip_panel(axes["dip"], datasets["flow"])
    for key in ("below", "above"):
        panel = axes[key]
        descent_panel(panel, datasets["flow"], datasets[key])
        eta = datasets[key].attrs["step_size"]
        label_axes(
            panel,
            axis_text(datasets[key].time, "time = η × step"),
            axis_text(datasets[key].sharpness, "sharpness"),
            rf"Descent, η = {eta:.4f}, {key} $2/(\alpha c_\infty^2)$",
        )
    axes["below"].legend(loc="lower right")
    return figure


def dip_panel(axes: Axes, flow: xr.Dataset) -> None:
    """Sharpness and opposing curvature of the flow, with the dip and the limit."""
    # Time 0 has no place on a logarithmic axis.
    later = flow.isel(time=slice(1, None))
    for name, text in (
        ("sharpness", r"sharpness $\lambda_{\max}$"),
        ("opposing_curvature", r"opposing curvature $\alpha c^2$"),
    ):
        style = "-" if name == "sharpness" else "--"
        curve(axes, later.time, later[name], color=COLOURS[name], linestyle=style, label=text)
    t_dip = float(flow.t_dip)
    axes.axvline(
        t_dip, color=COLOURS["reference"], linestyle=":", label=f"dip, t = {t_dip:.3f} (F4)"
    )
    axes.axhline(
        limit_curvature(),
        color=COLOURS["reference"],
        linewidth=1,
        label=r"$\alpha c_\infty^2$ (F5)",
        zorder=1,
    )
    axes.set(xscale="log", yscale="log", xlim=(float(later.time[0]), END))
    axes.set_ylim(15, 3 * limit_curvature())
    plain_ticks(axes, (20, 50, 100, 200, 500, 1000))
    title = f"Gradient flow: α = {PROBLEM.alpha:g}, B = {PROBLEM.beta_norm:g}, k = {PROBLEM.k:g}"
    label_axes(axes, axis_text(flow.time, "time"), axis_text(flow.sharpness, "curvature"), title)
    axes.legend(loc="upper left", ncols=2)


def descent_panel(axes: Axes, flow: xr.Dataset, steps: xr.Dataset) -> None:
    """Sharpness of descent, and of the flow beside it, with 2/eta."""
    curve(axes, steps.time, steps.sharpness, color=COLOURS["sharpness"], label="descent")
    flow_style = {"color": COLOURS["reference"], "linestyle": "-.", "linewidth": 1.2}
    curve(axes, flow.time, flow.sharpness, label="flow", **flow_style)
    edge_line(axes, steps.attrs["step_size"])
    axes.set_xlim(0, END)
    axes.set_ylim(0, 1.6 * limit_curvature())
