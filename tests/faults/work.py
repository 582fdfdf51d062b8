"""The three long works that are interrupted, small enough to be run hundreds of times."""

from __future__ import annotations

import multiprocessing
import sys
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from unittest import mock

import numpy as np
import xarray as xr

from linmodel import InvalidInput, sweep
from linmodel.sweeps import plan

TRAINED = {"data": "digits", "size": 40, "width": 4, "depth": 1, "steps": 20, "every": 5}
TRAINED |= {"step_size": 0.05}
ALPHA = np.geomspace(10, 1e4, 2000)


def sweeping(folder: Path) -> xr.Dataset:
    """8 chunks, written to a store."""
    # Put back: which cells share the lanes of a processor moves their last digits.
    with mock.patch.object(plan, "CHUNK_CELLS", 256):
        found = sweep(
            ALPHA, 5.0, 4.0, times=np.linspace(0, 1, 40), variables=["sharpness", "t_dip"],
            out=folder / "sweep.zarr", threads=1,
        )  # fmt: skip
    return found.compute()


def training(folder: Path) -> xr.Dataset:
    """20 steps with a checkpoint after each."""
    import realnet

    return realnet.train(**TRAINED, out=folder / "run", checkpoint_every=1)


def reporting(folder: Path) -> xr.Dataset:
    """Two figures' data through the report's cache."""
    from figures.cache import cached

    def compute() -> dict[str, xr.Dataset]:
        return {"a": curve(), "b": curve() * 2}

    found = [cached(folder, name, {"seed": 0}, "source", compute) for name in ("one", "two")]
    return xr.merge([found[0]["a"].rename(x="p"), found[1]["b"].rename(x="q")])


def curve() -> xr.Dataset:
    """A flow, so that there is something to compute."""
    values = sweep(
        ALPHA[:300], 5.0, times=np.linspace(0, 1, 20), variables=["sharpness"], threads=1
    )
    return xr.Dataset({"x": (("cell", "time"), values.sharpness.values[:, 0, 0])})


WORKS = {"sweep": sweeping, "training": training, "report": reporting}


def start(work: str, folder: Path) -> BaseProcess:
    """The work in a process of its own, which has imported, compiled and just begun.

    Forked from a server that has used nothing: a fork of a process with threads may hang.
    """
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["tests.faults.work", "figures.cache", "realnet.training.train"])
    ours, theirs = server.Pipe()
    process = server.Process(target=_in_child, args=(work, folder, theirs))
    process.start()
    theirs.close()
    ours.recv()
    return process


def _in_child(work: str, folder: Path, begun: Connection) -> None:
    curve()
    begun.send(None)
    try:
        WORKS[work](folder)
    except InvalidInput:  # another one writes: told
        sys.exit(2)
