"""Dropout and batch norm in training mode make a Hessian noisy or move statistics: see to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from linmodel.errors import InvalidInput, refuse
from realnet.curvature.buffers import same
from realnet.curvature.objective import LossFunction

REMEDY = (
    "Call model.eval() around the evaluation, or pass training_mode='consistent' with the module "
    "as `params` to fix the dropout masks and put running statistics back."
)


def noisy_modules(model: nn.Module) -> list[str]:
    """Names of active dropout and batch-norm modules that are in training mode."""
    return [
        f"{name} ({type(module).__name__})"
        for name, module in model.named_modules()
        if module.training
        and (
            (isinstance(module, _DropoutNd) and module.p > 0)
            or (isinstance(module, _BatchNorm))
            or (isinstance(module, nn.MultiheadAttention) and module.dropout > 0)
        )
    ]


def consistent(
    loss_fn: LossFunction, model: nn.Module | None, training_mode: str, chunks: int, seed: int
) -> LossFunction:
    """`loss_fn` as it may be differentiated twice. The model's mode is never changed.

    Raises InvalidInput: "consistent" without a module or with several chunks, an unknown mode.
    """
    if training_mode == "refuse":
        return _refusing(loss_fn, model)
    if training_mode != "consistent":
        refuse("training_mode", training_mode, "'refuse' or 'consistent'")
    if model is None:
        raise InvalidInput("training_mode='consistent' needs the module itself as `params`.")

    def check() -> None:
        if chunks > 1 and noisy_modules(model):
            refuse("chunks with training_mode='consistent'", chunks, "one chunk", REMEDY)

    def fixed(*chunk: Any) -> Any:
        check()  # at every call: the model may be in another mode by now
        with torch.random.fork_rng(), _lent_buffers(model):
            torch.manual_seed(seed)
            return loss_fn(*chunk)

    check()
    return fixed


@contextmanager
def _lent_buffers(model: nn.Module) -> Iterator[None]:
    """Copies in place of the buffers, so that running statistics move in the copies only."""
    owners = [(module, name) for module in model.modules() for name in module._buffers.keys()]  # noqa: SIM118 (a scripted module's cannot be iterated)
    originals = [module._buffers[name] for module, name in owners]
    for (module, name), buffer in zip(owners, originals, strict=True):
        module._buffers[name] = None if buffer is None else buffer.clone()
    try:
        yield
    finally:
        for (module, name), buffer in zip(owners, originals, strict=True):
            module._buffers[name] = buffer


def _refusing(loss_fn: LossFunction, model: nn.Module | None) -> LossFunction:
    if model is None:
        return loss_fn
    watched = model

    def checked(*chunk: Any) -> Any:
        noisy = noisy_modules(watched)
        if noisy:
            raise InvalidInput(
                f"these modules are in training mode: {', '.join(noisy)}. Their loss is noisy or "
                f"moves running statistics. {REMEDY}"
            )
        with _lent_buffers(watched):
            before = {name: buffer.clone() for name, buffer in watched.named_buffers()}
            loss = loss_fn(*chunk)
            after = dict(watched.named_buffers())
            moved = [name for name in before if not same(before[name], after[name])]
        if moved:
            raise InvalidInput(f"the loss moves the buffers {', '.join(moved)}. {REMEDY}")
        return loss

    return checked
