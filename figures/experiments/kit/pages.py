"""The experiments' chapter of the report: every finished one, its figure, its table, its date.

Nothing is computed here: `make experiments` makes the curves, CURVES holds the project's own.
"""

from __future__ import annotations

import json
from pathlib import Path

import xarray as xr

from figures.described import described
from figures.experiments.kit.scales import honest
from figures.experiments.kit.shown import CURVES, beside_toy, day, figure, finished, pages, seeds
from figures.page import Section
from figures.style import svg_text
from linmodel.files import write_bytes
from realnet.experiments.kit.results import load_result

OPENING = (
    "Made beforehand by `make experiments`; this page only shows what is finished. Intervals are "
    "95% over seeds, on a scale that keeps them where the quantity can be (logarithm, logit, "
    "Fisher's z)."
)
NO_GPU = "None of it was run on a GPU: these are the sizes that a processor manages."


def sections(folder: Path = CURVES) -> list[Section]:
    """A section for every finished experiment in `folder`, and the real arms beside the toy's."""
    names = finished(folder)
    if not names:
        return [Section("experiment", "No experiment is finished", note="Run `make experiments`.")]
    found = [_section(folder, name) for name in names]
    if {"decisive_strong", "toy_arms"} <= set(names):
        drawn = beside_toy(folder)
        beside = Section(
            "experiment-beside",
            "Real arms beside the toy's",
            "The same arms, left on a real network, right in the linear model on finite samples.",
            svg=svg_text(drawn),
            alt=described(drawn),
        )
        found.insert(0, beside)
    return found


def _section(folder: Path, name: str) -> Section:
    data = honest(load_result(folder, name))
    made = f" Made {day(data)} on {data.attrs['device']}{seeds(data)}."
    drawn = figure(name, folder)
    return Section(
        f"experiment-{name}",
        data.attrs["title"],
        pages()[name].CAPTIONS[name] + made + ("" if _on_gpu(data) else f" {NO_GPU}"),
        tuple(data.attrs["statements"].split()),
        svg=svg_text(drawn),
        tables=pages()[name].tables(data),
        alt=described(drawn),
        files=(f"data/experiments/{name}.nc",),
        command=f"python -m realnet experiments {name}",
    )


def _on_gpu(data: xr.Dataset) -> bool:
    return json.loads(data.attrs["configuration"]).get("device", "cpu") != "cpu"


def copy_data(folder: Path, out: Path) -> None:
    """The finished experiments' curves, where the page's links lead: OUT/experiments."""
    out = out / "experiments"
    out.mkdir(parents=True, exist_ok=True)
    for name in finished(folder):
        write_bytes(out / f"{name}.nc", (folder / f"{name}.nc").read_bytes())
