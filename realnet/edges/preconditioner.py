"""The diagonal preconditioner of an optimiser, read from its state as torch's step uses it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from linmodel.errors import InvalidInput, refuse
from realnet.edges.stepping import Stepping


class NoStepYet(InvalidInput):
    """The optimiser's state is empty: its preconditioner is that of its first step."""


def diagonal(stepping: Stepping, params: Sequence[Tensor]) -> Tensor:
    """D (n,): the optimiser steps by eta_max D^-1 (mean of gradients), flat in `params`' order.

    Adam, AdamW: D = (1 - b1^t) (sqrt(v / (1 - b2^t)) + eps), v = exp_avg_sq (amsgrad: its
    maximum), t = steps done. RMSprop: sqrt(v) + eps, v = square_avg (centered: less grad_avg^2).
    Adagrad: (1 + (t - 1) lr_decay)(sqrt(sum) + eps). A group with eta < eta_max counts
    eta_max / eta times (inf where it stands still); without a second moment (SGD) D is that
    factor alone.
    Raises InvalidInput: no step yet, a state without second moment, a parameter of no group.
    """
    owner = {id(p): g for g in stepping.groups for p in g["params"]}
    largest, pieces = stepping.step_size, []
    for i, p in enumerate(params):
        if stepping.groups and id(p) not in owner:
            raise InvalidInput(
                f"parameter {i} (shape {tuple(p.shape)}) is tracked but in no group of the "
                "optimiser: give the optimiser all tracked parameters, or track its own."
            )
        if not stepping.groups:
            pieces.append(torch.ones_like(p.detach()).reshape(-1))
            continue
        group = owner[id(p)]
        own = _second_moment(stepping, group, p)
        eta = float(group["lr"])
        ratio = largest / eta if eta else (1.0 if largest == 0 else math.inf)
        pieces.append((ratio * own).reshape(-1))
    return torch.cat(pieces)


def _second_moment(stepping: Stepping, group: Mapping[str, Any], p: Tensor) -> Tensor:
    if stepping.name == "SGD":
        return torch.ones_like(p.detach())
    state = stepping.state.get(p) or {}
    count = float(state.get("step", 0))
    if not state or (not count and "step" in state):
        raise NoStepYet(
            f"the optimiser ({stepping.name}) has made no step yet, so it has no preconditioner: "
            "evaluate 'preconditioned' after its first step."
        )
    eps = float(group.get("eps", 0.0))
    if "exp_avg_sq" in state:
        b1, b2 = (float(beta) for beta in group["betas"])
        squares = state["max_exp_avg_sq" if group.get("amsgrad") else "exp_avg_sq"]
        root = (squares / (1 - b2**count)).sqrt()
        return (1 - b1**count) * (root + eps)
    if "square_avg" in state:
        squares = state["square_avg"]
        if group.get("centered"):
            squares = squares - state["grad_avg"].square()
        return squares.sqrt() + eps
    if "sum" in state:
        return (1 + (count - 1) * float(group["lr_decay"])) * (state["sum"].sqrt() + eps)
    refuse(
        f"the state of {stepping.name}",
        sorted(state),
        "one with a second moment (exp_avg_sq, square_avg or sum)",
    )
