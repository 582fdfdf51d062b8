"""The parameters that train now: named, each tensor once, read again at every evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parameter import UninitializedParameter

from linmodel.errors import InvalidInput, refuse

Parameters = nn.Module | Tensor | Mapping[str, Tensor] | Iterable[Tensor]
ALLOWED = "a module, a tensor, tensors, (name, tensor) pairs, or an optimiser's param_groups"


class Trainable:
    """`now()` gives the tensors with requires_grad=True by name, in order, tied ones once.

    A module is asked again every time: a layer that is replaced, frozen or unfrozen counts.
    """

    def __init__(self, given: Parameters, half: bool = False) -> None:
        self.half = half  # whether float16 and bfloat16 are taken
        self.module = given if isinstance(given, nn.Module) else None
        self._named = [] if isinstance(given, nn.Module) else _named(given)

    def now(self) -> dict[str, Tensor]:
        """Raises InvalidInput: none, half precision, several devices, memory shared in part."""
        if self.module is not None:
            _refuse_sharded([type(module).__name__ for module in self.module.modules()])
        everything = self.module.named_parameters() if self.module is not None else self._named
        found: dict[str, Tensor] = {}
        seen: set[int] = set()
        for name, tensor in everything:
            if tensor.requires_grad and id(tensor) not in seen:
                seen.add(id(tensor))
                found[name] = tensor
        _check(found, self.half)
        return found

    def everything(self) -> list[Tensor]:
        """All parameters, frozen ones too."""
        if self.module is not None:
            return list(self.module.parameters())
        return [tensor for _, tensor in self._named]

    def rest(self) -> list[Tensor]:
        """What the loss may depend on beside `now()`: frozen tensors, and a module's buffers.

        Not the running statistics of batch norm in training mode, which uses the batch's.
        """
        found = [tensor for tensor in self.everything() if not tensor.requires_grad]
        for module in self.module.modules() if self.module is not None else ():
            if not (module.training and isinstance(module, _BatchNorm)):
                found += module.buffers(recurse=False)
        return [tensor for tensor in found if tensor.layout == torch.strided]


def as_parameters(params: Parameters) -> list[Tensor]:
    """The trainable parameters, each once. Raises InvalidInput as `Trainable.now`."""
    return list(Trainable(params).now().values())


def flatten(tensors: Iterable[Tensor]) -> Tensor:
    """One vector of all entries, shape (n,)."""
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors])


def unflatten(vector: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """Views of a flat vector in the parameters' shapes."""
    pieces = vector.split([p.numel() for p in like])
    return [piece.view_as(p) for piece, p in zip(pieces, like, strict=True)]


def add_flat(out: Tensor, tensors: Iterable[Tensor], weight: float) -> None:
    """out (n,) += weight x the tensors, as `flatten` orders them, without a copy of them all."""
    begin = 0
    for tensor in tensors:
        end = begin + tensor.numel()
        out[begin:end].add_(tensor.detach().reshape(-1), alpha=weight)
        begin = end


def _named(given: object) -> list[tuple[str, Tensor]]:
    if isinstance(given, Tensor):
        return [("params", given)]
    if isinstance(given, Mapping):
        given = given.items()
    if isinstance(given, str) or not isinstance(given, Iterable):
        refuse("params", type(given).__name__, ALLOWED)
    named: list[tuple[str, Tensor]] = []
    for i, item in enumerate(given):
        if isinstance(item, Mapping) and "params" in item:
            named += [(f"group {i}: {name}", tensor) for name, tensor in _named(item["params"])]
        elif isinstance(item, tuple) and len(item) == 2 and isinstance(item[1], Tensor):
            named.append((str(item[0]), item[1]))
        elif isinstance(item, Tensor):
            named.append((f"params[{i}]", item))
        else:
            refuse(f"params[{i}]", type(item).__name__, ALLOWED)
    return named


def _check(found: dict[str, Tensor], half: bool) -> None:
    if not found:
        raise InvalidInput(
            "there are no parameters with requires_grad=True: nothing to track. Pass the module "
            "or its parameters; state_dict() holds copies that do not train."
        )
    _refuse_sharded([type(p).__name__ for p in found.values()])
    unset = [name for name, p in found.items() if isinstance(p, UninitializedParameter)]
    if unset:
        refuse("parameters", unset, "initialised ones", "Run the model once on some data.")
    frozen = [name for name, p in found.items() if p.is_inference()]
    if frozen:
        allowed = "ones made outside of torch.inference_mode()"
        refuse("parameters", frozen, allowed, "Make the model outside, or track a deepcopy of it.")
    kinds = sorted({f"{p.dtype} on {p.device}" for p in found.values()})
    first = next(iter(found.values()))
    taken = (torch.float32, torch.float64, *((torch.float16, torch.bfloat16) if half else ()))
    if len(kinds) > 1 or first.dtype not in taken or first.is_meta:
        refuse(
            "parameters' dtype and device",
            kinds,
            "all float32, or all float64, on one device that holds data",
            "Convert a copy: model.float(). One half precision for all goes with "
            "product='difference', which says how far off it may be.",
        )
    if not sum(p.numel() for p in found.values()):
        raise InvalidInput("the parameters have no entries: nothing to track.")
    _check_memory(found)


def _refuse_sharded(kinds: list[str]) -> None:
    """Each process would see a part of the tensors only."""
    sharded = {"DTensor", "FlatParameter", "FullyShardedDataParallel"} & set(kinds)
    if sharded:
        refuse(
            "parameters",
            f"sharded over processes ({', '.join(sorted(sharded))})",
            "whole ones on each process",
            "Track a copy of the model whose parameters are not sharded; processes=True divides "
            "the data.",
        )


def _check_memory(found: dict[str, Tensor]) -> None:
    """Refuse two tensors that lie on the same memory: their entries would count twice."""
    spans = []
    for name, p in found.items():
        if p.numel() and p.layout == torch.strided:
            length = 1 + sum((n - 1) * s for n, s in zip(p.shape, p.stride(), strict=True))
            spans.append((p.data_ptr(), p.data_ptr() + length * p.element_size(), name))
    spans.sort()
    for (_, end, one), (begin, _, other) in pairwise(spans):
        if begin < end:
            refuse("params", [one, other], "tensors that share no memory", "Pass one of the two.")
