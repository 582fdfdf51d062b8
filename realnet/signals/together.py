"""Losses of single samples where samples meet: batch norm in training mode.

With the batch's own mean and variance the full-batch loss is still (1/N) sum_i l_i(theta), and l_i,
the loss of sample i when the whole batch goes through the network, is a function of the parameters
alone, although it depends on all inputs. Its changes, its slope g_i.u and its curvature u'H_i u are
those of that function: they average to the slope and curvature of the loss that is descended. What
they are not is the sample's doing alone: part of them reaches it through the batch's statistics.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from linmodel.errors import InvalidInput, refuse
from realnet.curvature.objective import full_precision
from realnet.curvature.training_mode import noisy_modules
from realnet.training.task import Task


def meeting(model: nn.Module) -> list[_BatchNorm]:
    """Batch norms that take the batch's own statistics: in training mode, or without others."""
    return [
        module
        for module in model.modules()
        if isinstance(module, _BatchNorm) and (module.training or module.running_mean is None)
    ]


@contextmanager
def statistics_kept(model: nn.Module) -> Iterator[None]:
    """Running statistics of `meeting` modules are out of reach: nothing moves them."""
    lent = [(module, dict(module._buffers)) for module in meeting(model)]
    for module, buffers in lent:
        module._buffers.update(dict.fromkeys(buffers))
    try:
        yield
    finally:
        for module, buffers in lent:
            module._buffers.update(buffers)


def check_whole(task: Task) -> bool:
    """Whether samples meet. Raises InvalidInput: then, with chunks, or with dropout that is on."""
    own = meeting(task.model)
    if not own:
        return False
    if len(list(task.whole.chunks)) > 1:
        refuse(
            "chunks with batch norm in training mode", len(list(task.whole.chunks)),
            "one: a batch's statistics are those of all samples",
            "Leave chunk_size out, or call model.eval() to hold the statistics.",
        )  # fmt: skip
    with statistics_kept(task.model):
        others = [name for name in noisy_modules(task.model) if "BatchNorm" not in name.split()[-1]]
    if others:
        raise InvalidInput(
            f"dropout is on in {', '.join(others)}: losses are noisy. Call its eval()."
        )
    return True


def losses_now(task: Task) -> Tensor:
    """Losses of single samples (tokens) as the loss that is trained has them, flat."""
    if not check_whole(task):
        return task.losses()
    with statistics_kept(task.model), torch.no_grad(), full_precision(task.device):
        return task.flat_losses(task.inputs, task.labels)
