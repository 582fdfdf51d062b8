"""Figures of sweeps over networks and steps: forecasts, roles, grokking, text, layers, alpha."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.experiment_marks import INTERVAL, PALETTE, band, bars, wrapped
from figures.style import COLOURS, curve, label_axes, mosaic, panels

ROLES = ("edge_ratio", "share_rising", "largest_rise", "group_swing", "group_loss")
# Names of modules as readers know them; the rest stay as they are.
LAYERS = {"mix": "attention, in", "out": "attention, out", "whole": "positions"}
WINDOWS = {1.0: "from the whole run", 0.5: "from its first half"}


def forecast(data: xr.Dataset) -> Figure:
    """|log error| of each forecast of the edge and of the plateau, one point a run, two windows."""
    drawn, axes = panels(data.sizes["window"], 2, (10.5, 4 * data.sizes["window"]))
    titles = {"edge": "Time to 2/η", "plateau": "Sharpness afterwards"}
    for row, window in zip(axes, data.window.values, strict=True):
        for axis, (name, title) in zip(row, titles.items(), strict=True):
            own = data.sel(window=window)
            errors = abs(own[f"{name}_log_error"].where(own.status != "at_start"))
            for i, model in enumerate(data.model.values):
                values = errors.sel(model=model).values
                known = values[np.isfinite(values)]
                places, colour = np.full(known.size, i), PALETTE[i % len(PALETTE)]
                axis.plot(np.maximum(known, 1e-3), places, ".", alpha=0.5, color=colour)
                text = f"{known.size} of {values.size}"
                axis.text(9, i, text, ha="right", va="center", fontsize=7)
                if known.size:
                    axis.plot(np.median(known), i, "|", color=COLOURS["edge"], markersize=16)
            axis.set_yticks(range(data.sizes["model"]), [str(m) for m in data.model.values])
            axis.invert_yaxis()
            axis.set(xscale="log", xlim=(8e-4, 10))
            label_axes(
                axis,
                "|log(predicted / observed)|; bar: median; right: runs with both",
                "",
                f"{title}, {WINDOWS.get(float(window), f'from {window:g} of it')}",
            )
    return drawn


def roles(data: xr.Dataset) -> Figure:
    """Five numbers of every arm, with 95% intervals over seeds."""
    drawn, axes = panels(1, len(ROLES), (15, 0.32 * data.sizes["arm"] + 2), sharey=True)
    places = np.arange(data.sizes["arm"])
    for axis, name in zip(axes[0], ROLES, strict=True):
        low, high = data[f"{name}_low"].values, data[f"{name}_high"].values
        axis.hlines(places, low, high, color=COLOURS["sharpness"], linewidth=3, alpha=0.4)
        axis.plot(data[f"{name}_mean"].values, places, "o", color=COLOURS["sharpness"])
        axis.axvline(float(data[f"{name}_mean"][0]), color=COLOURS["reference"], linestyle=":")
        axis.set_yticks(places, [str(arm) for arm in data.arm.values])
        text = data[name].attrs["long_name"]
        text = "sharpness × η/2, last half" if name == "edge_ratio" else text
        label_axes(axis, INTERVAL, "")
        axis.set_title(wrapped(text, 26), loc="left", fontsize=9)
    axes[0, 0].set_ylim(len(places) - 0.5, -0.5)
    return drawn


def grokking(data: xr.Dataset) -> Figure:
    """Held-out accuracy, norm of the parameters, sharpness and losses of the arms."""
    drawn, axes = panels(1, 4, (15, 4))
    names = {
        "test_accuracy": "held-out accuracy",
        "loss": "training loss",
        "weight_norm": "norm of the parameters",
        "sharpness": "sharpness [1/time]",
    }
    for axis, (name, text) in zip(axes[0], names.items(), strict=True):
        for i, arm in enumerate(data.arm.values):
            for seed in data.seed.values:
                own = data.sel(arm=arm, seed=seed)
                step = own.at_time / data.attrs["step_size"]
                label = str(arm) if seed == data.seed.values[0] else None
                curve(axis, step, own[name], color=PALETTE[i], label=label, linewidth=1)
        label_axes(axis, "step", text)
        if name != "test_accuracy":
            axis.set_yscale("log")
    axes[0, 0].axhline(data.attrs["grokked"], color=COLOURS["reference"], linestyle=":")
    drawn.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=8)
    return drawn


def text(data: xr.Dataset) -> Figure:
    """The GPT's loss and sharpness by optimiser; opposed token pairs; tokens in their context."""
    layout = [["loss", "sharpness", "tokens"], ["rising", "opposed", "tokens"]]
    drawn, axes = mosaic(layout, (15.5, 7.5))
    units = {"loss": "training loss [nats a character]", "sharpness": "sharpness [1/time]"}
    for i, arm in enumerate(data.arm.values):
        for name, unit in units.items():
            own = data[name].sel(arm=arm)
            steps = np.round(data.step.sel(arm=arm).isel(seed=0).values)
            band(axes[name], steps, own, PALETTE[i], str(arm))
            label_axes(axes[name], "step", unit)
    axes["sharpness"].set_yscale("log")
    axes["loss"].legend(fontsize=8)
    bars(axes["rising"], data, "share_rising")
    label_axes(axes["rising"], INTERVAL, "", "Share of steps on which the loss rises")
    bars(axes["opposed"], data, "same_context")
    chance = float(data.same_context_chance.mean())
    axes["opposed"].axvline(chance, color=COLOURS["reference"], linestyle=":")
    title = "(risen, fallen) pairs: one character, two targets"
    label_axes(axes["opposed"], "share, 95% over seeds (dotted: random pairs)", "", title)
    _tokens(axes["tokens"], json.loads(data.attrs["contexts"]))
    return drawn


def _tokens(axis: Axes, contexts: dict[str, list[dict]]) -> None:
    """How often the loss of a token fell (left) and rose (right), by optimiser and context."""
    places, labels, place = [], [], 0
    for arm, rows in contexts.items():
        for row in rows:
            axis.barh(place, row["rose"], color=COLOURS["loss_plus"])
            axis.barh(place, -row["fell"], color=COLOURS["loss_minus"])
            places.append(place)
            labels.append(f"{arm}: {shown(row['context'])}[{shown(row['next'])}]")
            place += 1
        place += 1
    axis.axvline(0.0, color=COLOURS["reference"], linewidth=0.8)
    axis.set_yticks(places, labels, fontsize=7, family="monospace")
    axis.invert_yaxis()
    title = "Tokens of the largest loss change, seed 0:\nlast characters [next]"
    label_axes(axis, "times that its loss fell (left), rose (right)", "", title)


def shown(characters: str) -> str:
    """Spaces and line ends made visible."""
    return characters.replace(" ", "␣").replace("\n", "⏎").replace("$", r"\$")


def layers(data: xr.Dataset) -> Figure:
    """Last sharpness of each layer's block over the whole Hessian's, by network; dots: seeds."""
    drawn, axes = panels(1, data.sizes["network"], (3.2 * data.sizes["network"], 5))
    for axis, network in zip(axes[0], data.network.values, strict=True):
        own = data.sel(network=network)
        names = [layer_name(str(name)) for name in own.layer_name.values if str(name)]
        last = int(np.isfinite(own.sharpness.isel(seed=0).values).sum()) - 1
        share = (own.block_sharpness / own.sharpness).isel(time_index=last, layer=slice(len(names)))
        places = np.arange(len(names))
        axis.barh(places, share.mean("seed").values, color=COLOURS["sharpness"], alpha=0.6)
        for row in share.transpose("seed", "layer").values:
            axis.plot(row, places, ".", color=COLOURS["edge"], markersize=4)
        axis.set_yticks(places, names, fontsize=7)
        axis.invert_yaxis()
        label_axes(axis, "block / whole sharpness", "", str(network))
    return drawn


def layer_name(name: str) -> str:
    """A module's dotted name with the parts that have a common name called by it."""
    if name.isdigit():
        return f"layer {name}"
    return ".".join(LAYERS.get(part, part) for part in name.split("."))


def measured(data: xr.Dataset) -> Figure:
    """alpha of the groups that are there, that are found, and as fitted; p likewise."""
    drawn, axes = panels(1, 2, (10.5, 4.5))
    places = np.arange(data.sizes["setting"])
    marks = {
        "true": ("s", "in the data"),
        "measured": ("o", "groups found"),
        "fitted": ("^", "fit"),
    }
    for j, (kind, (mark, label)) in enumerate(marks.items()):
        for seed in data.seed.values:
            own = data.sel(seed=seed)
            at = places + 0.22 * (j - 1) + 0.05 * float(seed - data.seed.values.mean())
            values = own[f"alpha_{kind}"].values
            said = label if seed == data.seed.values[0] else None
            axes[0, 0].plot(values, at, mark, color=PALETTE[j], markersize=5, label=said)
            if kind != "true":
                ends = own[f"alpha_{kind}_from"].values, own[f"alpha_{kind}_to"].values
                axes[0, 0].hlines(at, *ends, color=PALETTE[j], linewidth=1)
            if kind != "fitted":
                axes[0, 1].plot(own[f"p_{kind}"].values, at, mark, color=PALETTE[j], markersize=5)
    for axis, name in zip(axes[0], ("alpha", "p"), strict=True):
        axis.set_yticks(places, [str(value) for value in data.setting.values])
        axis.invert_yaxis()
        label_axes(axis, f"{name}, one mark a seed, 95% intervals", "")
    axes[0, 0].set_xscale("log")
    axes[0, 0].legend(fontsize=8)
    axes[0, 0].set_title("α: in the data, measured, fitted to sharpness", loc="left")
    axes[0, 1].set_title("p: in the data, measured (no fit: M2)", loc="left")
    axes[0, 1].set_xlim(left=-0.005)
    return drawn
