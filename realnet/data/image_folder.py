"""A user's own images: a folder with one sub-folder a class, or an .npz file with x and y."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linmodel.errors import InvalidInput, integer, refuse
from realnet.data.images import standardise, stratified_subset
from realnet.data.pictures import Picture, Unreadable, fitted, read_picture
from realnet.data.samples import Samples

BAD = ("refuse", "skip")
SIDE = 32  # pixels that images are scaled to where they are not all of one small size
KEPT = 64  # largest side that is kept as it is
SHOWN = 5  # bad files that are named


def load_folder(
    name: str, size: int | None, seed: int, path: str = "", side: int | None = None,
    bad: str = "refuse",
) -> Samples:  # fmt: skip
    """Images of `path`: PATH/CLASS/any/file (the layout of torchvision's ImageFolder), or .npz.

    Classes are the sub-folders in the order of their names; files are those that Pillow reads,
    whatever they are called (names that begin with a dot are passed over). .npz: x uint8 or float,
    (N, H, W), (N, H, W, C) or (N, C, H, W) with C = 1 or 3, and y (N,), whose values are the
    classes.
    side  pixels: each image is scaled so that its shorter side has them, the rest cut off on both
          sides. None: as they are, where all are of one size up to 64 x 64; else 32.
    bad   what to do with a file that is no image, is cut off, is too large to be safe, or has one
          value only: "refuse" the data, or "skip" it and take another of its class.
    Grey images among coloured ones get three equal channels; transparency is dropped; of several
    frames the first is taken. provenance["notes"] says in words what was changed and skipped.
    Raises InvalidInput: no such folder, fewer than two classes, an empty class, bad files (named,
    counted), fewer images than asked for.
    """
    if bad not in BAD:
        refuse("bad", bad, " or ".join(BAD))
    if side is not None:
        integer("side", side, low=4)
    place = Path(str(path)).expanduser()
    if path and place.suffix == ".npz" and place.is_file():
        return _from_arrays(name, place, size, seed, side)
    return _from_files(name, place, size, seed, side, bad) if path else _nowhere(path)


def _nowhere(path: object) -> Samples:
    refuse("path", str(path), "a folder of class folders, or an .npz file", "--dial path=DIR")


def _from_files(
    name: str, place: Path, size: int | None, seed: int, side: int | None, bad: str
) -> Samples:
    files = _listed(place)
    labels = np.repeat(np.arange(len(files)), [len(own) for own in files.values()])
    wanted = np.bincount(labels[stratified_subset(labels, size, seed)], minlength=len(files))
    pictures, chosen, failed = [], [], []
    for label, (folder, own) in enumerate(files.items()):
        taken = 0
        for file in _order(own, int(wanted[label]), seed, label):
            try:
                picture = read_picture(file)
            except Unreadable as reason:
                failed.append(f"{file.relative_to(place)} ({reason})")
                continue
            pictures.append(picture)
            chosen.append(label)
            taken += 1
            if taken == wanted[label]:
                break
        # All were asked for: all that can be read are all. A class must keep one.
        if bad == "skip" and taken < (wanted[label] if size is not None else 1):
            _say_bad(failed, f"class {folder} has {taken} readable images, {wanted[label]} asked")
    if failed and bad == "refuse":
        _say_bad(failed, "images of the folder cannot be used")
    pixels, notes = fitted(pictures, side, SIDE, KEPT)
    if failed:
        notes.append(f"{len(failed)} skipped: {_some(failed)}")
    source = {"source": str(place), "classes": list(files), "notes": notes}
    return _samples(name, pixels, np.array(chosen), len(files), source, seed)


def _listed(place: Path) -> dict[str, list[Path]]:
    """Class folder -> its files. Raises InvalidInput for another layout."""
    if not place.is_dir():
        _nowhere(place)
    folders = sorted(p for p in place.iterdir() if p.is_dir() and not p.name.startswith("."))
    if len(folders) < 2:
        there = f"{place} with {len(folders)} class folder" + ("" if len(folders) == 1 else "s")
        refuse("path", there, "a folder with one sub-folder for each of two or more classes")
    found = {
        folder.name: sorted(
            p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")
        )
        for folder in folders
    }
    empty = [key for key, own in found.items() if not own]
    if empty:
        refuse("class folder", ", ".join(empty), "folders with images in them", "Remove empty ones")
    return found


def _order(files: list[Path], wanted: int, seed: int, label: int) -> Iterator[Path]:
    """All files as they stand where all are wanted, else in an order drawn with the seed."""
    if wanted == len(files):
        yield from files
    else:
        drawn = np.random.default_rng([seed, label]).permutation(len(files))
        yield from (files[i] for i in drawn)


def _some(failed: list[str]) -> str:
    return ", ".join(failed[:SHOWN]) + ("" if len(failed) <= SHOWN else ", ...")


def _say_bad(failed: list[str], what: str) -> None:
    skipping = what.startswith("class")
    hint = "Ask for fewer." if skipping else "Remove them, or --dial bad=skip."
    raise InvalidInput(f"{what}; {len(failed)} bad files: {_some(failed)}. {hint}")


def _from_arrays(name: str, place: Path, size: int | None, seed: int, side: int | None) -> Samples:
    try:
        with np.load(place, allow_pickle=False) as stored:
            x, y = stored["x"], stored["y"]
    except (OSError, ValueError, KeyError) as error:
        raise InvalidInput(
            f"{place} is no .npz file with plain arrays x and y ({error})."
        ) from error
    if x.ndim == 3:
        x = x[..., None]
    if x.ndim != 4 or y.shape != (len(x),) or not {x.shape[1], x.shape[3]} & {1, 3}:
        allowed = "x (N, H, W), (N, H, W, C) or (N, C, H, W) with C = 1 or 3, and y (N,)"
        refuse(f"shapes in {place}", (x.shape, y.shape), allowed)
    x = x if x.shape[3] in (1, 3) else np.moveaxis(x, 1, -1)
    classes, labels = np.unique(y, return_inverse=True)
    chosen = stratified_subset(labels, size, seed)
    scale = 255.0 if x.dtype == np.uint8 else 1.0
    pictures = [Picture(np.asarray(x[i], dtype=np.float32) / scale) for i in chosen]
    pixels, notes = fitted(pictures, side, SIDE, max(KEPT, *x.shape[1:3]))
    source = {"source": str(place), "classes": [str(c) for c in classes], "notes": notes}
    return _samples(name, pixels, labels[chosen], len(classes), source, seed)


def _samples(
    name: str, pixels: NDArray, labels: NDArray, n_classes: int, source: dict, seed: int
) -> Samples:
    images, scale = standardise(pixels)
    noted = {**source, **scale, "size": len(labels), "seed": seed}
    return Samples(images, labels.astype(np.int64), name, n_classes, noted)
