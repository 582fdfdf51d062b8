"""Penultimate features: what the last linear layer is given, as scores on principal components."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from linmodel.errors import refuse
from realnet.signals.features import COMPONENTS, components
from realnet.signals.together import losses_now
from realnet.training.task import Task


def last_linear(model: nn.Module, layer: str | None = None) -> nn.Module | None:
    """The module named `layer`; without a name the last nn.Linear in the order of registration.

    Raises InvalidInput: no such module. None where there is no linear layer.
    """
    named = dict(model.named_modules())
    if layer is not None:
        if layer not in named or not layer:
            some = ", ".join(list(named)[1:9])
            refuse("layer", layer, f"the name of a module of the model ({some}, ...)")
        return named[layer]
    linear = [module for module in named.values() if isinstance(module, nn.Linear)]
    return linear[-1] if linear else None


def penultimate(task: Task, layer: str | None = None) -> NDArray[np.float32] | None:
    """Scores (N, 12) of every sample (token) on the features' leading principal components.

    In the mode that the loss is trained in; unit standard deviation, zeros where the features have
    fewer components. None where the model has no linear layer, or one that is not given a row a
    sample. Raises InvalidInput where a named layer is not.
    """
    module = last_linear(task.model, layer)
    if module is None:
        return None
    seen: list[Tensor] = []
    hook = module.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach()))
    try:
        count = len(losses_now(task))
    finally:
        hook.remove()
    rows = sum(each[..., 0].numel() for each in seen) if all(each.ndim > 1 for each in seen) else -1
    if rows != count:
        if layer is not None:
            refuse(f"layer {layer}", f"given {max(rows, 0)} rows", f"one a sample, {count}")
        return None
    flat = torch.cat([each.reshape(-1, each.shape[-1]) for each in seen]).cpu().numpy()
    found = np.zeros((count, COMPONENTS), dtype=np.float32)
    scores = components(flat) if np.isfinite(flat).all() else found[:, :0]
    found[:, : scores.shape[1]] = scores
    return found
