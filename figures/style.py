"""What all figures share: colours by quantity (colour-blind safe), labelled axes, saving.

No pyplot, no global state: figures are matplotlib objects on the Agg and SVG canvases.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from linmodel.errors import refuse
from linmodel.files import require_writable, write_bytes
from realnet.bridge.threshold import levels

# Okabe and Ito's palette; one quantity has one colour in every figure.
COLOURS = {
    "sharpness": "#0072B2",
    "opposing_curvature": "#009E73",
    "loss": "#D55E00",
    "o": "#8F4A83",
    "loss_plus": "#E69F00",
    "loss_minus": "#56B4E9",
    "toy": "#CC79A7",
    "reference": "#555555",
    "edge": "#000000",
}
SETTINGS: dict[Any, Any] = {
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10,
    "legend.fontsize": 9,
    "axes.grid": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.6,
    "legend.framealpha": 0.9,
    "legend.edgecolor": "none",
    "axes.formatter.useoffset": False,
    "svg.hashsalt": "opposing-signals",
}
FORMATS = ("png", "svg", "pdf")
# On a dark page: what a picture's inks become; also black, which is the ink of text and ticks.
DARK = {
    "#ffffff": "#1e2127",
    "#000000": "#e8e8e6",
    "#dddddd": "#3b4048",
    "#cccccc": "#4a505a",
    "#555555": "#b4b8be",
    "#e5e5e5": "#2c3038",
    "#0072b2": "#4fa8e0",
    "#8f4a83": "#c98bbf",
    "#009e73": "#27c498",
}
# Beyond this many points a curve is drawn by the extremes of each small stretch of it.
MOST_POINTS = 3000


def panels(
    rows: int, columns: int, size: tuple[float, float], **options: object
) -> tuple[Figure, np.ndarray]:
    """A figure of `size` inches with rows x columns axes in the house style; axes of that shape."""
    with rc_context(SETTINGS):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(rows, columns, squeeze=False, **options)  # type: ignore[call-overload]
    return figure, axes


def mosaic(layout: list[list[str]], size: tuple[float, float]) -> tuple[Figure, dict[str, Axes]]:
    """A figure of `size` inches with named axes laid out as in `layout`, in the house style."""
    with rc_context(SETTINGS):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplot_mosaic(layout)  # type: ignore[arg-type]
    return figure, axes


def plain_ticks(axes: Axes, values: tuple[float, ...]) -> None:
    """Ticks of a logarithmic y axis at `values`, written as plain numbers."""
    axes.set_yticks(values, [f"{value:g}" for value in values])
    axes.minorticks_off()


def axis_text(variable: xr.DataArray, short: str | None = None) -> str:
    """ "long name [units]" from a variable's attributes; `short` replaces the long name."""
    name = short or str(variable.attrs.get("long_name", variable.name))
    units = str(variable.attrs.get("units", "1"))
    return name if units in {"1", ""} else f"{name} [{units}]"


def label_axes(axes: Axes, x: str, y: str, title: str = "") -> None:
    """Axis labels and a left-aligned title."""
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    if title:
        axes.set_title(title, loc="left")


def curve(axes: Axes, x: ArrayLike, y: ArrayLike, **options: Any) -> None:
    """Plot y against x, thinned to what a figure can show without losing a peak."""
    axes.plot(*thin(np.asarray(x, dtype=float), np.asarray(y, dtype=float)), **options)


def thin(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most about MOST_POINTS points: the least and the greatest y of each equal stretch."""
    if len(x) <= MOST_POINTS:
        return x, y
    keep = {0, len(x) - 1}
    for part in np.array_split(np.arange(len(x)), MOST_POINTS // 2):
        values = y[part]
        if np.isfinite(values).any():
            keep |= {int(part[np.nanargmin(values)]), int(part[np.nanargmax(values)])}
    chosen = np.array(sorted(keep))
    return x[chosen], y[chosen]


def edge_line(axes: Axes, step_size: float, text: str = "2/η") -> None:
    """The stability threshold 2/eta as a black dashed line with its name."""
    axes.axhline(2 / step_size, color=COLOURS["edge"], linestyle="--", linewidth=1.2, label=text)


def edge_of(axes: Axes, run: xr.Dataset) -> None:
    """The threshold that a run's optimiser had at each evaluation, dashed; 2/eta by name if so."""
    found, eta = levels(run), run.attrs["step_size"]
    plain = np.allclose(found, 2 / eta, rtol=1e-6)
    text = f"2/η at η = {eta:g}" if plain else "the optimiser's own threshold"
    style: dict[str, Any] = {"color": COLOURS["edge"], "linestyle": "--", "linewidth": 1.2}
    if plain:
        axes.axhline(2 / eta, label=text, **style)
    else:
        axes.plot(run.time, np.where(np.isfinite(found), found, np.nan), label=text, **style)


def save(figure: Figure, path: str | Path) -> Path:
    """Write the figure whole or not at all; the name's ending (.png, .svg, .pdf) is the format.

    Raises InvalidInput for another ending, or a folder that is missing or not writable.
    """
    path = Path(path)
    kind = path.suffix.lstrip(".").lower()
    if kind not in FORMATS:
        refuse("figure file", str(path), "a name that ends in .png, .svg or .pdf")
    require_writable(path)
    metadata = {"Date": None} if kind == "svg" else None
    buffer = io.BytesIO()
    with rc_context(SETTINGS):
        figure.savefig(buffer, format=kind, dpi=150, metadata=metadata)
    return write_bytes(path, buffer.getbuffer())


def svg_text(figure: Figure) -> str:
    """The figure as SVG text, the same bytes for the same data; it follows a dark page."""
    buffer = io.StringIO()
    with rc_context(SETTINGS):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    head, defs, rest = buffer.getvalue().partition("<defs>")
    return f"{head}{_dark_style()}{defs}{rest}"


def _dark_style() -> str:
    """Rules for a viewer that prefers dark: tiles keep white text, all other white is paper."""
    rules = [f"svg {{ fill: {DARK['#000000']} }}"]
    for light, dark in DARK.items():
        if light != "#ffffff":
            rules.append(f'[style*="stroke: {light}"] {{ stroke: {dark} !important }}')
        kind = "path" if light == "#ffffff" else ""
        rules.append(f'{kind}[style*="fill: {light}"] {{ fill: {dark} !important }}')
    return f"<style>@media (prefers-color-scheme: dark) {{ {' '.join(rules)} }}</style>"
