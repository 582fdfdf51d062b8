"""An evaluation must leave the model as it was: parameters, gradients, random numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from linmodel.errors import InvalidInput
from realnet.curvature.buffers import same
from realnet.curvature.chunks import refuse_unfit
from realnet.curvature.objective import LossFunction


@contextmanager
def unmoved(tensors: list[Tensor]) -> Iterator[None]:
    """Put the tensors back where they were. Raises InvalidInput if the loss had moved them."""
    before = [tensor.detach().clone() for tensor in tensors]
    try:
        yield
    finally:
        moved = _put_back(tensors, before)
    if moved:
        raise InvalidInput(_MOVES)


_MOVES = (
    "the loss changes the parameters themselves (as nn.Embedding with max_norm does), so it is no "
    "function of them. They were put back. Do the change outside of loss_fn."
)


def _put_back(tensors: list[Tensor], before: list[Tensor]) -> bool:
    moved = False
    with torch.no_grad():
        for tensor, old in zip(tensors, before, strict=True):
            if not same(tensor, old):
                tensor.copy_(old)
                moved = True
    return moved


class Watched:
    """`loss_fn`, refusing at every call to change parameters or to fill their .grad.

    `drew`: whether the last call drew from torch's random numbers.
    """

    def __init__(self, loss_fn: LossFunction) -> None:
        self.loss_fn = self.given = loss_fn
        self.tensors: list[Tensor] = []
        self.drew = False

    def __call__(self, *chunk: Any) -> Any:
        versions = [tensor._version for tensor in self.tensors]
        grads = [_grad(tensor) for tensor in self.tensors]
        random = self._random()
        try:
            found = self.loss_fn(*chunk)
        except TypeError:
            refuse_unfit("loss_fn", self.given, chunk)
            raise
        self.drew = any(
            not torch.equal(one, other) for one, other in zip(random, self._random(), strict=True)
        )
        if versions != [tensor._version for tensor in self.tensors]:
            raise InvalidInput(_MOVES)
        if grads != [_grad(tensor) for tensor in self.tensors]:
            raise InvalidInput(
                "loss_fn calls backward, which fills the parameters' .grad: it must only return "
                "the loss. Zero the gradients before you go on."
            )
        return found

    def _random(self) -> list[Tensor]:
        states = [torch.get_rng_state()]
        if self.tensors and self.tensors[0].is_cuda:
            states.append(torch.cuda.get_rng_state(self.tensors[0].device))
        return states


def _grad(tensor: Tensor) -> tuple[int, int] | None:
    grad = tensor.grad if tensor.is_leaf else None
    return None if grad is None else (id(grad), grad._version)
