"""Page of an experiment. Sharpness of each layer's own block."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.style import COLOURS, label_axes, panels
from figures.table import Table, number

PLACE = 90
CAPTIONS = {
    "layers": "The top eigenvalue of each layer's own block of the Hessian over the whole one's.",
    "layers_natural": (
        "The same on 100 images of CIFAR-10 (JPEG copy), after 60 steps; VGG and ResNet-8 with "
        "batch norm."
    ),
}
# Names of modules as readers know them; the rest stay as they are.
LAYERS = {"mix": "attention, in", "out": "attention, out", "whole": "positions"}


def draw(data: xr.Dataset) -> Figure:
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


def tables(data: xr.Dataset) -> list[Table]:
    """Each network's layers: last block sharpness over the whole Hessian's, by seed."""
    rows = []
    for network in data.network.values:
        own = data.sel(network=network)
        last = int(np.isfinite(own.sharpness.isel(seed=0).values).sum()) - 1
        share = (own.block_sharpness / own.sharpness).isel(time_index=last)
        for i, name in enumerate(own.layer_name.values):
            if str(name):
                values = [number(float(value)) for value in share.isel(layer=i).values]
                rows.append([str(network), layer_name(str(name)), *values])
    seeds = [f"seed {seed}" for seed in data.seed.values]
    return [Table("Block sharpness over the whole Hessian's", ["network", "layer", *seeds], rows)]
