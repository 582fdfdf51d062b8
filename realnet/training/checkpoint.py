"""A run's state as bytes: sealed with its SHA-256, bound to its configuration, checked."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import Tensor

from linmodel.errors import InvalidInput, refuse
from linmodel.files import seal, unseal
from realnet.training.tracking import KEYS, Tracking

MOST_THREADS = 1024
SMALL = 2**16  # elements of a tensor that is not one of the network's own length: random states


class Damaged(Exception):
    """The bytes are not those that were written."""


def pack(state: dict, fingerprint: str) -> bytes:
    """The checkpoint file's content: tensors and numbers only, and what run they belong to."""
    buffer = io.BytesIO()
    torch.save({"fingerprint": fingerprint, "state": state}, buffer)
    return seal(buffer.getbuffer())


def unpack(file: Path, fingerprint: str, fresh: dict, steps: int) -> dict:
    """The state in `file`, of the same structure as `fresh`, that of the run at step 0.

    Nothing is unpickled before the seal and the sizes are right. Raises Damaged where the seal does
    not fit, InvalidInput: another run's checkpoint, or values that no run of `steps` steps has.
    """
    if file.stat().st_size > psutil.virtual_memory().available / 3:
        refuse(str(file), f"{file.stat().st_size:,} bytes", "a third of the free memory at most")
    content = unseal(file.read_bytes())
    if content is None:
        raise Damaged
    _require_plain(file, content)
    try:
        found = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        theirs, state = found["fingerprint"], found["state"]
    except Exception as error:  # torch's words advise to switch its safety off: not repeated
        raise InvalidInput(
            f"{file} holds something else than tensors and numbers, which is never loaded."
            " Delete it to begin the run again."
        ) from error
    if theirs != fingerprint:
        refuse(str(file), "another run's checkpoint", "this run's own", "Delete it to begin again.")
    wrong = _wrong(state, fresh, steps)
    if wrong:
        refuse(f"{wrong} in {file}", "none that this run has", "its own", "Delete the file.")
    return state


def _require_plain(file: Path, content: bytes) -> None:
    """Stored, not compressed, as torch writes it: so nothing in it is larger than the file."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise InvalidInput(f"{file} is not a checkpoint. Delete it to begin again.") from error
    packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
    if packed or sum(member.file_size for member in members) > len(content):
        raise InvalidInput(f"{file} claims to be larger than it is. Delete it to begin again.")


def _wrong(state: Any, fresh: dict, steps: int) -> str:
    """Name of the first part of `state` that cannot be this run's; "" where all can."""
    if not isinstance(state, dict) or set(state) != set(fresh):
        return "the parts"
    length = fresh["point"].numel()
    checks = {
        "step": lambda step: _whole(step, 0, steps + 1),
        "time": lambda time: isinstance(time, float) and 0 <= time < math.inf,
        "threads": lambda threads: _whole(threads, 1, MOST_THREADS),
        "model": lambda model: _alike(model, fresh["model"]),
        "point": lambda point: _alike(point, fresh["point"]),
        "order": lambda order: _alike(order, fresh["order"]),
        "optimiser": lambda parts: _tensors(parts, length),
        "records": lambda records: _records(records, state["step"]),
        "observers": lambda parts: _observers(parts, fresh["observers"], state["step"], length),
    }
    return next(
        (name for name, fits in checks.items() if name in state and not fits(state[name])), ""
    )


def _whole(value: object, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def _alike(value: Any, like: Any) -> bool:
    """Tensors of the same shape and kind, or a mapping of such by the same names."""
    if isinstance(like, Mapping):
        same = isinstance(value, Mapping) and set(value) == set(like)
        return same and all(_alike(value[name], like[name]) for name in like)
    return isinstance(value, Tensor) and value.shape == like.shape and value.dtype == like.dtype


def _tensors(parts: Any, length: int) -> bool:
    return isinstance(parts, dict) and all(
        isinstance(value, Tensor) and (value.shape[-1:] == (length,) or value.numel() <= SMALL)
        for value in parts.values()
    )


def _records(records: Any, step: int) -> bool:
    if not isinstance(records, dict) or set(records) != {
        "step_times", "step_losses", "diverged_step"
    }:  # fmt: skip
        return False
    times, ended = records["step_times"], records["diverged_step"]
    return (
        isinstance(times, list)
        and all(map(_number, times))
        and isinstance(records["step_losses"], list)
        and len(records["step_losses"]) == len(times) <= step + 1
        and (ended is None or _whole(ended, 0, step))
    )


def _observers(parts: Any, fresh: dict, step: int, length: int) -> bool:
    """A state for each of the run's observers; the curvature's own is looked into."""
    if not isinstance(parts, dict) or set(parts) != set(fresh):
        return False
    if not all(isinstance(each, dict) and set(each) == set(fresh[n]) for n, each in parts.items()):
        return False
    own = parts[Tracking.name]
    rows = own["rows"]
    return (
        _tensors(own["tracker"], length)
        and isinstance(rows, list)
        and all(isinstance(row, dict) and set(row) == set(KEYS) | {"time"} for row in rows)
        and all(_whole(row["step"], 0, step) and _number(row["time"]) for row in rows)
    )


def _number(value: object) -> bool:
    return type(value) is float and 0 <= value < math.inf
