"""A small table as a figure's module hands it to the report."""

from __future__ import annotations

from typing import NamedTuple


class Table(NamedTuple):
    """A title, the column headings, and rows of texts; `anchors`: an id for every row, or none."""

    title: str
    heading: list[str]
    rows: list[list[str]]
    anchors: list[str] | None = None


def number(value: float) -> str:
    """Four significant digits; a dash where there is no number."""
    return "–" if value != value else f"{value:.4g}"
