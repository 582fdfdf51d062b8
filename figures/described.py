"""What a figure shows, in words, read off the drawn figure: for who does not see it."""

from __future__ import annotations

import re

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

MOST_CURVES = 4
_TEX = re.compile(r"\\(?:mathrm|mathbf|text)?|[${}]")


def described(figure: Figure) -> str:
    """A sentence a panel: its title, its axes, and from where to where its curves or colours go."""
    panels = [axes for axes in figure.axes if axes.axison and axes.get_label() != "<colorbar>"]
    said = [_panel(axes) for axes in panels]
    return " ".join(text for text in said if text)


def _panel(axes: Axes) -> str:
    y, x = _plain(axes.get_ylabel()), _plain(axes.get_xlabel())
    title = _plain(axes.get_title(loc="left") or axes.get_title())
    head = f"{title}: " if title else ""
    meshes = [one for one in axes.collections if isinstance(one, QuadMesh)]
    if meshes:
        return f"{head}map over {x} and {y}, values {_span(np.asarray(meshes[0].get_array()))}."
    against = f"{y} against {x}" if x and y else y or x
    curves = [text for line in axes.get_lines() if (text := _curve(line))]
    more = len(curves) - MOST_CURVES
    listed = "; ".join(curves[:MOST_CURVES]) + (f"; and {more} more" if more > 0 else "")
    return f"{head}{against}{': ' if listed else ''}{listed}." if against or listed else ""


def _curve(line: Line2D) -> str:
    """ "name from 1 to 3, at most 5": a named curve of more than two points."""
    name, y = str(line.get_label()), np.asarray(line.get_ydata(), dtype=float)
    y = y[np.isfinite(y)]
    if name.startswith("_") or len(y) < 3:
        return ""
    ends = f"{_plain(name)} from {y[0]:.3g} to {y[-1]:.3g}"
    outside = [f"at most {y.max():.3g}"] if y.max() > max(y[0], y[-1]) else []
    outside += [f"at least {y.min():.3g}"] if y.min() < min(y[0], y[-1]) else []
    return ", ".join([ends, *outside])


def _span(values: np.ndarray) -> str:
    known = values[np.isfinite(values)]
    return f"from {known.min():.3g} to {known.max():.3g}" if known.size else "none"


def _plain(text: str) -> str:
    return _TEX.sub("", text.replace("\n", " ")).replace("_", " ").strip()
