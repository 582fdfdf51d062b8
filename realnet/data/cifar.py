"""CIFAR-10 and CIFAR-100 from a folder, in either published format; pickles are read inertly.

Formats: "python" (cifar-10-batches-py, cifar-100-python: what torchvision's download leaves in its
root, too) and "binary" (cifar-10-batches-bin, cifar-100-binary). Nothing is downloaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linmodel.errors import InvalidInput, refuse
from realnet.data.images import standardise, stratified_subset
from realnet.data.inert_pickle import read_inert
from realnet.data.samples import Samples

PIXELS = 3 * 32 * 32
PARTS = ("train", "test")


@dataclass(frozen=True)
class Layout:
    """Where one data set's files are and what a record holds."""

    n_classes: int
    train: tuple[str, ...]
    test: tuple[str, ...]
    folders: tuple[str, str]  # python, binary
    label_key: bytes
    label_bytes: int  # bytes before the pixels in a binary record; the last of them is the label
    records: dict[str, int]  # in one file of each part


LAYOUTS = {
    "cifar10": Layout(
        n_classes=10,
        train=tuple(f"data_batch_{index}" for index in range(1, 6)),
        test=("test_batch",),
        folders=("cifar-10-batches-py", "cifar-10-batches-bin"),
        label_key=b"labels",
        label_bytes=1,
        records={"train": 10_000, "test": 10_000},
    ),
    "cifar100": Layout(
        n_classes=100,
        train=("train",),
        test=("test",),
        folders=("cifar-100-python", "cifar-100-binary"),
        label_key=b"fine_labels",
        label_bytes=2,
        records={"train": 50_000, "test": 10_000},
    ),
}


def load_cifar(
    name: str, size: int | None, seed: int, folder: str | Path = "", part: str = "train"
) -> Samples:
    """Images (N, 3, 32, 32) of `part` ("train" or "test"), from `folder` or the standard one in it.

    Raises InvalidInput: no such folder or file, a file that is truncated or not of the format
    (python pickles that hold anything but numbers, text and uint8 arrays run nothing and are
    refused).
    """
    layout = LAYOUTS[name]
    if part not in PARTS:
        refuse("part", part, "train or test")
    files, binary = _find(name, Path(str(folder)), layout, part)
    read = _read_binary if binary else _read_python
    batches = [read(path, layout, layout.records[part]) for path in files]
    pixels = np.concatenate([batch[0] for batch in batches])
    labels = np.concatenate([batch[1] for batch in batches])
    chosen = stratified_subset(labels, size, seed)
    images, scale = standardise(pixels[chosen].reshape(-1, 3, 32, 32))
    source = {"source": str(files[0].parent), "part": part, "size": len(chosen), "seed": seed}
    return Samples(images, labels[chosen], name, layout.n_classes, {**source, **scale})


def _find(name: str, folder: Path, layout: Layout, part: str) -> tuple[list[Path], bool]:
    """The files of `part` in the first format that is there, and whether it is the binary one."""
    stems = layout.train if part == "train" else layout.test
    for binary, standard in enumerate(layout.folders):
        names = [f"{stem}.bin" if binary else stem for stem in stems]
        for place in (folder, folder / standard):
            there = [path for path in names if (place / path).is_file()]
            if there and len(there) < len(names):
                missing = ", ".join(sorted(set(names) - set(there)))
                raise InvalidInput(f"{place} lacks {missing}: the {name} folder is truncated.")
            if there:
                return [place / path for path in names], bool(binary)
    refuse(
        "folder",
        str(folder),
        f"a folder that holds {layout.folders[0]} or {layout.folders[1]}",
        f"Pass folder=... for {name}; unpack its published archive there.",
    )


def _read_python(path: Path, layout: Layout, records: int) -> tuple[NDArray, NDArray]:
    batch = read_inert(path)
    if not isinstance(batch, dict) or not {b"data", layout.label_key} <= set(batch):
        raise InvalidInput(f"{path} has no b'data' and {layout.label_key!r}: not this format.")
    pixels, labels = batch[b"data"], batch[layout.label_key]
    whole = isinstance(pixels, np.ndarray) and pixels.shape == (records, PIXELS)
    if not whole or not isinstance(labels, list) or len(labels) != records:
        raise InvalidInput(f"{path} does not hold {records} images of {PIXELS} bytes: truncated.")
    if not all(type(label) is int and 0 <= label < layout.n_classes for label in labels):
        raise InvalidInput(
            f"{path} holds labels that are not whole numbers from 0 to {layout.n_classes - 1}."
        )
    return pixels, np.array(labels, dtype=np.int64)


def _read_binary(path: Path, layout: Layout, records: int) -> tuple[NDArray, NDArray]:
    width = layout.label_bytes + PIXELS
    content = path.read_bytes()
    if len(content) != records * width:
        raise InvalidInput(
            f"{path} has {len(content)} bytes, not {records} x {width}: truncated or foreign."
        )
    table = np.frombuffer(content, dtype=np.uint8).reshape(records, width)
    return table[:, layout.label_bytes :], table[:, layout.label_bytes - 1].astype(np.int64)
