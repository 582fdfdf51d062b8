"""Striped images, classes by their direction: data in which nothing is planted or shared."""

from __future__ import annotations

import numpy as np

from linmodel.errors import integer, real
from realnet.data.images import standardise
from realnet.data.samples import Samples

USUAL = 500  # images where no size is asked


def load_stripes(
    name: str, size: int | None, seed: int, classes: int = 4, side: int = 16, noise: float = 0.5
) -> Samples:
    """Grey images (1, side, side): sin of 2 to 4 waves across, at the angle pi c / classes.

    Wavelength and phase are each image's own; Gaussian noise of standard deviation `noise` is
    added. Raises InvalidInput: fewer than two classes, a side under 8 pixels, fewer images than
    classes, negative noise.
    """
    classes = integer("classes", classes, low=2)
    side = integer("side", side, low=8)
    noise = real("noise", noise, low=0)
    count = integer("size", USUAL if size is None else size, low=classes)
    generator = np.random.default_rng([seed, 5])
    labels = np.arange(count) % classes
    angle = np.pi * labels / classes
    waves, phase = generator.uniform(2, 4, count), generator.uniform(0, 2 * np.pi, count)
    y, x = np.mgrid[:side, :side] / side
    across = np.cos(angle)[:, None, None] * x + np.sin(angle)[:, None, None] * y
    raw = np.sin(2 * np.pi * waves[:, None, None] * across + phase[:, None, None])
    raw += noise * generator.standard_normal(raw.shape)
    images, scale = standardise(raw[:, None])
    noted = {"source": "made here", "side": side, "noise": noise, "size": count, "seed": seed}
    return Samples(images, labels.astype(np.int64), name, classes, noted | scale)
