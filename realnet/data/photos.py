"""Square patches of real colour photographs, from the files inside the scikit-image package."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linmodel.errors import integer, refuse
from realnet.data.images import missing_package, standardise
from realnet.data.samples import Samples

# Colour photographs in scikit-image's wheel, all public domain or CC0 by its documentation.
PHOTOS = (
    "astronaut.png",
    "chelsea.png",
    "coffee.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "retina.jpg",
    "rocket.jpg",
)
FIRST_SIDE = 4


def photograph(name: str) -> NDArray[np.float64]:
    """One photograph as (H, W, 3) in [0, 1]. Raises InvalidInput without scikit-image."""
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        raise missing_package("scikit-image")
    from PIL import Image

    path = Path(spec.origin).parent / "data" / name
    if not path.is_file():
        refuse("photograph", name, "a file of scikit-image", "Install scikit-image from a wheel.")
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), dtype=np.float64) / 255


def patches(name: str, count: int, side: int, generator: np.random.Generator) -> NDArray:
    """`count` random patches (count, 3, side, side) in [0, 1], each from a window of 2 to 4 sides.

    Windows are reduced to `side` by averaging; nearly constant ones (sd < 0.01) are drawn again.
    """
    photo = photograph(name)
    taken: list[NDArray] = []
    while len(taken) < count:
        factor = int(generator.integers(2, 5))
        window = factor * side
        row = generator.integers(0, photo.shape[0] - window + 1)
        column = generator.integers(0, photo.shape[1] - window + 1)
        cut = photo[row : row + window, column : column + window]
        small = cut.reshape(side, factor, side, factor, 3).mean(axis=(1, 3))
        if small.std() >= 0.01:
            taken.append(small.transpose(2, 0, 1))
    return np.stack(taken)


def load_photos(name: str, size: int | None, seed: int, side: int = 16) -> Samples:
    """Patches labelled by the photograph they are from: 7 classes, 100 of each for size=None."""
    side = integer("side", side, low=FIRST_SIDE)
    if side > 64:
        refuse("side", side, f"{FIRST_SIDE} to 64 pixels")
    total = integer("size", 100 * len(PHOTOS) if size is None else size, low=len(PHOTOS))
    generator = np.random.default_rng(seed)
    labels = np.arange(total) % len(PHOTOS)
    raw = np.empty((total, 3, side, side), dtype=np.float32)
    for label, photo in enumerate(PHOTOS):
        chosen = labels == label
        raw[chosen] = patches(photo, int(chosen.sum()), side, generator)
    images, scale = standardise(raw)
    source = {
        "source": "scikit-image photographs (public domain or CC0): " + ", ".join(PHOTOS),
        "classes": list(PHOTOS),
        "side": side,
        "size": total,
        "seed": seed,
    }
    return Samples(images, labels.astype(np.int64), name, len(PHOTOS), {**source, **scale})
