"""Images: checked, standardised, drawn by class."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linmodel.errors import InvalidInput, integer, refuse


def check_images(images: NDArray) -> None:
    """Refuse what no network can learn from: wrong shape, NaN or infinity, constant images."""
    if images.ndim != 4 or 0 in images.shape:
        refuse("images' shape", images.shape, "(N, C, H, W), none of them 0")
    flat = images.reshape(len(images), -1)
    broken = np.flatnonzero(~np.isfinite(flat).all(axis=1))
    if len(broken):
        refuse("image", int(broken[0]), "finite pixels", f"{len(broken)} images hold NaN or inf.")
    constant = np.flatnonzero(np.ptp(flat, axis=1) == 0)
    if len(constant):
        refuse(
            "image",
            int(constant[0]),
            "pixels that vary",
            f"{len(constant)} images are constant: leave them out.",
        )


def check_labels(labels: NDArray, count: int, n_classes: int) -> None:
    """Refuse labels of the wrong shape or kind, out of range, or of one class only."""
    if labels.shape != (count,) or not np.issubdtype(labels.dtype, np.integer):
        refuse(
            "labels", f"{labels.dtype} of shape {labels.shape}", f"whole numbers, shape ({count},)"
        )
    wrong = np.flatnonzero((labels < 0) | (labels >= n_classes))
    if len(wrong):
        refuse(f"label of image {wrong[0]}", int(labels[wrong[0]]), f"0 to {n_classes - 1}")
    if len(np.unique(labels)) < 2:
        refuse("labels", f"only class {int(labels[0])}", "at least two classes")


def standardise(raw: ArrayLike) -> tuple[NDArray[np.float32], dict]:
    """(x - mean) / sd for each channel, over all images and pixels; and {"mean": .., "sd": ..}."""
    pixels = np.asarray(raw, dtype=np.float64)
    check_images(pixels)
    mean = pixels.mean(axis=(0, 2, 3))
    sd = pixels.std(axis=(0, 2, 3))
    if (sd == 0).any():
        refuse("channel", int(np.flatnonzero(sd == 0)[0]), "a channel that varies over the data")
    scaled = (pixels - mean[:, None, None]) / sd[:, None, None]
    return scaled.astype(np.float32), {"mean": mean.tolist(), "sd": sd.tolist()}


def stratified_subset(labels: NDArray, size: int | None, seed: int) -> NDArray[np.int64]:
    """Indices of `size` samples (all of them for None), drawn with each class's share kept.

    Shares are rounded so that they add up to `size`; the order is ascending. Raises InvalidInput
    when size exceeds the data or leaves no room for one sample of each class.
    """
    if size is None:
        return np.arange(len(labels))
    size = integer("size", size, low=1)
    classes, counts = np.unique(labels, return_counts=True)
    if size > len(labels) or size < len(classes):
        refuse("size", size, f"{len(classes)} (one a class) to {len(labels)} (all the data)")
    share = counts * (size / len(labels))
    take = np.maximum(np.floor(share).astype(int), 1)
    while take.sum() != size:
        lacking = share - take
        grow = take.sum() < size
        pick = np.argmax(lacking) if grow else np.argmin(np.where(take > 1, lacking, np.inf))
        take[pick] += 1 if grow else -1
    generator = np.random.default_rng(seed)
    drawn = [
        generator.choice(np.flatnonzero(labels == name), count, replace=False)
        for name, count in zip(classes, take, strict=True)
    ]
    return np.sort(np.concatenate(drawn))


def missing_package(package: str) -> InvalidInput:
    """The error for data that ships inside an optional package."""
    return InvalidInput(
        f"this data ships inside the package {package}, which is not installed. "
        "Do: pip install '.[realnet]' in this project's folder."
    )
