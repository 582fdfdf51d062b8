"""A checked sweep: cells numbered, cut into chunks, fingerprinted; the variables it can hold."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linmodel.problem import Array

Column = NDArray[Any]
Block = tuple[slice, ...]
Results = dict[str, Column]
AXES = ("alpha", "beta_norm", "k", "step_size")
FLOW_CURVES = ("c", "epsilon", "n", "o", "loss", "opposing_curvature", "sharpness")
FLOW_SCALARS = ("t_dip", "dip_depth", "t_edge", "final_sharpness", "status")
DESCENT_CURVES = ("c", "epsilon", "n", "log_abs_o", "loss", "opposing_curvature", "sharpness")
DESCENT_SCALARS = (
    "t_dip",
    "dip_depth",
    "t_edge",
    "final_c",
    "final_epsilon",
    "final_n",
    "final_log_abs_o",
    "final_sharpness",
    "peak_curvature",
    "steps_taken",
    "regime",
    "status",
)
DEVICE_FLOW = ("final_sharpness", "sharpness", "status")
KINDS: dict[str, np.dtype[Any]] = {
    "status": np.dtype("i1"),
    "regime": np.dtype("i1"),
    "steps_taken": np.dtype("i8"),
}
CHUNK_CELLS, CHUNK_BYTES = 65_536, 2**23


@dataclass(frozen=True)
class Plan:
    """A checked sweep. Cells are numbered in C order of `shape`.

    dims        names of the cells' dimensions: the four axes (product) or ("cell",) (list)
    axes        name -> values; in a list all of one length
    start       c, epsilon, n, o and the time scale T, each along the dimension named in `along`
    grid        times in units of T (flow), or step numbers (descent)
    device      a torch device, or None for the compiled kernels
    limits      cells and bytes of a chunk, at most
    """

    method: str
    dims: tuple[str, ...]
    axes: dict[str, Array]
    start: dict[str, Array]
    along: dict[str, str]
    grid: Column
    variables: tuple[str, ...]
    device: str | None = None
    limits: tuple[int, int] = field(default_factory=lambda: (CHUNK_CELLS, CHUNK_BYTES))

    @property
    def shape(self) -> tuple[int, ...]:
        """Cells along each dimension."""
        if self.dims == ("cell",):
            return (len(self.axes["alpha"]),)
        return tuple(len(self.axes[name]) for name in self.dims)

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return math.prod(self.shape)

    @property
    def curves(self) -> tuple[str, ...]:
        """The variables that have one value for each time."""
        known = FLOW_CURVES if self.method == "flow" else DESCENT_CURVES
        return tuple(name for name in self.variables if name in known)

    @property
    def time_dim(self) -> str:
        """Name of the last dimension of a curve."""
        return "time" if self.method == "flow" else "step"

    @property
    def bytes(self) -> int:
        """Size of all results."""
        return self.cells * self.bytes_per_cell

    @property
    def bytes_per_cell(self) -> int:
        """Size of the results of one cell."""
        values = len(self.curves) * len(self.grid) + len(self.variables) - len(self.curves)
        return 8 * values

    @property
    def chunk(self) -> tuple[int, ...]:
        """Cells of a chunk along each dimension: whole trailing dimensions, a part of one, then 1s.

        So a chunk is a run of consecutive cells, and depends on the plan alone.
        """
        cells, size_in_bytes = self.limits
        room = max(64, min(cells, size_in_bytes // self.bytes_per_cell))
        sizes: list[int] = []
        for size in reversed(self.shape):
            if room >= size:
                sizes.append(size)
                room //= size
            else:
                sizes.append(math.ceil(size / math.ceil(size / max(room, 1))))
                room = 0
        return tuple(reversed(sizes))

    @property
    def chunks(self) -> int:
        """How many chunks there are."""
        return math.prod(
            math.ceil(n / part) for n, part in zip(self.shape, self.chunk, strict=True)
        )

    def blocks(self) -> Iterator[tuple[slice, ...]]:
        """The chunks as slices along the dimensions, in order."""
        counts = [math.ceil(size / part) for size, part in zip(self.shape, self.chunk, strict=True)]
        for place in np.ndindex(*counts):
            yield tuple(
                slice(at * part, min((at + 1) * part, size))
                for at, part, size in zip(place, self.chunk, self.shape, strict=True)
            )

    def span(self, block: tuple[slice, ...]) -> tuple[int, int]:
        """First cell number of a block, and the one after its last."""
        low = int(np.ravel_multi_index([part.start for part in block], self.shape))
        return low, low + math.prod(part.stop - part.start for part in block)

    def columns(self, low: int, high: int) -> dict[str, Array]:
        """alpha, beta_norm, k, step_size (if any), c, epsilon, n, o, scale of cells low to high."""
        places = np.unravel_index(np.arange(low, high), self.shape)
        at = dict(zip(self.dims, places, strict=True))
        found = {name: values[at.get(name, places[0])] for name, values in self.axes.items()}
        for name, values in self.start.items():
            found[name] = values[at[self.along[name]]]
        return found

    def fingerprint(self) -> dict[str, str]:
        """Digest of each part of the plan: where two sweeps differ, the message says."""
        parts: dict[str, str] = {
            "method": self.method,
            "device": str(self.device),
            "dims": " ".join(self.dims),
            "variables": " ".join(self.variables),
            "times" if self.method == "flow" else "steps": _digest(self.grid),
        }
        for name, values in (self.axes | self.start).items():
            parts[name] = _digest(values)
        return parts


def _digest(values: Column) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()[:16]
