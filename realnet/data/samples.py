"""Samples as every loader gives them and every network takes them. Needs no torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from linmodel.errors import refuse
from realnet.data.images import check_images, check_labels

Part = tuple[NDArray, NDArray]  # inputs, labels


@dataclass(frozen=True, slots=True)
class Shape:
    """What goes in and out. Images: `channels`, `height`, `width`; text: `context` tokens."""

    n_classes: int
    channels: int = 0
    height: int = 0
    width: int = 0
    context: int = 0


@dataclass(frozen=True)
class Samples:
    """N samples to train on, what is known of them, and what is held out.

    inputs      images float32 (N, C, H, W), or token ids int64 (N, T)
    labels      int64 in 0 .. n_classes - 1, at least two of them present: (N,); for text the next
                tokens, (N, T)
    provenance  where they came from, their licence, choices made; of images mean and sd by channel
    members     truth about signals that were planted: name -> bool (N,); empty for other data
    watched     name -> (inputs, labels): sets whose loss can be watched, trained on or not
    held_out    (inputs, labels) that are not trained on, or None
    described   indices of samples (of tokens, for text) -> lines that say what they are

    Raises InvalidInput: wrong shapes, NaN or constant images, labels out of range, one class only.
    """

    inputs: NDArray
    labels: NDArray[np.int64]
    name: str
    n_classes: int
    provenance: dict = field(default_factory=dict)
    members: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    watched: dict[str, Part] = field(default_factory=dict)
    held_out: Part | None = None
    described: Callable[[Sequence[int]], list[str]] | None = None

    def __post_init__(self) -> None:
        if self.is_text:
            self._check_tokens()
        else:
            check_images(self.inputs)
            check_labels(self.labels, len(self.inputs), self.n_classes)
        for name, chosen in self.members.items():
            if chosen.shape != (len(self),) or chosen.dtype != bool:
                refuse(f"members[{name!r}]", (chosen.shape, str(chosen.dtype)), "a bool per sample")

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def is_text(self) -> bool:
        """Whether the inputs are token ids."""
        return bool(np.issubdtype(self.inputs.dtype, np.integer))

    @property
    def shape(self) -> Shape:
        """What a network for these samples takes and gives."""
        if self.is_text:
            return Shape(self.n_classes, context=self.inputs.shape[1])
        return Shape(self.n_classes, *self.inputs.shape[1:])

    def part(self, chosen: NDArray) -> Part:
        """Inputs and labels of the samples `chosen` (bool or indices)."""
        return self.inputs[chosen], self.labels[chosen]

    def describe(self, chosen: Sequence[int]) -> list[str]:
        """Lines that say what the samples `chosen` are: how many of each class, or their text."""
        if self.described is not None:
            return self.described(chosen)
        classes = self.provenance.get("classes", range(self.n_classes))
        names = classes if len(classes) == self.n_classes else range(self.n_classes)
        counts = np.bincount(self.labels[list(chosen)], minlength=self.n_classes)
        return [f"class {names[i]}: {count}" for i, count in enumerate(counts) if count]

    def _check_tokens(self) -> None:
        if self.inputs.ndim != 2 or self.inputs.shape != self.labels.shape:
            refuse("tokens' shape", (self.inputs.shape, self.labels.shape), "(N, T), twice")
        for name, ids in (("inputs", self.inputs), ("labels", self.labels)):
            if ids.min() < 0 or ids.max() >= self.n_classes:
                span = f"{ids.min()} to {ids.max()}"
                refuse(f"token {name}", span, f"0 to {self.n_classes - 1}")
