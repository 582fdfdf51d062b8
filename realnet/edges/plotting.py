"""A history drawn: each quantity over time with its threshold dashed, the loss above."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from linmodel.errors import refuse
from realnet.ticks import plain

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
WIDE = 20.0  # greatest over least: from here on the axis is logarithmic
FAR = 5.0  # ratio of largest magnitudes: from here on the larger line drowns the smaller


def draw(history: xr.Dataset, which: Sequence[str] | None = None) -> Figure:
    """Panels for loss, and for quantities that can be compared; time below.

    These share a unit and a threshold; or a unit, no threshold, a sign and an order of magnitude.

    which: names of quantities; None: all that the history has with a finite value.
    """
    which = [which] if isinstance(which, str) else which
    names = list(which) if which is not None else measured(history)
    missing = [name for name in names if name not in history]
    if missing or not names:
        known = ", ".join(measured(history))
        allowed = f"quantities of it: {known}" if known else "one with a measurement"
        refuse("history", missing or "empty", allowed, "" if known else "Evaluate first.")
    panels = _panels(history, names)
    figure = Figure(figsize=(8.0, 1.4 + 2.4 * len(panels)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(panels) + 1, 1, sharex=True, squeeze=False)[:, 0]
    _line(axes[0], history, "loss", "0.3")
    axes[0].set_ylabel("loss")
    for axis, members in zip(axes[1:], panels, strict=True):
        for i, name in enumerate(members):
            _line(axis, history, name, COLOURS[i % len(COLOURS)])
        level = f"{members[0]}_threshold"
        if level in history:
            time, values = _finite(history, level)
            edge = history.two_over_eta.values[np.isfinite(history[level].values)]
            said = "2/η" if np.allclose(values, edge) else "threshold"
            axis.plot(time, values, color="black", linestyle="--", lw=1.2, label=said)
        axis.set_ylabel(f"[{history[members[0]].attrs['units']}]")
        axis.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))  # beside the lines
    for axis in axes:
        _scale(axis)
    axes[-1].set_xlabel("time [step size × step]")
    return figure


def measured(history: xr.Dataset) -> list[str]:
    """Names of the quantities in a history that have a finite value somewhere."""
    return [
        str(name)
        for name in history.data_vars
        if "source" in history[name].attrs and bool(np.isfinite(history[name]).any())
    ]


def _panels(history: xr.Dataset, names: Sequence[str]) -> list[list[str]]:
    """Each quantity joins the first panel whose quantities are all alike to it."""
    found: list[list[str]] = []
    for name in names:
        same = (panel for panel in found if all(_alike(history, each, name) for each in panel))
        home = next(same, None)
        if home is None:
            found.append([name])
        else:
            home.append(name)
    return found


def _alike(history: xr.Dataset, one: str, other: str) -> bool:
    levels = [f"{name}_threshold" for name in (one, other)]
    if history[one].attrs["units"] != history[other].attrs["units"]:
        return False
    if not all(level in history for level in levels):
        return not any(level in history for level in levels) and _near(history, one, other)
    pair = [history[level].values for level in levels]
    both = np.isfinite(pair[0]) & np.isfinite(pair[1])
    return bool(both.any()) and bool(np.allclose(pair[0][both], pair[1][both]))


def _near(history: xr.Dataset, one: str, other: str) -> bool:
    """Whether neither line is flat, or the other's mirror, on an axis that shows both."""
    ends = [_finite(history, name)[1] for name in (one, other)]
    sizes = sorted(float(np.abs(values).max(initial=0.0)) for values in ends)
    signs = {float(np.sign(np.median(values))) for values in ends if len(values)}
    return sizes[1] <= FAR * sizes[0] and len(signs) <= 1


def _finite(history: xr.Dataset, name: str) -> tuple[np.ndarray, np.ndarray]:
    kept = np.isfinite(history[name].values)
    return history.time.values[kept], history[name].values[kept]


def _line(axis: Axes, history: xr.Dataset, name: str, colour: str) -> None:
    axis.plot(*_finite(history, name), color=colour, marker=".", markersize=4, label=name)
    if f"{name}_low" in history:
        time, low = _finite(history, f"{name}_low")
        _, high = _finite(history, f"{name}_high")
        axis.fill_between(time, low, high, color=colour, alpha=0.25, lw=0)


def _scale(axis: Axes) -> None:
    """Logarithmic where the lines of the axis are positive and span more than WIDE."""
    values = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in axis.lines])
    if len(values) and values.min() > 0 and values.max() > WIDE * values.min():
        axis.set_yscale("log")
        plain(axis.yaxis)
