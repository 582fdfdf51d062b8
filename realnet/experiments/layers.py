"""Sharpness of each layer's own block of the Hessian: MLP, CNN, ResNet, ViT, GPT."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from realnet.config import TrainConfig
from realnet.experiments.definition import Experiment, Runs, Scale, Trials
from realnet.experiments.trial import Trial

SEEDS = 2
NETWORKS: dict[str, dict] = {
    "mlp": {"width": 50, "depth": 2, "size": 300, "step_size": 0.1},
    "cnn": {"width": 4, "depth": 2, "size": 300, "step_size": 0.1},
    "resnet": {"width": 4, "depth": 2, "size": 100, "step_size": 0.05},
    "vit": {"width": 16, "depth": 2, "size": 200, "step_size": 0.05},
    "gpt": {"width": 32, "depth": 2, "size": 32, "step_size": 0.1, "data": "text"},
}
STEPS, EVERY = 200, 25


def trials(scale: Scale) -> Trials:
    """Each network on digits (the GPT on text), full-batch descent."""
    found = {}
    for name, fields in NETWORKS.items():
        for seed in scale.seeds(SEEDS):
            known = {"data": "digits", "net": name, "loss": "cross-entropy"} | fields
            train = TrainConfig(steps=STEPS, every=EVERY, seed=seed, tolerance=1e-2, **known)
            found[name, seed] = scale.scaled(Trial(train, blocks=True))
    return found


def collect(runs: Runs, _scale: Scale) -> xr.Dataset:
    """Block and whole sharpness on (network, layer, seed, time); layers' names in attributes."""
    seeds = sorted({seed for _, seed in runs})
    names = {name: json.loads(runs[name, seeds[0]].attrs["layers"]) for name in NETWORKS}
    most = max(map(len, names.values()))
    times = max(run.sizes["time"] for run in runs.values())
    shape = (len(NETWORKS), most, len(seeds), times)
    blocks, whole = np.full(shape, np.nan), np.full((shape[0], *shape[2:]), np.nan)
    for (name, seed), run in runs.items():
        n, s = list(NETWORKS).index(name), seeds.index(seed)
        values = run.block_sharpness.values
        blocks[n, : values.shape[1], s, : len(values)] = values.T
        whole[n, s, : len(values)] = run.sharpness.values
    padded = [names[name] + [""] * (most - len(names[name])) for name in NETWORKS]
    data = xr.Dataset(coords={"network": list(NETWORKS), "seed": seeds})
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
    data.attrs["step_sizes"] = str({name: NETWORKS[name]["step_size"] for name in NETWORKS})
    return data


EXPERIMENT = Experiment(
    name="layers",
    title="Per-layer sharpness: MLP, CNN, ResNet, ViT, GPT",
    statements=(),
    trials=trials,
    collect=collect,
    settings={"networks": NETWORKS, "steps": STEPS},
)
