"""What a loss is made of: its autograd graph, searched for what cannot be taken on trust."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction

from linmodel.errors import InvalidInput

# Operations whose derivative jumps: there a difference of gradients is not their derivative.
JUMPS = (
    "Relu",
    "Hardtanh",
    "Hardswish",
    "Hardsigmoid",
    "Hardshrink",
    "Softshrink",
    "Threshold",
    "MaxPool",
    "FractionalMax",
    "Abs",
    "Clamp",
    "Maximum",
    "Minimum",
    "Max",
    "Min",
    "Amax",
    "Amin",
    "Sort",
    "Topk",
    "Kthvalue",
    "Median",
    "L1Loss",
    "Where",
    "Prelu",
    "Cummax",
    "Cummin",
    "Norm",
)


class Survey:
    """Names of the user's own operations in a loss's graph, and whether some derivative jumps.

    Call it with every chunk's loss. An operation of torch's own has the right second derivative
    or none; one of the user's (torch.autograd.Function) may have any.
    """

    def __init__(self) -> None:
        self.own: set[str] = set()
        self.jumps = False

    def __call__(self, loss: Tensor) -> None:
        seen: set[Any] = set()
        ahead: list[Any] = [loss.grad_fn]
        while ahead:
            node = ahead.pop()
            if node is None or node in seen:
                continue
            seen.add(node)
            name = type(node).__name__
            if isinstance(node, BackwardCFunction):
                self.own.add(name.removesuffix("Backward"))
            elif any(name.startswith(part) or f"{part}Backward" in name for part in JUMPS):
                self.jumps = True
            ahead += [following for following, _ in node.next_functions]


def refuse_hooks(parameters: dict[str, Tensor]) -> None:
    """Raises InvalidInput where a hook on a parameter changes a gradient; one may look at it."""
    generator = torch.Generator().manual_seed(0)
    for name, p in parameters.items():
        for hook in (p._backward_hooks or {}).values():
            draw = torch.randn(p.shape, generator=generator, dtype=p.dtype, device="cpu").to(p)
            given = draw.clone()
            with torch.no_grad():
                found = hook(given)
            if not torch.equal(given, draw) or (found is not None and not torch.equal(found, draw)):
                raise InvalidInput(
                    f"a hook on {name} changes its gradient, which then is not the loss's: remove "
                    "the hook, and scale or clip gradients outside of the evaluation."
                )
