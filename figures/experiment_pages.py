"""The experiments' chapter of the report: every finished one, its figure, its table, its age.

Nothing is computed here: `make experiments` makes the curves, CURVES holds the project's own.
"""

from __future__ import annotations

import json
from pathlib import Path

import xarray as xr

from figures.experiment_tables import tables
from figures.experiments import CURVES, age, beside_toy, figure, finished
from figures.page import Section
from figures.style import svg_text
from realnet.experiments.results import load_result

OPENING = (
    "Made beforehand by `make experiments`; this page only shows what is finished, and how old it "
    "is. Intervals are 95% over seeds. "
)
NO_GPU = "None of it was run on a GPU: these are the sizes that a processor manages."
CAPTIONS = {
    "decisive_strong": (
        "One network on data with a planted pair of opposing groups, in five arms: untouched, the "
        "groups removed, as many random samples removed, label smoothing, and the groups' "
        "background randomised on a share of them. Instability is the share of steps on which the "
        "full loss rises, and its largest rise. Look for: whether removing the groups does what "
        "removing random samples does not."
    ),
    "decisive_weak": (
        "The same arms where the planted groups are too weak to carry the top of the spectrum: "
        "a control of the control."
    ),
    "toy_arms": (
        "The linear model's counterparts: outliers removed (α = 0), their share p varied at fixed "
        "size (α = p a²), and two controls that the theory predicts to change nothing in the "
        "population: p at fixed α, and g, the even part of the target, removed; left in the "
        "population, right on finite samples."
    ),
    "mechanism": (
        "The statements measured on a real network: descent against the flow at matched time "
        "(S1), the gradient's share along the top eigenvector and its alternation (S11), the "
        "quadratic model's failure beyond the edge (S13), curvature of single samples (S14), "
        "label smoothing (S15), and the spread of per-sample loss changes beside the paper's "
        "numbers (S16)."
    ),
    "forecast": (
        "From one small-step run alone: when, and whether, larger steps reach 2/η, and where the "
        "sharpness stays; the toy against rival descriptions of the same curve, with the same "
        "data. A point is a run; further left is better."
    ),
    "roles": (
        "One change at a time from a common baseline: batch size, step size, schedule, weight "
        "decay, normalisation, dropout, optimiser, clipping, SAM."
    ),
    "grokking": (
        "Addition modulo a prime, trained without weight decay: softmax cross-entropy, StableMax, "
        "the projection of the gradient off the weights, and weight decay for comparison."
    ),
    "measured": (
        "Groups found by the search, their share of the data (p) and their strength in the inputs "
        "(α), against the planted ones and against the α that the bridge fits to the sharpness "
        "curve alone."
    ),
    "text": (
        "A small character-level GPT: Adam against descent with and without momentum; which pairs "
        "of tokens have losses that oppose one another."
    ),
    "layers": "The top eigenvalue of each layer's own block of the Hessian over the whole one's.",
}


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
        CAPTIONS.get(name, "") + made + ("" if _on_gpu(data) else f" {NO_GPU}"),
        tuple(data.attrs["statements"].split()),
        svg=svg_text(figure(name, folder)),
        tables=tables(name, data),
    )


def _on_gpu(data: xr.Dataset) -> bool:
    return json.loads(data.attrs["configuration"]).get("device", "cpu") != "cpu"
