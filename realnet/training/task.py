"""What is trained: a model, the loss of single samples, and the samples on the model's device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from linmodel.errors import integer, refuse
from realnet.curvature.objective import Objective, full_precision
from realnet.training.losses import SampleLoss, correct

Pair = tuple[Tensor, Tensor]  # inputs, labels


class Task:
    """A model with its data.

    sample_loss  (outputs, labels) -> losses of single samples, (N,); for text (N, T)
    chunk_size   samples evaluated at a time; None: all
    watched      name -> (inputs, labels) whose loss observers may watch
    members      name -> bool (N,): truth about signals that were planted
    held_out     (inputs, labels) that are not trained on, or None
    definition   of the loss, in words; provenance: of the samples
    Raises InvalidInput: inputs and labels of different lengths, or fewer than two.
    """

    def __init__(
        self,
        model: nn.Module,
        sample_loss: SampleLoss,
        inputs: Tensor,
        labels: Tensor,
        chunk_size: int | None = None,
        *,
        watched: Mapping[str, Pair] | None = None,
        members: Mapping[str, Tensor] | None = None,
        held_out: Pair | None = None,
        definition: str = "the loss given",
        provenance: dict | None = None,
    ) -> None:
        if len(inputs) != len(labels) or len(inputs) < 2:
            refuse("inputs and labels", (len(inputs), len(labels)), "equally many, at least 2")
        self.size = integer("chunk_size", chunk_size or len(inputs), low=1)
        self.model, self.sample_loss = model, sample_loss
        self.inputs, self.labels = inputs, labels
        self.watched, self.members = dict(watched or {}), dict(members or {})
        self.held_out, self.definition = held_out, definition
        self.provenance = provenance or {}
        self.whole = self.objective(inputs, labels)

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.whole.device

    @property
    def is_text(self) -> bool:
        """Whether a sample is a window of several tokens, each with a loss."""
        return self.labels.ndim > 1

    def objective(self, inputs: Tensor, labels: Tensor) -> Objective:
        """The mean loss over these samples, chunk by chunk."""
        return Objective(self.mean_loss, self.model, self._chunks(inputs, labels))

    def mean_loss(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Mean loss of a chunk."""
        return self.sample_loss(self.model(inputs), labels).mean()

    def flat_losses(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Losses of single samples (tokens) of a chunk, flat, differentiable."""
        return self.sample_loss(self.model(inputs), labels).reshape(-1)

    def losses(self, inputs: Tensor | None = None, labels: Tensor | None = None) -> Tensor:
        """Losses of single samples (tokens), flat: of these, or of all that are trained on.

        Without noise and without moving running statistics (the model in evaluation mode).
        """
        given = (self.inputs, self.labels) if inputs is None else (inputs, labels)
        with self.still():
            return torch.cat([self.flat_losses(x, y) for x, y in self._chunks(*given)])

    def accuracy(self, part: Pair | None = None) -> float:
        """Share of samples (tokens) whose largest output is the label's."""
        inputs, labels = part or (self.inputs, self.labels)
        with self.still():
            hits = sum(int(correct(self.model(x), y)) for x, y in self._chunks(inputs, labels))
        return hits / labels.numel()

    @contextmanager
    def still(self) -> Iterator[None]:
        """The model in evaluation mode, no gradients, full precision."""
        mode = self.model.training
        self.model.eval()
        try:
            with torch.no_grad(), full_precision(self.device):
                yield
        finally:
            self.model.train(mode)

    def _chunks(self, inputs: Tensor, labels: Tensor | None) -> list[Pair]:
        assert labels is not None
        size = self.size
        return list(zip(inputs.split(size), labels.split(size), strict=True))
