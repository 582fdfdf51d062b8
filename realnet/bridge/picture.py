"""The forecast drawn: small curves, fit, forecast, 2/eta, interval, and the larger run."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from linmodel.errors import refuse
from linmodel.files import write_bytes
from realnet.bridge.fitting import BridgeResult
from realnet.ticks import plain

FORMATS = ("png", "svg", "pdf")
SMALL, SECOND, TOY, LARGER, GREY = "#0072B2", "#56B4E9", "#CC79A7", "#D55E00", "#555555"


def check_format(path: Path) -> str:
    """The picture's format by its name. Raises InvalidInput."""
    kind = path.suffix.lstrip(".").lower()
    if kind not in FORMATS:
        refuse("picture", str(path), "a name that ends in ." + ", .".join(FORMATS))
    return kind


def draw(
    path: Path,
    small: xr.Dataset,
    second: xr.Dataset | None,
    larger: xr.Dataset | None,
    fitted: BridgeResult | None,
    predicted: xr.Dataset | None,
) -> None:
    """Write the picture. Raises InvalidInput for a name of another format, or where it cannot."""
    kind = check_format(path)
    figure = Figure(figsize=(8, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot(small.time, small.sharpness, ".-", color=SMALL, markersize=4, label="small-step run")
    if second is not None:
        axes.plot(second.time, second.sharpness, ".-", color=SECOND, markersize=4, label="second")
    if larger is not None:
        axes.plot(larger.time, larger.sharpness, ".-", color=LARGER, markersize=3, label="larger")
    if fitted is not None:
        _fit(axes, fitted)
    if predicted is not None:
        _forecast(axes, predicted)
    axes.set(xlabel="time [step size × step]", ylabel="sharpness [1/time]", yscale="log")
    plain(axes.yaxis)
    axes.grid(color="#DDDDDD", linewidth=0.6)
    axes.legend(loc="best", fontsize=9)
    content = io.BytesIO()
    figure.savefig(content, format=kind, dpi=150)
    write_bytes(path, content.getbuffer())


def _fit(axes: Axes, fitted: BridgeResult) -> None:
    used = fitted.dataset.isel(time=fitted.dataset.fitted.values == 1)
    axes.plot(used.time, used.toy_sharpness, color=TOY, label=f"toy fitted ({fitted.status})")
    last, end = fitted.curve.span, float(fitted.dataset.time[-1])
    if last < end:
        text = "not described by the toy"
        axes.axvspan(last, end, color=GREY, alpha=0.1, linewidth=0, label=text)


def _forecast(axes: Axes, predicted: xr.Dataset) -> None:
    row = predicted.sel(rule=predicted.attrs["answer"])
    for i in range(row.sizes["step_size"]):
        one = row.isel(step_size=i)
        level, time = float(one.edge), float(one.edge_time)
        axes.axhline(level, color=GREY, linestyle="--", linewidth=1)
        text = f"2/η, η = {float(one.step_size):g}: {one.status.item()}"
        axes.annotate(
            text,
            (1, level),
            xycoords=("axes fraction", "data"),
            xytext=(-4, 3),
            textcoords="offset points",
            ha="right",
            va="bottom",
            fontsize=8,
            bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1},
            zorder=1.5,  # below the curves
        )
        if not math.isfinite(time):
            continue
        reach = np.array([[time - float(one.low)], [float(one.high) - time]])
        name = f"forecast: {predicted.attrs['answer']}" if i == 0 else None
        axes.errorbar(time, level, xerr=reach, fmt="o", color="black", capsize=4, label=name)
