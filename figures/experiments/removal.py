"""Page of an experiment. Without the opposing groups, and without samples like them."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.experiments.kit.marks import PALETTE
from figures.style import label_axes, panels
from figures.table import Table, number

PLACE = 22
_TEXT = (
    "The same run from the same start, without a share of a group's members, and without as many "
    "other samples: of the members' classes, of about their loss, of about the norm of their "
    "gradients, and the samples of the largest loss and gradient. {} Above: mean over seeds by the "
    "share left out; symbols on the right: what is left out instead of all members. Below: all "
    "members less each control, mean and 95% bootstrap interval over seeds; filled where the "
    "sign-flip test, Holm-corrected over controls and outcomes, has p ≤ 0.05. What is compared was "
    "written down before the runs (preregistration.toml). Look for: intervals off zero for every "
    "control."
)
CAPTIONS = {
    "removal_planted": _TEXT.format("Pictures with planted opposing groups."),
    "removal_natural": _TEXT.format("Natural images, CIFAR-10 (JPEG copy): the group found first."),
}
LEVEL = 0.05
DOSES = {"untouched": 0.0} | {f"members {share}%": share / 100 for share in (25, 50, 75, 100)}
MARKS = {"class": "s", "loss": "^", "gradient": "v", "large loss": "P", "large gradient": "X"}
ENDS = ("mean", "low", "high")


def draw(data: xr.Dataset) -> Figure:
    """Dose and rivals above, the primary numbers below; a column for each outcome."""
    names = [str(name) for name in data.outcome.values]
    drawn, axes = panels(2, len(names), (15, 7))
    for column, name in enumerate(names):
        _by_dose(axes[0, column], data, name)
        _forest(axes[1, column], data, name)
    if _shown(data):
        drawn.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=8)
    return drawn


def tables(data: xr.Dataset) -> list[Table]:
    """Primary numbers; every arm less the untouched run; how like the members the controls are."""
    if not _shown(data):
        none = f"none was found in {data.sizes['seed']} seeds"
        return [Table("Groups", ["cell", "group"], [[str(c), none] for c in data.cell.values])]
    rows = [
        [
            *_names(cell, f"{group} ({_count(data, cell, group)})"),
            f"less {control}",
            *(_primary(own, o) for o in data.outcome.values),
        ]
        for cell, group in _shown(data)
        for control in data.control.values
        for own in [data.sel(cell=cell, group=group, control=control)]
    ]
    outcomes = [str(one) for one in data.outcome.values]
    title = f"Primary numbers: all members left out, mean [95%] over {data.sizes['seed']} seeds; p"
    heading = ["cell", "group (seeds)", "against", *outcomes]
    return [Table(title, heading, rows), _arms(data, outcomes), _likeness(data)]


def _shown(data: xr.Dataset) -> list[tuple[str, str]]:
    """(cell, group) that are there in some seed."""
    return [
        (cell, group)
        for cell in data.cell.values
        for group in data.group.values
        if _count(data, cell, group)
    ]


def _count(data: xr.Dataset, cell: str, group: str) -> int:
    """Seeds in which the group is there."""
    return int(np.isfinite(data.likeness.sel(cell=cell, group=group).isel(without=-1, of=0)).sum())


def _names(cell: str, group: str) -> list[str]:
    return [str(cell), str(group)]


def _primary(own: xr.Dataset, outcome: str) -> str:
    at = own.sel(outcome=outcome)
    mean, low, high, p = (float(at[f"primary_{end}"]) for end in (*ENDS, "p"))
    if np.isnan(mean):
        return "fewer than three seeds"
    return f"{number(mean)} [{number(low)}, {number(high)}]; {number(p)}"


def _arms(data: xr.Dataset, outcomes: list[str]) -> Table:
    rows = []
    for cell, group in _shown(data):
        for arm in data.without.values[1:]:
            own = data.sel(cell=cell, group=group, without=arm)
            ends = [
                [number(float(own[f"change_{end}"].sel(outcome=one))) for end in ENDS]
                for one in outcomes
            ]
            rows.append([*_names(cell, group), str(arm), *(f"{a} [{b}, {c}]" for a, b, c in ends)])
    return Table("Less the untouched run: mean [95%]", ["cell", "group", "out", *outcomes], rows)


def _likeness(data: xr.Dataset) -> Table:
    mean = data.likeness.mean("seed")
    rows = [
        [*_names(cell, group), str(arm), *(number(float(value)) for value in own)]
        for cell, group in _shown(data)
        for arm in MARKS
        for own in [mean.sel(cell=cell, group=group, without=arm).values]
    ]
    heading = ["cell", "group", "left out", *(str(one) for one in data["of"].values)]
    return Table("How like the members: means over seeds; members: their share", heading, rows)


def _by_dose(axes: Axes, data: xr.Dataset, outcome: str) -> None:
    for i, (cell, group) in enumerate(_shown(data)):
        own = data.value.sel(cell=cell, group=group, outcome=outcome).mean("seed")
        colour = PALETTE[i % len(PALETTE)]
        values = own.sel(without=list(DOSES)).values
        axes.plot(list(DOSES.values()), values, "o-", color=colour, label=f"{cell}, {group}")
        for j, (arm, mark) in enumerate(MARKS.items()):
            at = 1.08 + 0.07 * j
            label = arm if i == 0 else None
            axes.plot(
                at, float(own.sel(without=arm)), mark, color=colour, markerfacecolor="none",
                label=label,
            )  # fmt: skip
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    label_axes(axes, "share of the members left out", outcome, outcome.capitalize())


def _forest(axes: Axes, data: xr.Dataset, outcome: str) -> None:
    shown, controls = _shown(data), [str(name) for name in data.control.values]
    for i, (cell, group) in enumerate(shown):
        own = data.sel(cell=cell, group=group, outcome=outcome)
        at = np.arange(len(controls)) + 0.5 * ((i + 0.5) / len(shown) - 0.5)
        colour = PALETTE[i % len(PALETTE)]
        axes.hlines(at, own.primary_low, own.primary_high, color=colour, linewidth=2, alpha=0.5)
        sure = own.primary_p.values <= LEVEL
        for chosen, face in ((sure, colour), (~sure, "none")):
            axes.plot(
                own.primary_mean.values[chosen], at[chosen], "o", markersize=4, color=colour,
                markerfacecolor=face,
            )  # fmt: skip
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(controls)), [f"less {name}" for name in controls])
    axes.set_ylim(len(controls) - 0.5, -0.5)
    label_axes(axes, f"{outcome}: members less control", "")
