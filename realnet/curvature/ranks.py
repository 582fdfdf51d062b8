"""One loss over several processes of torch.distributed: each holds the model and its own chunks.

All processes run the same evaluation, step by step: what is summed over them comes out the same
on each, and so does everything that follows from it. Before each sum they meet: one that has
failed, is at another point, or multiplies another vector is noticed by all, in one sentence. One
that has died is noticed by torch's timeout.
"""

from __future__ import annotations

import zlib
from contextlib import suppress
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor

from linmodel.errors import InvalidInput, refuse

PATIENCE = 300.0  # seconds to wait for the others; less where the group's own timeout is less
KINDS = ("loss and gradient", "product", "rest", "end")
DIFFER = {"product": "vectors", "rest": "buffers (running statistics) or frozen parameters"}


class Elsewhere(InvalidInput):
    """Another process has failed, died or gone another way: nothing can be asked of it any more."""


class Ranks:
    """The processes of a group: True is all of them. Raises InvalidInput: no group is there yet."""

    def __init__(self, group: Any) -> None:
        dist = torch.distributed
        if not (dist.is_available() and dist.is_initialized()):
            refuse(
                "processes",
                group,
                "a group of torch.distributed, or True for all processes",
                "Call torch.distributed.init_process_group first.",
            )
        if group is not True and not isinstance(group, dist.ProcessGroup):
            refuse("processes", group, "True, or a group of torch.distributed")
        self.group = None if group is True else group
        self.size = dist.get_world_size(self.group)
        if self.size < 1:
            refuse("processes", "a group without this process", "a group that it belongs to")
        self._met = 0

    def sum(self, tensor: Tensor, kind: str, key: int) -> Tensor:
        """The sum over all processes, in place. `key` must be the same on all of them."""
        self.meet(kind, key, tensor.device)
        self._reduce(tensor, torch.distributed.ReduceOp.SUM)
        return tensor

    def meet(self, kind: str, key: int, device: torch.device) -> None:
        """Wait for all. Raises Elsewhere: one has failed, is elsewhere or has another key."""
        self._met += 1
        place = float(self._met * len(KINDS) + KINDS.index(kind))
        failed, last, first, most, least = self._said(
            [0.0, place, -place, float(key), -float(key)], device
        )
        if failed:
            raise Elsewhere("another process stopped with an error, which it reports itself.")
        if last != -first:
            raise Elsewhere(
                "the processes have gone different ways: evaluate at the same steps of all, with "
                "the same k, seed, tolerance and assurance."
            )
        if most != -least:
            what = DIFFER.get(kind, "parameters")
            raise Elsewhere(
                f"the processes' {what} differ: each must hold the same model, and the tracker the "
                "same seed. Broadcast parameters and buffers from one process."
            )

    def fail(self, error: BaseException, device: torch.device) -> None:
        """Tell the others that this process stops, where they still listen."""
        if not isinstance(error, Elsewhere):
            with suppress(Elsewhere):  # they may have stopped, too; one's own error is raised
                self._said([1.0, 0.0, 0.0, 0.0, 0.0], device)

    def _said(self, numbers: list[float], device: torch.device) -> list[float]:
        """The largest that any process said, each."""
        said = torch.tensor(numbers, dtype=torch.float64, device=device)
        self._reduce(said, torch.distributed.ReduceOp.MAX)
        return said.tolist()

    def _reduce(self, tensor: Tensor, how: Any) -> None:
        try:
            work = torch.distributed.all_reduce(tensor, how, group=self.group, async_op=True)
            work.wait(timedelta(seconds=PATIENCE))
        except RuntimeError as error:
            first = (str(error).splitlines() or [""])[0][:200]
            raise Elsewhere(
                "another process does not answer: it has died, or does not evaluate at this step. "
                f"torch says: {first}"
            ) from error


def fingerprint(tensors: list[Tensor]) -> int:
    """The same number for the same bits, in the same order (CRC-32)."""
    found = 0
    for tensor in tensors:
        flat = tensor.detach().reshape(-1).cpu().contiguous()
        found = zlib.crc32(flat.view(torch.uint8).numpy().data, found)
    return found
