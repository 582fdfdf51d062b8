"""Page of an experiment. From one state, into the edge and not: whom does it help?"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.experiments.kit.marks import PALETTE, TIME
from figures.style import curve, label_axes, panels
from figures.table import Table, number

PLACE = 28
_TEXT = (
    "From the last state below the edge, one run keeps its step size and enters the edge; a twin "
    "of an eighth of the step stays below it. {} Points: the group's change through the edge less "
    "that of a random group of as many samples, mean and 95% bootstrap interval over seeds; filled "
    "where the sign-flip test, Holm-corrected over groups and outcomes, has p ≤ 0.05. What is "
    "compared was written down before the runs (preregistration.toml). Look for: intervals off "
    "zero, on the same side in every network."
)
CAPTIONS = {
    "branching_planted": _TEXT.format("Pictures with planted opposing groups."),
    "branching_natural": _TEXT.format("Natural images, CIFAR-10 (JPEG copy)."),
}
LEVEL = 0.05


def draw(data: xr.Dataset) -> Figure:
    """Sharpness of both arms, seed 0; the groups' relative effects on margin and loss."""
    drawn, axes = panels(1, 3, (14, 5))
    _sharpness(axes[0, 0], data)
    for ax, outcome in zip(axes[0, 1:], ("margin", "loss"), strict=True):
        _forest(ax, data, outcome)
    return drawn


def tables(data: xr.Dataset) -> list[Table]:
    """Every primary number; the arms' effects on all samples."""
    rows = [
        [str(cell), str(group), str(outcome), *_numbers(data, cell, group, outcome)]
        for cell in data.cell.values
        for group in data.primary_group.values
        for outcome in data.outcome.values
    ]
    count = data.sizes["seed"]
    heading = ["cell", "group", "outcome", "through less below, less random group's", "p, Holm"]
    return [Table(f"Primary numbers: mean [95%] over {count} seeds", heading, rows), _arms(data)]


def _numbers(data: xr.Dataset, cell: str, group: str, outcome: str) -> list[str]:
    own = data.sel(cell=cell, primary_group=group, outcome=outcome)
    mean, low, high, p = (float(own[f"relative_{name}"]) for name in ("mean", "low", "high", "p"))
    if np.isnan(mean):
        return ["no such group in three seeds", ""]
    return [f"{number(mean)} [{number(low)}, {number(high)}]", number(p)]


def _arms(data: xr.Dataset) -> Table:
    rows = []
    for cell in data.cell.values:
        for arm in data.arm.values:
            own = data.sel(cell=cell, arm=arm, group="all")
            ends = [
                [number(float(own[f"effect_{end}"].sel(outcome=outcome))) for end in ENDS]
                for outcome in data.outcome.values
            ]
            rows.append([str(cell), str(arm), *(f"{a} [{b}, {c}]" for a, b, c in ends)])
    heading = ["cell", "arm less below, all samples", *(str(one) for one in data.outcome.values)]
    return Table("Arms: mean [95%] over seeds, all samples", heading, rows)


ENDS = ("mean", "low", "high")


def _sharpness(axes: Axes, data: xr.Dataset) -> None:
    for i, cell in enumerate(data.cell.values):
        own = data.sel(cell=cell)
        level = 2 / float(own.step_size.isel(seed=0))
        colour = PALETTE[i % len(PALETTE)]
        curve(axes, own.at_time, own.sharpness / level, color=colour, label=str(cell))
        curve(axes, own.at_time, own.below_sharpness / level, color=colour, linestyle=":")
    axes.axhline(1, color="black", linestyle="--", linewidth=1)
    axes.legend(fontsize=7)
    label_axes(axes, TIME, "sharpness / (2/η)", "Seed 0: through the edge; dotted: below it")


def _forest(axes: Axes, data: xr.Dataset, outcome: str) -> None:
    measured = data.dropna("primary_group", how="all", subset=["relative_mean"])
    data = measured if measured.sizes["primary_group"] else data
    names = [str(name) for name in data.primary_group.values]
    cells = list(data.cell.values)
    for i, cell in enumerate(cells):
        own = data.sel(cell=cell, outcome=outcome)
        at = np.arange(len(names)) + 0.7 * ((i + 0.5) / len(cells) - 0.5)
        colour = PALETTE[i % len(PALETTE)]
        axes.hlines(at, own.relative_low, own.relative_high, color=colour, linewidth=2, alpha=0.5)
        sure = own.relative_p.values <= LEVEL
        for chosen, face in ((sure, colour), (~sure, "none")):
            axes.plot(
                own.relative_mean.values[chosen], at[chosen], "o", markersize=4, color=colour,
                markerfacecolor=face,
            )  # fmt: skip
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    label_axes(axes, f"{outcome}: effect less a random group's", "", f"Effect on the {outcome}")
