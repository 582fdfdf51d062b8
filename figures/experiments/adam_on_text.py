"""Page of an experiment. Adam against SGD on a small GPT."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.experiments.kit.marks import INTERVAL, PALETTE, band, bars
from figures.experiments.kit.tables import interval_table, number_names
from figures.style import COLOURS, curve, label_axes, mosaic
from figures.table import Table

PLACE = 80
CAPTIONS = {
    "text": (
        "A small character-level GPT: Adam against descent with and without momentum. Common and "
        "rare: the quarters of all tokens whose characters are commonest and rarest. Look for: "
        "whether descent leaves the rare ones behind where Adam does not; how near each optimiser "
        "is to its own edge; which pairs of tokens have losses that oppose one another."
    ),
}


def draw(data: xr.Dataset) -> Figure:
    """The GPT's losses and sharpness by optimiser; its own edge; tokens in their context."""
    layout = [["loss", "classes", "rising", "tokens"], ["sharpness", "own", "opposed", "tokens"]]
    drawn, axes = mosaic(layout, (19, 7.5))
    units = {"loss": "training loss [nats a character]", "sharpness": "sharpness [1/time]"}
    for i, arm in enumerate(data.arm.values):
        steps = np.round(data.step.sel(arm=arm).isel(seed=0).values)
        for name, unit in units.items():
            band(axes[name], steps, data[name].sel(arm=arm), PALETTE[i], str(arm))
            label_axes(axes[name], "step", unit)
        for name, style in (("common", "-"), ("rare", ":")):
            mean = data[name].sel(arm=arm).mean("seed")
            curve(axes["classes"], steps, mean, color=PALETTE[i], linestyle=style, label=None)
    axes["sharpness"].set_yscale("log")
    axes["loss"].legend(fontsize=8)
    title = "Commonest (line) and rarest (dots) quarter"
    label_axes(axes["classes"], "step", units["loss"], title)
    bars(axes["own"], data, "own_edge")
    axes["own"].axvline(1.0, color=COLOURS["edge"], linestyle="--")
    title = "Own sharpness over own threshold, last half"
    label_axes(axes["own"], INTERVAL, "", title)
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


def tables(data: xr.Dataset) -> list[Table]:
    """Numbers by optimiser; the commonest contexts among tokens of the largest loss change."""
    names = number_names(data)
    found = json.loads(data.attrs["contexts"])
    rows = [
        [arm, repr(row["context"]), repr(row["next"]), str(row["rose"]), str(row["fell"])]
        for arm, own in found.items()
        for row in own
    ]
    title = "Tokens of the largest loss change (seed 0), commonest first: how often the loss"
    return [
        interval_table(data, "GPT on text: mean [95%] over seeds", names),
        Table(title, ["arm", "last characters", "next", "rose", "fell"], rows),
    ]
