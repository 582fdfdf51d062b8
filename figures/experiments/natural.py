"""Page of an experiment. Opposing signals in natural images, nobody having planted any."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.style import COLOURS, label_axes, panels
from figures.table import Table, number

PLACE = 65
CAPTIONS = {
    "natural": (
        "Natural images, nobody having planted anything; every run has the same images. Left: runs "
        "of each network and loss in which a graded signal was listed, opposed (concentrated, one "
        "look and two targets) and claimed (its look also tells classes apart elsewhere). Right: "
        "the largest rank correlation between two runs' loadings, mean over their seeds; a run "
        "with itself is left out. Look for: whether networks and seeds swing the same samples."
    ),
}
GRADES = ("listed", "opposed", "claimed")
SHADES = (COLOURS["reference"], COLOURS["loss"], COLOURS["sharpness"])
NUMBERS = ("near", "p_value", "energy_share", "curvature_share", "members", "dominance")
CHANGES = ("change_sd", "change_2sd", "change_3sd", "change_4sd", "change_1")
LEVEL = 0.01


def draw(data: xr.Dataset) -> Figure:
    """Grades by arm, and agreement between arms."""
    drawn, axes = panels(1, 2, (12, 5))
    left, right = axes[0]
    arms = [str(arm) for arm in data.arm.values]
    places = np.arange(len(arms))
    for shift, (grade, colour) in enumerate(zip(GRADES, SHADES, strict=True)):
        runs = (data[grade] > 0).sum("seed").values
        left.barh(places + 0.27 * (shift - 1), runs, 0.25, color=colour, label=grade)
    left.set_yticks(places, arms, fontsize=7)
    left.invert_yaxis()
    left.set_xlim(0, data.sizes["seed"] + 0.2)
    left.legend(fontsize=7)
    label_axes(left, f"runs of {data.sizes['seed']}", "", "Signals by grade")
    image = right.imshow(between_arms(data), vmin=0, vmax=1, cmap="viridis")
    right.set_xticks(places, arms, fontsize=6, rotation=90)
    right.set_yticks(places, arms, fontsize=6)
    right.grid(False)
    drawn.colorbar(image, ax=right, shrink=0.8)
    label_axes(right, "", "", "Agreement on the samples: |rank correlation|")
    return drawn


def between_arms(data: xr.Dataset) -> np.ndarray:
    """(arm, arm) mean agreement over pairs of different runs; NaN where there is none."""
    seeds = data.sizes["seed"]
    values = data.agreement.values.copy()
    np.fill_diagonal(values, np.nan)
    blocks = values.reshape(data.sizes["arm"], seeds, data.sizes["arm"], seeds)
    known = np.isfinite(blocks)
    total = np.where(known, blocks, 0.0).sum(axis=(1, 3))
    count = known.sum(axis=(1, 3))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def tables(data: xr.Dataset) -> list[Table]:
    """Counts and medians by arm; loss changes; how many pairs of runs agree; colours' norms."""
    rows, changes = [], []
    for arm in data.arm.values:
        own = data.sel(arm=arm)
        counts = [str(int((own[grade] > 0).sum())) for grade in (*GRADES, "sky")]
        rows.append([str(arm), *counts, *(_median(own[name]) for name in NUMBERS)])
        changes.append([str(arm), *(_median(own[name]) for name in CHANGES)])
    heads = [name.replace("_", " ") for name in NUMBERS]
    said = [name.replace("_", " ") for name in CHANGES]
    return [
        Table(
            f"Runs of {data.sizes['seed']} by grade; medians of the first signal",
            ["arm", *GRADES, "sky", *heads],
            rows,
        ),
        Table("One-step loss changes (S16), medians over seeds", ["arm", *said], changes),
        Table(
            f"Pairs of runs that agree on the samples beyond their classes (p <= {LEVEL:g})",
            ["pairs", "agree", "of", "median |rank correlation|"],
            _agreeing(data),
        ),
        Table("Feature norm of one colour over the images' mean", ["arm", *map(str,
              data.colour.values)], _colours(data)),
    ]  # fmt: skip


def _median(values: xr.DataArray) -> str:
    known = values.values[np.isfinite(values.values)]
    return number(float(np.median(known))) if len(known) else "none"


def _agreeing(data: xr.Dataset) -> list[list[str]]:
    arm = np.repeat(np.arange(data.sizes["arm"]), data.sizes["seed"])
    loss = np.array([str(name).split("; ")[-1] for name in data.arm.values])[arm]
    upper = np.triu(np.ones((len(arm), len(arm)), dtype=bool), 1)
    upper &= np.isfinite(data.agreement.values)
    same, alike = arm[:, None] == arm, loss[:, None] == loss
    kinds = {
        "one network and loss, two seeds": same,
        "two networks, one loss": ~same & alike,
        "two losses": ~alike,
    }
    found = []
    for name, kind in kinds.items():
        chosen = upper & kind
        values, p = data.agreement.values[chosen], data.agreement_p.values[chosen]
        middle = number(float(np.median(values))) if len(values) else "none"
        found.append([name, str(int((p <= LEVEL).sum())), str(len(values)), middle])
    return found


def _colours(data: xr.Dataset) -> list[list[str]]:
    norms = data.colour_norm.values.reshape(data.sizes["arm"], data.sizes["seed"], -1)
    return [
        [str(arm), *(number(float(value)) for value in np.median(own, axis=0))]
        for arm, own in zip(data.arm.values, norms, strict=True)
    ]
