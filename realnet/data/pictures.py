"""One image file into numbers, and many images into one array of one size. Pillow does the work."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realnet.data.images import missing_package

DEEP = 65535.0  # white in Pillow's 16-bit greys


class Unreadable(Exception):
    """A file that cannot be used as an image, and why."""


@dataclass(frozen=True)
class Picture:
    """Pixels (H, W, C) float32 in [0, 1], C = 1 (grey) or 3."""

    pixels: NDArray[np.float32]

    @property
    def grey(self) -> bool:
        """Whether there is one channel."""
        return self.pixels.shape[2] == 1


def read_picture(path: Path) -> Picture:
    """The file's first frame, upright. Raises Unreadable: no image, cut off, too large, one value.

    Too large is Pillow's own limit against files made to fill the memory (about 90 megapixels).
    """
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise missing_package("pillow") from error
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Pillow warns of sizes beyond its limit, and of damage
        try:
            with Image.open(path) as opened:
                found = _numbers(ImageOps.exif_transpose(opened))
        except Exception as error:  # Pillow's plugins raise their own kinds
            message = str(error).split(str(path))[0].strip(" '\"")
            raise Unreadable(message or type(error).__name__) from error
    if not np.ptp(found):
        raise Unreadable("all pixels are of one value")
    return Picture(found)


def _numbers(image: Any) -> NDArray[np.float32]:
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image, dtype=np.float32)[..., None] / np.float32(DEEP)
        if values.min() < 0 or values.max() > 1:
            raise Unreadable(f"mode {image.mode} with values beyond 16 bits")
        return values
    grey = image.mode in ("1", "L", "LA")
    table = np.asarray(image.convert("L" if grey else "RGB"), dtype=np.float32) / np.float32(255)
    return table[..., None] if grey else table


def fitted(
    pictures: list[Picture], side: int | None, usual: int, kept: int
) -> tuple[NDArray[np.float32], list[str]]:
    """(N, C, H, W) of one size, and in words what had to be changed.

    side None: the pictures' own size where it is one, at most `kept`; else `usual`.
    """
    notes = []
    sizes = {picture.pixels.shape[:2] for picture in pictures}
    if side is None and (len(sizes) > 1 or max(max(one) for one in sizes) > kept):
        side = usual
    if side is not None and sizes != {(side, side)}:
        count = sum(picture.pixels.shape[:2] != (side, side) for picture in pictures)
        notes.append(f"{count} of {len(pictures)} images scaled and cut to {side} x {side}")
    grey = [picture.grey for picture in pictures]
    channels = 1 if all(grey) else 3
    if any(grey) and channels == 3:
        notes.append(f"{sum(grey)} grey images given three equal channels")
    parts = [_scaled(picture.pixels, side) for picture in pictures]
    table = np.stack([np.broadcast_to(part, (*part.shape[:2], channels)) for part in parts])
    return np.moveaxis(table, -1, 1), notes


def _scaled(pixels: NDArray[np.float32], side: int | None) -> NDArray[np.float32]:
    """Shorter side scaled to `side`, the longer one cut equally at both ends."""
    if side is None or pixels.shape[:2] == (side, side):
        return pixels
    from PIL import Image

    height, width = pixels.shape[:2]
    square = min(height, width)
    top, left = (height - square) // 2, (width - square) // 2
    box = (left, top, left + square, top + square)
    planes = [
        Image.fromarray(np.ascontiguousarray(pixels[..., c])).resize(
            (side, side), Image.Resampling.BOX if square >= side else Image.Resampling.BILINEAR, box
        )
        for c in range(pixels.shape[2])
    ]
    return np.stack([np.asarray(plane) for plane in planes], axis=-1)
