"""Opposing signals in natural images, nobody having planted any: networks, losses, seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from linmodel.errors import InvalidInput
from realnet.config import TrainConfig
from realnet.data.samples import Samples
from realnet.experiments.kit.collecting import curves, table
from realnet.experiments.kit.definition import Configs, Experiment, Runs, Scale
from realnet.observers.colours import COLOURS
from realnet.signals.agreeing import agreement
from realnet.signals.changes import moments
from realnet.signals.features import components, image_features, standardised
from realnet.signals.graded import GradedSignal, find_graded_signals
from realnet.signals.kept import kept_evidence
from realnet.training.building import load_samples

BATCH = {"norm": "batch", "activation": "relu", "width": 4}
NETWORKS: dict[str, dict[str, Any]] = {
    "CNN, tanh": {"net": "cnn", "activation": "tanh", "width": 6, "depth": 2},
    "CNN, ReLU": {"net": "cnn", "activation": "relu", "width": 6, "depth": 2},
    "VGG, batch norm": {"net": "vgg", "depth": 2, **BATCH},
    "ResNet-8, batch norm": {"net": "resnet8", "depth": 3, **BATCH},
    "ViT": {"net": "vit", "activation": "gelu", "width": 16, "depth": 2},
}
# 1.5 over the sharpness at the start (other images, another seed); less where that threw descent.
STEP_SIZES: dict[str, dict[str, float]] = {
    "mse": dict(zip(NETWORKS, (0.11, 0.11, 0.16, 0.09, 0.022), strict=True)),
    "cross-entropy": dict(zip(NETWORKS, (0.43, 0.3, 0.42, 0.34, 0.17), strict=True)),
}
LEADING = 4  # signals kept of a run
SKY = "airplane"
ABOUT = {
    "near": "largest sharpness at a look, over 2/eta",
    "listed": "graded signals that alternate and that the top eigenvectors confirm",
    "opposed": "of them concentrated, with one feature and two targets (labels at random: too)",
    "claimed": "of them with the feature tied to the labels: found",
    "p_value": "of the first signal",
    "energy_share": "of the swings' energy that the first signal explains",
    "curvature_share": "of the top eigenvalue that the first signal's members carry",
    "members": "members of both sides of the first signal, over the number of samples",
    "excess_kurtosis": "of the first signal's loadings",
    "persistence": "|correlation| of its first and last windows' loadings",
    "dominance": "its members' mean squared loading over that of matched others",
    "brightness": "mean over both sides of the first signal, in sd from all samples",
    "blue": "the same of blue less brightness",
    "sky": "1: in a claimed signal the sky class leads one side only, and both sides are bluer",
    "change_sd": "sd over samples of one-step loss changes, median of the last half (S16)",
    **{
        f"change_{k}sd": f"samples beyond {k} sd of them, median of the last half"
        for k in (2, 3, 4)
    },
    "change_1": "largest share of samples whose loss changes by 1 or more in a step",
}


@dataclass(frozen=True)
class Settings:
    """Data (all the images of a folder, so that every run has the same), networks, step sizes."""

    data: str = "folder"
    dials: Mapping[str, Any] = field(default_factory=lambda: {"path": "cifar10-first20"})
    networks: Mapping[str, dict[str, Any]] = field(default_factory=lambda: dict(NETWORKS))
    step_sizes: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: dict(STEP_SIZES))
    steps: int = 120
    seeds: int = 3
    draws: int = 4999


def configs(settings: Settings, scale: Scale) -> Configs:
    """Every network and loss."""
    found = {}
    for name, fields in settings.networks.items():
        for loss, step_sizes in settings.step_sizes.items():
            for seed in scale.seeds(settings.seeds):
                train = TrainConfig(
                    data=settings.data, dials=settings.dials, size=None, loss=loss, seed=seed,
                    step_size=step_sizes[name], steps=settings.steps, every=settings.steps,
                    eigenvalues=2, tolerance=0.03, observe=("evidence_kept", "colours"), **fields,
                )  # fmt: skip
                found[f"{name}; {loss}", seed] = scale.scaled(train)
    return found


def search(run: xr.Dataset, samples: Samples, draws: int) -> list[GradedSignal]:
    """The graded signals of a run, [] where it never comes near the edge."""
    looks = np.column_stack(list(image_features(samples.inputs).values()))
    sets = {"looks": looks, "components": components(samples.inputs)}
    try:
        return find_graded_signals(kept_evidence(run), sets, draws=draws)
    except InvalidInput:
        return []


def numbers(run: xr.Dataset, signals: list[GradedSignal], samples: Samples) -> dict[str, float]:
    """ABOUT of one run; NaN of a first signal where there is none."""
    evidence = kept_evidence(run)
    eta = float(run.attrs["step_size"])
    changes = moments(np.diff(evidence.loss.values.astype(float), axis=0))
    late = len(changes["change_sd"]) // 2
    opposed = [one for one in signals if {"concentration", "feature"} <= set(one.holds)]
    found = {
        "near": float(evidence.eigenvalue[:, 0].max()) * eta / 2,
        "listed": len(signals),
        "opposed": len(opposed),
        "claimed": sum(one.found for one in signals),
        "sky": float(any(one.found and _is_sky(one, samples) for one in signals)),
        "change_1": float(changes["change_1"].max()),
    }
    names = ("change_sd", "change_2sd", "change_3sd", "change_4sd")
    found |= {name: float(np.median(changes[name][late:])) for name in names}
    return found | (_of_first(signals[0], samples) if signals else {})


def _of_first(one: GradedSignal, samples: Samples) -> dict[str, float]:
    names = ("p_value", "energy_share", "curvature_share", "excess_kurtosis", "persistence")
    looks = image_features(samples.inputs)
    sides = np.concatenate([one.plus, one.minus])
    return {
        **{name: float(getattr(one, name)) for name in names},
        "dominance": one.dominance,
        "members": len(sides) / len(samples),
        **{
            name: float(np.mean([_off(looks[name], side) for side in (one.plus, one.minus)]))
            for name in ("brightness", "blue")
            if name in looks
        },
    }


def _off(values: np.ndarray, side: np.ndarray) -> float:
    return float(standardised(values[:, None])[side].mean())


def _is_sky(one: GradedSignal, samples: Samples) -> bool:
    """The sky class leads one side and not the other, and both are bluer than all samples."""
    classes = list(samples.provenance.get("classes", ()))
    if SKY not in classes:
        return False
    sides = (one.plus, one.minus)
    leads = [np.bincount(samples.labels[side]).argmax() == classes.index(SKY) for side in sides]
    blue = image_features(samples.inputs)["blue"]
    return leads[0] != leads[1] and all(_off(blue, side) > 0 for side in sides)


def collect(runs: Runs, settings: Settings, scale: Scale) -> xr.Dataset:
    """ABOUT on (arm, seed); agreement of runs' loadings, colours, sharpness at both ends."""
    every = configs(settings, scale)
    found, samples = {}, {}
    for key, run in runs.items():
        samples[key] = load_samples(every[key])
        found[key] = search(run, samples[key], settings.draws)
    by_run = {id(runs[key]): numbers(runs[key], found[key], samples[key]) for key in runs}
    data = table(runs, lambda run: by_run[id(run)], ABOUT)
    first = next(iter(runs))
    loadings = [[one.values for one in found[key][:LEADING]] for key in runs]
    values, p, usual = agreement(loadings, samples[first].labels, draws=199)
    names = [f"{arm}, seed {seed}" for arm, seed in runs]
    data = data.assign_coords(run=names, colour=list(COLOURS))
    about = "largest |rank correlation| of two runs' loadings"
    data["agreement"] = (("run", "other"), values, {"units": "1", "long_name": about})
    about = "share of permutations within classes that agree as well"
    data["agreement_p"] = (("run", "other"), p, {"units": "1", "long_name": about})
    about = "mean over permutations within classes of the largest |rank correlation|"
    data["agreement_null"] = (("run", "other"), usual, {"units": "1", "long_name": about})
    colours = np.stack([run.colour_norm.values[-1] for run in runs.values()])
    about = "feature norm of images of one colour over the training images' mean, at the end"
    data["colour_norm"] = (("run", "colour"), colours, {"units": "1", "long_name": about})
    return data.merge(curves(runs, ("sharpness",)))


EXPERIMENTS = (
    Experiment(
        name="natural",
        title="Opposing signals in natural images: CIFAR-10 (JPEG copy), 200 images",
        statements=("S11", "S14", "S16"),
        settings=Settings(),
        plan=configs,
        gather=collect,
        place=65,
    ),
)
