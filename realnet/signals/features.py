"""What a picture looks like, in a few numbers: the features in which the two sides may be alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linmodel.errors import integer, refuse

Array = NDArray[np.float64]
RIM = 3  # pixels of an image's border
COMPONENTS = 12
APART = 0.15  # of the images' range: a pixel so far from the border's mean belongs to the object


def image_features(images: NDArray) -> dict[str, Array]:
    """Name -> (N,) of images (N, C, H, W): brightness, colours, contrast, edges, border, object.

    brightness  mean over pixels and channels
    red, green, blue  mean of the channel less brightness (three channels)
    contrast    standard deviation over the pixels of the grey image
    edges       mean |difference| of neighbouring grey pixels
    border      mean grey of the outer 3 pixels
    object      share of inner pixels whose grey is further than 0.15 of the data's range from the
                border's mean
    Raises InvalidInput: not (N, C, H, W) of finite numbers, or smaller than 8 x 8 pixels.
    """
    images = np.asarray(images, dtype=np.float64)
    if images.ndim != 4 or min(images.shape[2:]) <= 2 * RIM + 1 or not np.isfinite(images).all():
        refuse("images", images.shape, "(N, C, H, W) of finite numbers, at least 8 x 8 pixels")
    grey = images.mean(axis=1)
    rim = np.ones(grey.shape[1:], dtype=bool)
    rim[RIM:-RIM, RIM:-RIM] = False
    border = grey[:, rim].mean(axis=1)
    apart = np.abs(grey[:, ~rim] - border[:, None]) > APART * np.ptp(grey)
    found = {"brightness": grey.mean(axis=(1, 2))}
    if images.shape[1] == 3:
        means = images.mean(axis=(2, 3)) - found["brightness"][:, None]
        found |= dict(zip(("red", "green", "blue"), means.T, strict=True))
    across = np.abs(np.diff(grey, axis=2)).mean(axis=(1, 2))
    down = np.abs(np.diff(grey, axis=1)).mean(axis=(1, 2))
    return found | {
        "contrast": grey.std(axis=(1, 2)),
        "edges": across + down,
        "border": border,
        "object": apart.mean(axis=1),
    }


def components(inputs: NDArray, count: int = COMPONENTS) -> Array:
    """Scores (N, count) on the leading principal components of the flattened inputs, unit sd."""
    flat = np.asarray(inputs, dtype=np.float64).reshape(len(inputs), -1)
    flat = flat - flat.mean(axis=0)
    most = min(integer("count", count, low=1), *flat.shape)
    left, size, _ = np.linalg.svd(flat, full_matrices=False)
    kept = size[:most] > 1e-10 * max(size[0], np.finfo(float).tiny)
    return left[:, :most][:, kept] * np.sqrt(len(flat))


def standardised(columns: Array) -> Array:
    """Each column less its mean, over its standard deviation; constant columns are left out."""
    columns = np.asarray(columns, dtype=np.float64)
    spread = columns.std(axis=0)
    kept = spread > 1e-12 * np.maximum(np.abs(columns).max(axis=0), np.finfo(float).tiny)
    return (columns[:, kept] - columns[:, kept].mean(axis=0)) / spread[kept]
