"""Ticks of logarithmic axes as plain numbers."""

from __future__ import annotations

from matplotlib.axis import Axis
from matplotlib.ticker import LogFormatter


class PlainLogFormatter(LogFormatter):
    """matplotlib's choice of the ticks that have a label, each written 0.3 and not 3 x 10^-1."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return f"{x:g}" if super().__call__(x, pos) else ""


def plain(axis: Axis) -> None:
    """Plain numbers on a logarithmic axis, also between powers of ten where these are few."""
    axis.set_major_formatter(PlainLogFormatter())
    axis.set_minor_formatter(PlainLogFormatter(minor_thresholds=(1.5, 0.5)))
