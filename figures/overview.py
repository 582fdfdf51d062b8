"""The first screen: the model and a real network, each sharpening to 2/eta, side by side."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import bridge, edge, real_run
from figures.cache import Datasets, figure_data
from figures.options import Work
from figures.style import COLOURS, curve, edge_line, edge_of, label_axes, panels
from linmodel.store import configuration

NAME = "overview"
TITLE = "At a glance: the model beside a real network"
STATEMENTS = ("F4", "F10", "G4", "S1", "S2", "S3")
OPTIONS = real_run.OPTIONS
CAPTION = (
    "Sharpness against time. Left: the two-layer linear model, gradient flow and descent from one "
    "start at one step size. Right: a convolutional network on MNIST digits at two step sizes, and "
    "the model fitted to the smaller one's curve alone. In both, sharpness dips, rises through and "
    "past 2/η while descent still follows the flow, and descent is then thrown down to below 2/η."
)


def compute(work: Work) -> Datasets:
    """The data of three other figures; Unavailable where one of them cannot be computed."""
    toy, fitted = figure_data(edge, work), figure_data(bridge, work)
    runs = figure_data(real_run, work)
    return {
        "flow": toy["flow"],
        "descent": toy["above"],
        "large": runs["large"],
        "small": runs["small"],
        "fit": fitted["fit"],
    }


def draw(datasets: Datasets) -> Figure:
    """Model on the left, network on the right."""
    figure, axes = panels(1, 2, (10, 3.6))
    _model(axes[0, 0], datasets)
    network_panel(axes[0, 1], datasets)
    return figure


def _model(axes: Axes, datasets: Datasets) -> None:
    flow, descent = datasets["flow"], datasets["descent"]
    curve(axes, descent.time, descent.sharpness, color=COLOURS["sharpness"], label="descent")
    grey = {"color": COLOURS["reference"], "linestyle": "-."}
    curve(axes, flow.time, flow.sharpness, label="gradient flow", **grey)
    eta = descent.attrs["step_size"]
    edge_line(axes, eta, f"2/η at η = {eta:g}")
    title = f"The model: α = {edge.PROBLEM.alpha:g}, B = {edge.PROBLEM.beta_norm:g}"
    label_axes(axes, "time = η × step", "sharpness [1/time]", title)
    axes.set_xlim(0, edge.END)
    axes.set_ylim(0, 1.7 * float(flow.sharpness[-1]))
    axes.legend(loc="upper left")


def network_panel(axes: Axes, datasets: Datasets) -> None:
    """Sharpness of both runs, and of the model fitted to the smaller one's curve."""
    large, small, fit = datasets["large"], datasets["small"], datasets["fit"]
    text = f"descent, η = {large.attrs['step_size']:g}"
    curve(axes, large.time, large.sharpness, color=COLOURS["sharpness"], label=text)
    grey = {"color": COLOURS["reference"], "linestyle": "-."}
    text = f"descent, η = {small.attrs['step_size']:g}"
    curve(axes, small.time, small.sharpness, label=text, **grey)
    pink = {"color": COLOURS["toy"], "linestyle": "", "marker": "o", "markersize": 5}
    curve(axes, fit.time, fit.toy_sharpness, label="the model, fitted to it", mfc="none", **pink)
    edge_of(axes, large)
    set_up = configuration(large)
    title = f"A real network: {set_up['net'].upper()} on {set_up['size']} MNIST digits"
    label_axes(axes, "time = η × step", "sharpness [1/time]", title)
    axes.set_ylim(bottom=0)
    axes.legend(loc="lower right")
