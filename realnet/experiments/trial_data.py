"""The samples of a trial: inputs, labels, the groups that are watched, and held-out samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from linmodel.errors import integer, real, refuse
from realnet.data import datasets
from realnet.data.text import TextData, load_text
from realnet.experiments.trial import Trial
from realnet.networks import Shape
from realnet.training.interventions import randomise_background, remove, remove_random

GROUPS = ("class 0", "class 1")
# Next to no magnitude: plants the same members on the same ordinary backgrounds.
FAINT = 1e-9


@dataclass(frozen=True)
class TrialData:
    """inputs (N, ...), labels (N,) or (N, T), what the network must take and give.

    members  watched groups among the training samples: name -> bool (N,); empty where removed
    watched  name -> (inputs, labels) whose mean loss is recorded at every step, trained on or not
    test     (inputs, labels) held out, or None
    """

    inputs: NDArray
    labels: NDArray
    shape: Shape
    provenance: dict
    members: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    watched: dict[str, tuple[NDArray, NDArray]] = field(default_factory=dict)
    test: tuple[NDArray, NDArray] | None = None


def trial_data(trial: Trial) -> TrialData:
    """The samples of `trial`, its arm applied. Raises InvalidInput for options out of range."""
    makers = {"planted": _planted, "modular": _modular, "text": _text}
    return makers.get(trial.train.data, _plain)(trial)


def _plain(trial: Trial) -> TrialData:
    train = trial.train
    data = datasets.load(train.data, train.size, train.seed, **trial.dials)
    return TrialData(data.images, data.labels, _shape(data), data.provenance, dict(data.members))


def _shape(data: datasets.ImageData) -> Shape:
    _, channels, height, width = data.images.shape
    return Shape(data.n_classes, channels, height, width)


def _planted(trial: Trial) -> TrialData:
    """Planted data; the watched groups are the original members, whatever the arm did to them."""
    train = trial.train
    whole = datasets.load("planted", train.size, train.seed, **trial.dials)
    group = whole.members["opposing"]
    watched = {name: _part(whole, whole.members[name]) for name in GROUPS if group.any()}
    data = whole
    if trial.arm == "removed":
        data = remove(whole, group, "opposing groups removed")
    elif trial.arm == "random":
        data = remove_random(whole, int(group.sum()), train.seed)
    elif trial.arm == "background":
        faint = dict(trial.dials) | {"magnitude": FAINT}
        plain = datasets.load("planted", train.size, train.seed, **faint)
        data = randomise_background(whole, plain, group, trial.rho, train.seed)
    members = {name: data.members[name] for name in GROUPS}
    return TrialData(data.images, data.labels, _shape(data), data.provenance, members, watched)


def _part(data: datasets.ImageData, chosen: NDArray[np.bool_]) -> tuple[NDArray, NDArray]:
    return data.images[chosen], data.labels[chosen]


def _modular(trial: Trial) -> TrialData:
    """(a + b) mod p from one-hot a and b, every pair once; a share of them is held out.

    Dials: modulus p (47), train_share (0.5).
    """
    known = {"modulus": 47, "train_share": 0.5} | dict(trial.dials)
    modulus = integer("modulus", known["modulus"], low=3)
    share = real("train_share", known["train_share"], above=0)
    a, b = (each.ravel() for each in np.meshgrid(range(modulus), range(modulus), indexing="ij"))
    eye = np.eye(modulus, dtype=np.float32)
    inputs = np.stack([eye[a], eye[b]], axis=1)[:, :, None]
    labels = (a + b) % modulus
    order = np.random.default_rng(trial.train.seed).permutation(len(labels))
    count = round(share * len(labels))
    if not 0 < count < len(labels):
        refuse("train_share", share, "a share that leaves samples on both sides")
    train, test = order[:count], order[count:]
    # (a, b) and (b, a) have one sum: the training pairs whose mirror image is trained on, and not.
    twin = np.isin((modulus * b + a)[train], train)
    members = {"mirror trained": twin, "mirror held out": ~twin}
    return TrialData(
        inputs[train],
        labels[train],
        Shape(modulus, 2, 1, modulus),
        {"source": f"(a + b) mod {modulus}", "train_share": share},
        members,
        {name: (inputs[train][own], labels[train][own]) for name, own in members.items()},
        (inputs[test], labels[test]),
    )


@lru_cache(maxsize=8)
def _windows(size: int, seed: int, context: int) -> TextData:
    return load_text(size, seed, context=context)


def _text(trial: Trial) -> TrialData:
    """Moby-Dick by characters, `size` windows of `context`; labels are the next characters.

    As many windows again are held out. Dials: context (32).
    """
    context = integer("context", trial.dials.get("context", 32), low=2)
    size = trial.train.size or 256
    text = _windows(2 * size, trial.train.seed, context)
    return TrialData(
        text.inputs[:size],
        text.labels[:size],
        Shape(text.n_classes, context=context),
        text.provenance | {"vocabulary": list(text.vocabulary)},
        test=(text.inputs[size:], text.labels[size:]),
    )
