"""Costs of several tools as points on one line each."""

from __future__ import annotations

from matplotlib.axes import Axes

from figures.style import COLOURS
from figures.table import number
from realnet.ticks import plain


def dots_panel(axes: Axes, values: dict[str, float], good: list[bool]) -> None:
    """A point a method on a logarithmic axis, ours first and coloured; not good: hollow."""
    for place, (value, fine) in enumerate(zip(values.values(), good, strict=True)):
        colour = COLOURS["sharpness" if place == 0 else "reference"]
        face = colour if fine else "none"
        axes.plot([value], [place], "o", color=colour, markerfacecolor=face, markersize=7)
        axes.annotate(
            number(value),
            (value, place),
            (8, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    axes.set_yticks(range(len(values)), list(values), fontsize=8)
    axes.set(xscale="log", xlim=(min(values.values()) / 2, max(values.values()) * 3))
    plain(axes.xaxis)
    axes.invert_yaxis()
