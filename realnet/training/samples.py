"""Samples as a network takes them, from images or from text: `load_samples(name, size, seed)`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from realnet.config import TEXT
from realnet.data import datasets
from realnet.data.images import ImageData
from realnet.data.text import TextData, in_context, load_text, transitions
from realnet.networks import Shape

SHOWN = 5  # tokens printed in their context


@dataclass(frozen=True)
class Samples:
    """What is trained on.

    inputs      images (N, C, H, W), or token ids (N, T) int64
    labels      int64, (N,); for text the next tokens, (N, T)
    shape       what a network for them takes and gives
    provenance  where they came from and the choices made
    describe    indices of samples (of tokens, for text) -> lines that say what they are
    """

    inputs: Tensor
    labels: Tensor
    shape: Shape
    provenance: dict
    describe: Callable[[Sequence[int]], list[str]]

    def tensors(self, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Inputs and labels on `device`; images in `dtype`, token ids as they are."""
        kind = dtype if self.inputs.is_floating_point() else self.inputs.dtype
        return self.inputs.to(device, kind), self.labels.to(device)


def load_samples(
    name: str, size: int | None = None, seed: int = 0, dials: Mapping[str, Any] | None = None
) -> Samples:
    """`size` images or text windows of the data set `name`; None: all that there are.

    `dials` are options of the data set itself. Raises InvalidInput: as `datasets.load` and
    `load_text` do.
    """
    dials = dials or {}
    datasets.check_dials(name, dials)
    if name == TEXT:
        return _text(load_text(size, seed, **dials))
    return _images(datasets.load(name, size, seed, **dials))


def _text(text: TextData) -> Samples:
    return Samples(
        torch.as_tensor(text.inputs),
        torch.as_tensor(text.labels),
        Shape(text.n_classes, context=text.inputs.shape[1]),
        text.provenance | {"vocabulary": list(text.vocabulary)},
        lambda members: [
            transitions(text, members),
            *(repr(shown) for shown in in_context(text, members[:SHOWN])),
        ],
    )


def _images(images: ImageData) -> Samples:
    _, channels, height, width = images.images.shape

    def classes(members: Sequence[int]) -> list[str]:
        labels = images.labels[list(members)].tolist()
        return [f"class {name}: {labels.count(name)}" for name in sorted(set(labels))]

    return Samples(
        torch.as_tensor(images.images),
        torch.as_tensor(images.labels),
        Shape(images.n_classes, channels, height, width),
        images.provenance,
        classes,
    )
