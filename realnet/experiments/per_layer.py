"""Sharpness of each layer's own block of the Hessian: MLP, CNN, ResNet, ViT, GPT."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from realnet.config import TrainConfig
from realnet.experiments.kit.definition import Configs, Experiment, Runs, Scale

NETWORKS: dict[str, dict[str, Any]] = {
    "mlp": {"width": 50, "depth": 2, "size": 300, "step_size": 0.1},
    "cnn": {"width": 4, "depth": 2, "size": 300, "step_size": 0.1},
    "resnet": {"width": 4, "depth": 2, "size": 100, "step_size": 0.05},
    "vit": {"width": 16, "depth": 2, "size": 200, "step_size": 0.05},
    "gpt": {"width": 32, "depth": 2, "size": 32, "step_size": 0.1, "data": "text"},
}
# The networks of experiment `natural`, on 100 of its images.
FOLDER = {"data": "folder", "dials": {"path": "cifar10-first20"}, "size": 100}
BATCH = FOLDER | {"norm": "batch", "activation": "relu", "width": 4}
NATURAL: dict[str, dict[str, Any]] = {
    "cnn": FOLDER | {"activation": "relu", "width": 6, "depth": 2, "step_size": 0.3},
    "vgg": BATCH | {"depth": 2, "step_size": 0.42},
    "resnet8": BATCH | {"depth": 3, "step_size": 0.34},
    "vit": FOLDER | {"activation": "gelu", "width": 16, "depth": 2, "step_size": 0.17},
}


@dataclass(frozen=True)
class Settings:
    """Network -> fields of its configuration; the runs."""

    networks: Mapping[str, dict[str, Any]] = field(default_factory=lambda: dict(NETWORKS))
    steps: int = 200
    every: int = 25
    seeds: int = 2


def configs(settings: Settings, scale: Scale) -> Configs:
    """Each network on digits (the GPT on text), full-batch descent."""
    found = {}
    for name, fields in settings.networks.items():
        for seed in scale.seeds(settings.seeds):
            known = {"data": "digits", "net": name, "loss": "cross-entropy"} | fields
            train = TrainConfig(
                steps=settings.steps, every=settings.every, seed=seed, tolerance=1e-2,
                observe=("layers",), **known,
            )  # fmt: skip
            found[name, seed] = scale.scaled(train)
    return found


def collect(runs: Runs, settings: Settings, _scale: Scale) -> xr.Dataset:
    """Block and whole sharpness on (network, layer, seed, time); layers' names in attributes."""
    networks = settings.networks
    seeds = sorted({seed for _, seed in runs})
    names = {name: json.loads(runs[name, seeds[0]].attrs["layers"]) for name in networks}
    most = max(map(len, names.values()))
    times = max(run.sizes["time"] for run in runs.values())
    shape = (len(networks), most, len(seeds), times)
    blocks, whole = np.full(shape, np.nan), np.full((shape[0], *shape[2:]), np.nan)
    for (name, seed), run in runs.items():
        n, s = list(networks).index(name), seeds.index(seed)
        values = run.block_sharpness.values
        blocks[n, : values.shape[1], s, : len(values)] = values.T
        whole[n, s, : len(values)] = run.sharpness.values
    padded = [names[name] + [""] * (most - len(names[name])) for name in networks]
    data = xr.Dataset(coords={"network": list(networks), "seed": seeds})
    attrs = {"units": "1 / time", "long_name": "sharpness of the layer's block of the Hessian"}
    data["block_sharpness"] = (("network", "layer", "seed", "time_index"), blocks, attrs)
    attrs = attrs | {"long_name": "sharpness of the whole Hessian"}
    data["sharpness"] = (("network", "seed", "time_index"), whole, attrs)
    data["layer_name"] = (("network", "layer"), np.array(padded), {"long_name": "layer"})
    share = np.nanmax(blocks, axis=1) / whole
    data["largest_block_share"] = (
        ("network", "seed", "time_index"),
        share,
        {"units": "1", "long_name": "largest block's sharpness over the whole Hessian's"},
    )
    data.attrs["step_sizes"] = str({name: networks[name]["step_size"] for name in networks})
    return data


EXPERIMENTS = (
    Experiment(
        name="layers",
        title="Per-layer sharpness: MLP, CNN, ResNet, ViT, GPT",
        statements=(),
        settings=Settings(),
        plan=configs,
        gather=collect,
        place=90,
    ),
    Experiment(
        name="layers_natural",
        title="Per-layer sharpness on CIFAR-10 (JPEG copy): CNN, VGG, ResNet-8, ViT",
        statements=(),
        settings=Settings(NATURAL, steps=60, every=60),
        plan=configs,
        gather=collect,
        place=91,
    ),
)
