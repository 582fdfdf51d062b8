"""The experiments' chapter of the report: every finished one, its figure, its table, its age.

Nothing is computed here: `make experiments` makes the curves, CURVES holds the project's own.
"""

from __future__ import annotations

import json
from pathlib import Path

import xarray as xr

from figures.experiments.kit.shown import CURVES, age, beside_toy, figure, finished, pages
from figures.page import Section
from figures.style import svg_text
from realnet.experiments.kit.results import load_result

OPENING = (
    "Made beforehand by `make experiments`; this page only shows what is finished, and how old it "
    "is. Intervals are 95% over seeds. "
)
NO_GPU = "None of it was run on a GPU: these are the sizes that a processor manages."


def sections(folder: Path = CURVES) -> list[Section]:
    """A section for every finished experiment in `folder`, and the real arms beside the toy's."""
    names = finished(folder)
    if not names:
        return [Section("experiment", "No experiment is finished", note="Run `make experiments`.")]
    found = [_section(folder, name) for name in names]
    if {"decisive_strong", "toy_arms"} <= set(names):
        beside = Section(
            "experiment-beside",
            "Real arms beside the toy's",
            "The same arms, left on a real network, right in the linear model on finite samples.",
            svg=svg_text(beside_toy(folder)),
        )
        found.insert(0, beside)
    return found


def _section(folder: Path, name: str) -> Section:
    data = load_result(folder, name)
    made = f" Made {age(data.attrs['created'])} on {data.attrs['device']}."
    return Section(
        f"experiment-{name}",
        data.attrs["title"],
        pages()[name].CAPTIONS[name] + made + ("" if _on_gpu(data) else f" {NO_GPU}"),
        tuple(data.attrs["statements"].split()),
        svg=svg_text(figure(name, folder)),
        tables=pages()[name].tables(data),
    )


def _on_gpu(data: xr.Dataset) -> bool:
    return json.loads(data.attrs["configuration"]).get("device", "cpu") != "cpu"
