"""Page of an experiment. Opposing signals in natural images, nobody having planted any."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from scipy.special import betaincinv

from figures.style import COLOURS, label_axes, panels
from figures.table import Table, number
from realnet.signals.loadings import NEAR

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
DRAWS = 999


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
    label_axes(right, "", "", "|Rank correlation| of loadings")
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
            ["pairs", "agree", "of", "median |rank correlation|", "mean beyond classes"],
            _agreeing(data),
        ),
        Table("How often", ["what", "runs", "of", "share and its 95% interval"], _often(data)),
        Table("Feature norm of one colour over the images' mean", ["arm", *map(str,
              data.colour.values)], _colours(data)),
    ]  # fmt: skip


def _often(data: xr.Dataset) -> list[list[str]]:
    """Runs at the edge (0.8 of 2/eta at a look) with each grade; Clopper and Pearson's interval."""
    near = data.near.values >= NEAR
    every = [["at the edge", str(int(near.sum())), str(near.size), share(near.sum(), near.size)]]
    for name in (*GRADES, "sky"):
        count = int((data[name].values[near] > 0).sum())
        every.append([name, str(count), str(int(near.sum())), share(count, int(near.sum()))])
    return every


def share(count: int, of: int) -> str:
    """count / of, with its exact binomial interval."""
    if not of:
        return "none"
    low = betaincinv(count, of - count + 1, 0.025) if count else 0.0
    high = betaincinv(count + 1, of - count, 0.975) if count < of else 1.0
    return f"{count / of:.2f} [{low:.2f}, {high:.2f}]"


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
        beyond = beyond_classes(data, kind)
        found.append([name, str(int((p <= LEVEL).sum())), str(len(values)), middle, beyond])
    return found


def beyond_classes(data: xr.Dataset, kind: np.ndarray) -> str:
    """Mean over pairs of runs of agreement less its null's mean, 95% interval by bootstrap over
    runs (pairs share runs); "none" without pairs."""
    excess = np.where(kind, data.agreement.values - data.agreement_null.values, np.nan)
    np.fill_diagonal(excess, np.nan)
    known = np.flatnonzero(np.isfinite(excess).any(axis=1))
    if not len(known):
        return "none"
    generator = np.random.default_rng(0)
    means = []
    for _ in range(DRAWS):
        drawn = generator.choice(known, len(known))
        values = excess[np.ix_(drawn, drawn)]
        if np.isfinite(values).any():
            means.append(np.nanmean(values))
    low, high = np.quantile(means, (0.025, 0.975))
    return f"{np.nanmean(excess):+.2f} [{low:+.2f}, {high:+.2f}]"


def _colours(data: xr.Dataset) -> list[list[str]]:
    norms = data.colour_norm.values.reshape(data.sizes["arm"], data.sizes["seed"], -1)
    return [
        [str(arm), *(number(float(value)) for value in np.median(own, axis=0))]
        for arm, own in zip(data.arm.values, norms, strict=True)
    ]
