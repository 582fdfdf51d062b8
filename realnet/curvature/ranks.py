"""One loss over several processes of torch.distributed: each holds the model and its own chunks.

All processes run the same evaluation, step by step: what is summed over them comes out the same
on each, and so does everything that follows from it. They agree on the tracker's settings where it
is made, and meet before each sum: one that has failed, is at another point, or multiplies another
vector is noticed by all, in one sentence that names it. One that has died or is silent is noticed
by torch's timeout.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor

from linmodel.errors import InvalidInput, refuse

PATIENCE = 300.0  # seconds to wait for the others; less where the group's own timeout is less
TEXT = 2048  # bytes of a sentence or of the settings that processes tell each other
KINDS = ("settings", "loss and gradient", "product", "rest", "end")
DIFFER = {  # what has another key on another process, and what to do
    "loss and gradient": (
        "parameters",
        "Evaluate at the same steps on all, and broadcast the parameters from one.",
    ),
    "rest": (
        "buffers (running statistics) or frozen parameters",
        "Broadcast them from one process.",
    ),
    "product": (
        "vectors",
        "Restore the same state on all, and run on processors of one kind: others round otherwise.",
    ),
}


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
        nccl = "nccl" in str(dist.get_backend(self.group))
        self.device = torch.device("cuda" if nccl else "cpu")  # of what is told
        self._met = 0

    def sum(self, tensor: Tensor, kind: str, key: int) -> Tensor:
        """The sum over all processes, in place. `key` must be the same on all of them."""
        self.meet(kind, key)
        self._reduce(tensor, torch.distributed.ReduceOp.SUM)
        return tensor

    def agree(self, settings: Mapping[str, object]) -> None:
        """Raises Elsewhere where the processes' settings differ."""
        self.meet("settings", 0)
        said = [json.loads(text) for text in self._texts(json.dumps(settings))]
        for name in settings:
            values = [one[name] for one in said]
            if len({json.dumps(value) for value in values}) > 1:
                told = ", ".join(f"{value} on process {i}" for i, value in enumerate(values[:8]))
                raise Elsewhere(f"{name} differs between processes: {told}. Pass the same on all.")

    def meet(self, kind: str, key: int) -> None:
        """Wait for all. Raises Elsewhere: one has failed, is elsewhere or has another key."""
        self._met += 1
        place = float(self._met * len(KINDS) + KINDS.index(kind))
        failed, last, first, most, least = self._said([0.0, place, -place, float(key), -float(key)])
        if failed:
            raise Elsewhere(f"{self._of_others('')}. All stop here.")
        if last != -first:
            told = self._of_others(f"is at its meeting {self._met} ({kind})")
            raise Elsewhere(
                f"the processes have gone different ways: {told}. Evaluate the same trackers at "
                "the same steps on all."
            )
        if most != -least:
            what, remedy = DIFFER[kind]
            keys = self._texts(str(key))
            other = ", ".join(str(i) for i, one in enumerate(keys) if one != keys[0])
            raise Elsewhere(
                f"the processes' {what} differ: those of process {other} are not those of process "
                f"0. {remedy}"
            )

    @contextmanager
    def told(self) -> Iterator[None]:
        """Tell the others of an error in here, where they still listen; it is raised as it is."""
        try:
            yield
        except BaseException as error:
            if not isinstance(error, Elsewhere):
                with suppress(Elsewhere):  # they may have stopped, too; one's own error is raised
                    self._said([1.0, 0.0, 0.0, 0.0, 0.0])
                    self._texts(f"stopped with {type(error).__name__}: {error}".rstrip(". "))
            raise

    def _of_others(self, own: str) -> str:
        """What each process says that says something, by its number."""
        said = [f"process {i} {text}" for i, text in enumerate(self._texts(own)) if text]
        return ", ".join(said[:8])

    def _said(self, numbers: list[float]) -> list[float]:
        """The largest that any process said, each."""
        said = torch.tensor(numbers, dtype=torch.float64, device=self.device)
        self._reduce(said, torch.distributed.ReduceOp.MAX)
        return said.tolist()

    def _texts(self, own: str) -> list[str]:
        """What every process says, in order."""
        data = own.encode()[:TEXT].ljust(TEXT, b"\0")
        said = torch.tensor(list(data), dtype=torch.uint8, device=self.device)
        found = [torch.empty_like(said) for _ in range(self.size)]
        self._done(lambda: torch.distributed.all_gather(found, said, self.group, async_op=True))
        return [bytes(one.tolist()).rstrip(b"\0").decode(errors="ignore") for one in found]

    def _reduce(self, tensor: Tensor, how: Any) -> None:
        self._done(
            lambda: torch.distributed.all_reduce(tensor, how, group=self.group, async_op=True)
        )

    def _done(self, begin: Callable[[], Any]) -> None:
        try:
            begin().wait(timedelta(seconds=PATIENCE))
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
