"""The data of a loss in chunks, and the share of the whole that each chunk has."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from linmodel.errors import InvalidInput, refuse

Chunk = tuple[Any, ...]
Chunks = Iterable[Any]
REMEDY = (
    "Pass weights= (the count that each chunk's mean is over, such as its tokens), or let loss_fn "
    "return (sum, count)."
)


class Data:
    """Chunks, again and again, each with its share: by `weights`, or by length where None.

    chunks  tuples or lists of loss_fn's arguments, single tensors, or mappings (one argument), in
            anything that can be iterated again: a list, a DataLoader. None: loss_fn() is the loss
    weights one number >= 0 a chunk, in any unit: only their ratios count
    Raises InvalidInput: no chunks, a generator, chunks without length and without weights.
    """

    def __init__(self, chunks: Chunks | None, weights: Sequence[float] | None) -> None:
        self.given: Chunks = [()] if chunks is None else _iterable(chunks)
        self.trusted = weights is not None or chunks is None
        self._lengths = [None if chunks is None else length(chunk) for chunk in self._pass()]
        self.count = len(self._lengths)
        if not self.count:
            refuse("chunks", "empty", "at least one chunk")
        if weights is None and self.count > 1:
            if None in self._lengths:
                where = self._lengths.index(None)
                raise InvalidInput(f"chunk {where} holds no tensor with a length. {REMEDY}")
            weights = [float(size or 0) for size in self._lengths]
        self.weights = _shares(weights if weights is not None else [1.0], self.count)
        self.total = _total(weights, self._lengths)

    def __iter__(self) -> Iterator[tuple[Chunk, float]]:
        """Chunks with their shares. Raises InvalidInput: not as many or as long as at first."""
        seen = 0
        for chunk in self._pass():
            size = self._lengths[seen] if seen < self.count else None
            if size is not None and length(chunk) != size:
                refuse(f"chunk {seen}'s length", length(chunk), f"{size}, as in the first pass")
            if seen < self.count:
                yield chunk, self.weights[seen]
            seen += 1
        if seen != self.count:
            refuse("chunks in this pass", seen, f"{self.count}, as in the first pass")

    def by_length(self) -> bool:
        """Whether every sample counts the same: a chunk's share is its length's."""
        if self.count == 1 or not self.trusted:
            return True
        lengths = [float(size or 0) for size in self._lengths]
        return any(lengths) and np.allclose(self.weights, _shares(lengths, self.count))

    def _pass(self) -> Iterator[Chunk]:
        return passed(self.given)


def passed(items: Iterable[Any]) -> Iterator[Chunk]:
    """One pass: each item as loss_fn's arguments. Raises InvalidInput: a loader's worker died."""
    try:
        for item in items:
            yield arguments(item)
    except (RuntimeError, ConnectionError, EOFError) as error:
        lost = isinstance(error, RuntimeError) or not getattr(items, "num_workers", 0)
        if lost and "DataLoader worker" not in str(error):
            raise
        first = (str(error).splitlines() or ["a worker died"])[0].rstrip(".")
        raise InvalidInput(
            f"the loader failed: {first}. Look at the worker, or set num_workers=0."
        ) from error


def length(chunk: Chunk) -> int | None:
    """Samples in a chunk: the first tensor's length; None where there is no tensor."""
    for item in chunk:
        if isinstance(item, Mapping):
            item = next((value for value in item.values() if isinstance(value, Tensor)), None)
        if isinstance(item, Tensor) and item.ndim:
            return len(item)
    return None


def part(chunk: Chunk, begin: int, end: int) -> Chunk:
    """Samples begin to end of a chunk: of every tensor that is as long as the chunk."""
    return _cut(chunk, lambda tensor: tensor[begin:end])


def taken(chunk: Chunk, which: Tensor) -> Chunk:
    """The samples of a chunk with these indices, (m,)."""
    return _cut(chunk, lambda tensor: tensor[which.to(tensor.device)])


def _cut(chunk: Chunk, cut: Callable[[Tensor], Tensor]) -> Chunk:
    size = length(chunk)

    def each(item: Any) -> Any:
        if isinstance(item, Mapping):
            return {name: each(value) for name, value in item.items()}
        whole = isinstance(item, Tensor) and item.ndim and len(item) == size
        return cut(item) if whole else item

    return tuple(each(item) for item in chunk)


def joined(one: Chunk, other: Chunk) -> Chunk:
    """The samples of both. Raises InvalidInput where their shapes differ."""
    sizes = length(one), length(other)

    def join(a: Any, b: Any) -> Any:
        if isinstance(a, Mapping):
            return {name: join(a[name], b[name]) for name in a}
        if isinstance(a, Tensor) and a.ndim and (len(a), len(b)) == sizes:
            return torch.cat([a, b])
        return a

    try:
        return tuple(join(a, b) for a, b in zip(one, other, strict=True))
    except (RuntimeError, TypeError, ValueError, KeyError) as error:
        raise InvalidInput(
            f"samples of different chunks differ in shape, so lengths may not be shares. {REMEDY}"
        ) from error


def _iterable(chunks: Chunks) -> Chunks:
    if isinstance(chunks, (Mapping, Tensor, str)) or not isinstance(chunks, Iterable):
        refuse("chunks", type(chunks).__name__, "a list of tuples, or a DataLoader")
    if isinstance(chunks, Iterator):
        kind = type(chunks).__name__
        refuse("chunks", kind, "what can be iterated again", "Pass list(chunks).")
    return chunks


def arguments(item: Any) -> Chunk:
    """What loss_fn is called with for one item of a loader: a tensor or mapping is one argument.

    Raises InvalidInput: anything but a tensor, a mapping, a tuple or a list.
    """
    if isinstance(item, (Tensor, Mapping)):
        return (item,)
    if not isinstance(item, (tuple, list)):
        refuse("a chunk", type(item).__name__, "a tuple of loss_fn's arguments")
    return tuple(item)


def refuse_unfit(name: str, function: Callable[..., Any], items: Sequence[Any]) -> None:
    """Raises InvalidInput for a function whose signature does not take these items."""
    try:
        signature = inspect.signature(getattr(function, "forward", function))
    except (TypeError, ValueError):  # built in, of no signature
        return
    try:
        signature.bind(*items)
    except TypeError as error:
        refuse(
            f"{name}{signature}",
            f"called with {len(items)} ({error})",
            "a function of what it is called with",
            "A chunk is a tuple of arguments: chunks=[(x, y)] is one chunk of two, and functions "
            "of chunks take x, y; without chunks there is none.",
        )


def _total(weights: Sequence[float] | None, lengths: list[int | None]) -> float:
    """How much data there are beside other processes' data; NaN where that is not known."""
    if weights is not None:
        return float(sum(float(weight) for weight in weights))
    return math.nan if None in lengths else float(sum(size or 0 for size in lengths))


def _shares(weights: Sequence[float], count: int) -> list[float]:
    try:
        numbers = [float(weight) for weight in weights]
    except (TypeError, ValueError):
        refuse("weights", weights, "one positive number for each chunk")
    good = all(math.isfinite(number) and number >= 0 for number in numbers)
    if len(numbers) != count or not good or not sum(numbers) > 0:
        refuse("weights", numbers, f"one number >= 0 for each of the {count} chunks, not all 0")
    return [number / sum(numbers) for number in numbers]
