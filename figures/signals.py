"""Opposing groups found in a network: their losses, what they carry, and what they look like."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.cache import Datasets, need_torch
from figures.options import Work
from figures.style import COLOURS, curve, label_axes, mosaic
from figures.table import Table, number
from realnet.signals.numbers import rows

NAME = "signals"
TITLE = "Opposing groups, found without looking at pictures"
STATEMENTS = ("S11", "S14", "S16")
OPTIONS = ("train_size", "steps", "seed")
CAPTION = (
    "Clothes on coloured backgrounds; on one sample in ten, half of them T-shirts and half "
    "trousers, the background is one strong sky colour. The groups were found from slopes, "
    "responses and loss changes alone. Top left: mean losses of the two groups and of all others. "
    "Top right: the share of the largest Hessian eigenvalue, of the gradient and of the data that "
    "the groups are, with 95% bootstrap intervals (S14). Below: the groups' members, and the "
    "standard deviation over samples of the one-step loss change (S16). Look for: two groups of "
    "one look and two classes, losses that swing in antiphase at the edge (S11), and a share of "
    "the curvature many times the share of the data."
)
SHOWN = 8  # members drawn of each group
MOST_STEPS = 100
STEP = 1.8  # step size times the sharpness at the start: just below the edge, which is 2
DIALS = {"fraction": 0.1, "magnitude": 4.0}
SIDES = {"plus": COLOURS["loss_plus"], "minus": COLOURS["loss_minus"]}


def compute(work: Work) -> Datasets:
    """Train with evidence, find and measure. Raises Unavailable without torch."""
    need_torch("The search for opposing groups")
    import torch

    from realnet.curvature.tracker import top_eigenpairs
    from realnet.data import datasets
    from realnet.networks import build_network
    from realnet.signals.study import observe, study
    from realnet.training.losses import sample_loss

    options = work.options
    data = datasets.load("planted", size=options.train_size, seed=options.seed, **DIALS)
    model = build_network("mlp", data.shape, activation="tanh", seed=options.seed)
    inputs, labels = torch.as_tensor(data.inputs), torch.as_tensor(data.labels)
    losses = sample_loss("cross-entropy")
    start = top_eigenpairs(lambda: losses(model(inputs), labels).mean(), model).sharpness
    evidence = observe(
        model,
        losses,
        inputs,
        labels,
        step_size=STEP / start,
        steps=min(options.steps, MOST_STEPS),
        seed=options.seed,
        report=lambda count, note: work.report(f"opposing groups: {note}"),
    )
    found = study(evidence, seed=options.seed)
    numbers = found.numbers
    if found.pairs:
        numbers = add_members(numbers, data, found.pairs[0])
    return {"numbers": numbers}


def add_members(numbers: xr.Dataset, data, pair) -> xr.Dataset:
    """Images in [0, 1] (side, shown, row, column, channel) and labels of the first members."""
    sd, mean = (np.asarray(data.provenance[key])[:, None, None] for key in ("sd", "mean"))
    count = min(SHOWN, len(pair.plus), len(pair.minus))
    chosen = np.stack([pair.plus[:count], pair.minus[:count]])
    raw = data.inputs[chosen] * sd + mean
    images = np.clip((raw - np.percentile(raw, 1)) / np.ptp(np.percentile(raw, (1, 99))), 0, 1)
    truth = data.members.get("opposing", np.zeros(len(data.labels), dtype=bool))
    hits = int(truth[pair.members].sum())
    return numbers.assign(
        images=(("side", "shown", "row", "column", "channel"), np.moveaxis(images, 2, -1)),
        shown_label=(("side", "shown"), data.labels[chosen]),
        planted=((), int(truth.sum())),
        planted_found=((), hits),
    )


def words(datasets: Datasets) -> list[str]:
    """What was found, against what was planted."""
    numbers = datasets["numbers"]
    if "pair" not in numbers.dims:
        return ["No opposing groups were found in this run."]
    own = numbers.isel(pair=0)
    size = int(own.plus_size) + int(own.minus_size)
    return [
        f"Found: {int(own.plus_size)} and {int(own.minus_size)} samples, whose response exceeds "
        f"all others' {float(own.jump):.3g} times (p = {float(own.p_value):.1e}); "
        f"{int(own.planted_found)} of these {size} are among the {int(own.planted)} planted."
    ]


def tables(datasets: Datasets) -> list[Table]:
    """Every number that measures the first pair, with its interval and definition."""
    numbers = datasets["numbers"]
    if "pair" not in numbers.dims:
        return []
    lines = [
        [name, number(value), f"{number(low)} to {number(high)}", definition]
        for name, value, low, high, definition in rows(numbers)
    ]
    return [
        Table("What the groups carry", ["number", "value", "95% interval", "definition"], lines)
    ]


def draw(datasets: Datasets) -> Figure:
    """Losses, shares, loss changes, and the members' images."""
    numbers = datasets["numbers"]
    figure, axes = mosaic([["losses", "shares"], ["members", "changes"]], (10, 7))
    _changes(axes["changes"], numbers)
    if "pair" not in numbers.dims:
        for name in ("losses", "shares", "members"):
            axes[name].text(0.5, 0.5, "no groups found", ha="center", va="center")
            axes[name].set_axis_off()
        return figure
    own = numbers.isel(pair=0)
    _losses(axes["losses"], own)
    shares_panel(axes["shares"], own)
    _members(axes["members"], own)
    return figure


def _losses(axes: Axes, own: xr.Dataset) -> None:
    for side, colour in SIDES.items():
        curve(axes, own.time, own[f"loss_{side}"], color=colour, label=f"{side} group")
    curve(axes, own.time, own.loss_rest, color=COLOURS["reference"], label="all others")
    axes.set_yscale("log")
    label_axes(axes, "time [step size × step]", "mean loss", "Losses of the groups")
    axes.legend()


def shares_panel(axes: Axes, own: xr.Dataset) -> None:
    """What the groups are of the top eigenvalue, of the gradient and of the data."""
    top = own.isel(direction=0)
    for name, colour, text in (
        ("curvature_share", COLOURS["sharpness"], "of the top eigenvalue"),
        ("gradient_share", COLOURS["loss"], "of the gradient"),
    ):
        axes.plot(top.checkpoint, top[name], ".-", color=colour, label=text)
        axes.fill_between(
            top.checkpoint, top[f"{name}_low"], top[f"{name}_high"], color=colour, alpha=0.2
        )
    axes.axhline(float(own.fraction), color=COLOURS["edge"], linestyle=":", label="of the data")
    label_axes(axes, "time [step size × step]", "share", "Share that the groups are")
    axes.legend()


def _changes(axes: Axes, numbers: xr.Dataset) -> None:
    curve(axes, numbers.change_time, numbers.change_sd, color=COLOURS["loss"])
    axes.set_yscale("log")
    label_axes(axes, "time [step size × step]", "sd of loss change", "One-step loss changes")


def _members(axes: Axes, own: xr.Dataset) -> None:
    """One row of pictures a group, in one image."""
    images = own.images.values
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1), (0, 0)), constant_values=1)
    grid = np.concatenate([np.concatenate(list(side), axis=1) for side in padded], axis=0)
    axes.imshow(grid.squeeze(-1) if grid.shape[-1] == 1 else grid, cmap="gray")
    height = padded.shape[2]
    classes = [sorted(set(side.tolist())) for side in own.shown_label.values]
    names = [
        f"{side}\nclass {', '.join(map(str, c))}" for side, c in zip(SIDES, classes, strict=True)
    ]
    axes.set_yticks([height / 2, 1.5 * height], names)
    axes.set_xticks([])
    axes.grid(False)
    axes.set_title("Members of the groups", loc="left")
