"""A history drawn: each quantity over time with its threshold dashed, the loss above."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from linmodel.errors import refuse

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


def draw(history: xr.Dataset, which: Sequence[str] | None = None) -> Figure:
    """Panels for loss, and for quantities that share a unit and a threshold; time below.

    which: names of quantities; None: all that the history has with a finite value.
    """
    names = list(which) if which is not None else measured(history)
    missing = [name for name in names if name not in history]
    if missing or not names:
        refuse("history", missing or "empty", f"quantities of it: {', '.join(measured(history))}")
    panels = _panels(history, names)
    figure = Figure(figsize=(8.0, 1.4 + 2.4 * len(panels)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(panels) + 1, 1, sharex=True, squeeze=False)[:, 0]
    axes[0].plot(history.time, history.loss, color="0.3", marker=".", markersize=3)
    if bool((history.loss > 0).any()):
        axes[0].set_yscale("log")
    axes[0].set_ylabel("loss")
    for axis, members in zip(axes[1:], panels, strict=True):
        for i, name in enumerate(members):
            _line(axis, history, name, COLOURS[i % len(COLOURS)])
        level = f"{members[0]}_threshold"
        if level in history:
            said = "2/η" if np.allclose(history[level], history.two_over_eta) else "threshold"
            axis.plot(
                history.time,
                history[level].where(np.isfinite(history[level])),
                color="black",
                linestyle="--",
                lw=1.2,
                label=said,
            )
        axis.set_ylabel(f"[{history[members[0]].attrs['units']}]")
        axis.legend(fontsize=8)
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
    """Quantities of one threshold share a panel; those without are together, by unit."""
    found: dict[tuple, list[str]] = {}
    for name in names:
        level = f"{name}_threshold"
        key: tuple = (history[name].attrs["units"], level in history)
        if level in history:
            key += tuple(np.nan_to_num(history[level].values, nan=-1.0, posinf=-2.0))
        found.setdefault(key, []).append(name)
    return list(found.values())


def _line(axis: object, history: xr.Dataset, name: str, colour: str) -> None:
    values = history[name].where(np.isfinite(history[name]))
    axis.plot(history.time, values, color=colour, marker=".", markersize=3, label=name)  # type: ignore[attr-defined]
    if f"{name}_low" in history:
        low, high = history[f"{name}_low"], history[f"{name}_high"]
        axis.fill_between(history.time, low, high, color=colour, alpha=0.2, lw=0)  # type: ignore[attr-defined]
