"""Streaming to Zarr: random kills, resume to the same bytes, refusals, bounded memory."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from linmodel import InvalidInput, sweep
from linmodel.errors import Notice
from linmodel.files import hold
from linmodel.sweeps import checksums, zarr_store

pytest.importorskip("zarr")

SETTINGS = {"beta_norm": [5.0], "k": [4.0], "times": [0.0, 0.1, 0.2], "variables": ["sharpness"]}
ALPHA = np.geomspace(10, 1e4, 400)

SCRIPT = """
import sys, time
import numpy as np
from linmodel.sweeps import plan as sweep_plan, zarr_store
sweep_plan.CHUNK_CELLS = 64
from linmodel import sweep
write = zarr_store.write
def slow(*arguments):
    write(*arguments)
    print("chunk", flush=True)
    time.sleep(0.02)
zarr_store.write = slow
sweep(np.geomspace(10, 1e4, 400), [5.0], [4.0], times=[0.0, 0.1, 0.2], variables=["sharpness"],
      out=sys.argv[1], threads=1)
"""


def start_sweep(path: Path) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(path)], stdout=subprocess.PIPE)


def digest(store: Path) -> dict[str, str]:
    files = sorted(path for path in store.rglob("*") if path.is_file())
    return {
        str(path.relative_to(store)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr("linmodel.sweeps.plan.CHUNK_CELLS", 64)


def test_killed_at_random_moments_it_ends_in_the_same_bytes(tmp_path):
    whole, killed = tmp_path / "whole.zarr", tmp_path / "killed.zarr"
    sweep(ALPHA, **SETTINGS, out=whole)
    rng, kills, finished = random.Random(0), 0, False
    while kills < 4 and not finished:
        with start_sweep(killed) as process:
            assert process.stdout is not None
            finished = process.stdout.readline() == b""
            if not finished:
                time.sleep(rng.uniform(0, 0.04))
                process.send_signal(signal.SIGKILL)
                kills += 1
    assert kills >= 3
    sweep(ALPHA, **SETTINGS, out=killed)
    assert digest(killed) == digest(whole)


def test_what_is_whole_is_readable_and_not_computed_again(tmp_path, monkeypatch):
    path, told = tmp_path / "part.zarr", []

    def stop(cells: int) -> None:
        told.append(cells)
        if len(told) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(ALPHA, **SETTINGS, out=path, threads=1, progress=stop)
    part = zarr_store.read(path)
    known = np.isfinite(part.sharpness.values[:, 0, 0, -1])
    assert 0 < known.sum() < len(ALPHA)
    assert (part.status.values.ravel()[~known] == -1).all()

    written = []
    write = zarr_store.write
    monkeypatch.setattr(zarr_store, "write", lambda *given: (written.append(1), write(*given)))
    found = sweep(ALPHA, **SETTINGS, out=path, threads=1)
    assert len(written) == -(-len(ALPHA) // 64) - 3
    direct = sweep(ALPHA, **SETTINGS, threads=1)
    xr.testing.assert_identical(found.compute(), direct)
    sweep(ALPHA, **SETTINGS, out=path)
    assert len(written) == -(-len(ALPHA) // 64) - 3


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"k": [5.0]}, "k, n, o differ"),
        ({"times": [0.0, 0.3]}, "times differ"),
        ({"variables": ["sharpness", "c"]}, "variables differ"),
    ],
)
def test_another_sweeps_store_is_refused(tmp_path, change, says):
    path = tmp_path / "sweep.zarr"
    sweep(ALPHA[:3], **SETTINGS, out=path)
    before = digest(path)
    with pytest.raises(InvalidInput, match=says):
        sweep(ALPHA[:3], **(SETTINGS | change), out=path)
    assert digest(path) == before


def test_a_foreign_folder_is_refused_and_left_alone(tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("keep")
    with pytest.raises(InvalidInput, match="Name another"):
        sweep(ALPHA[:3], **SETTINGS, out=tmp_path / "notes")
    assert (tmp_path / "notes" / "mine.txt").read_text() == "keep"


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="existing folder"):
        sweep(ALPHA[:3], **SETTINGS, out=tmp_path / "none" / "sweep.zarr")


def test_more_than_the_disk_is_refused_before_starting(tmp_path):
    big = np.geomspace(10, 1e4, 10**6)
    with pytest.raises(InvalidInput, match=r"1,000,000,000 cells, 24,008,000,000,000 bytes"):
        sweep(
            big, np.geomspace(1, 9, 1000), times=np.arange(1, 3001), variables=["sharpness"],
            out=tmp_path / "big.zarr",
        )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_full_disk_leaves_whole_chunks_readable(tmp_path, monkeypatch):
    path, calls = tmp_path / "sweep.zarr", []
    write_chunk = checksums.write_chunk

    def full(*given):
        calls.append(given)
        if len(calls) == 7:
            raise OSError(28, os.strerror(28))
        return write_chunk(*given)

    with monkeypatch.context() as patched:
        patched.setattr(checksums, "write_chunk", full)
        with pytest.raises(InvalidInput, match=r"No space left on device.*again to go on"):
            sweep(ALPHA, **SETTINGS, out=path, threads=1)
    assert np.isfinite(zarr_store.read(path).sharpness.values[:128]).all()
    sweep(ALPHA, **SETTINGS, out=path)


def test_memory_stays_bounded(tmp_path):
    """A store of 160 MB is written in less than 100 MB more than a store of 5 MB."""
    code = """
import resource, sys
import numpy as np
from linmodel import sweep
def run(cells, name):
    sweep(np.geomspace(10, 1e3, cells), times=np.linspace(0, 1, 200), beta_norm=5.0, threads=2,
          variables=["sharpness"], out=f"{sys.argv[1]}/{name}.zarr")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
small = run(3_000, "small")
print(run(100_000, "large") - small)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 100_000


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A complete store of 7 chunks, and what a read of it gives."""
    path = tmp_path_factory.mktemp("whole") / "sweep.zarr"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("linmodel.sweeps.plan.CHUNK_CELLS", 64)
        found = sweep(ALPHA, **WIDE, out=path).compute()
    return path, found


WIDE = SETTINGS | {"variables": ["sharpness", "t_dip"]}
HARMS = ["flip", "cut", "delete", "swap"]


def copied(whole, tmp_path):
    path = tmp_path / "sweep.zarr"
    shutil.copytree(whole[0], path)
    return path


def files_of(store):
    there = sorted(file for file in store.rglob("*") if file.is_file() and file.name != ".lock")
    return [str(file.relative_to(store)) for file in there]


@pytest.mark.parametrize("harm", HARMS)
def test_whatever_is_harmed_is_put_right_and_said(whole, tmp_path, harm):
    """Every kind of file of a complete store, metadata, coordinates and marks among them."""
    path, rng = copied(whole, tmp_path), random.Random(HARMS.index(harm))
    before = digest(path)
    names = [name for name in files_of(path) if "/c/" not in name]
    names += rng.sample([name for name in files_of(path) if "/c/" in name], 2)
    for name in names:
        file = path / name
        content = file.read_bytes()
        if harm == "flip":
            place = rng.randrange(8 * len(content))
            changed = bytearray(content)
            changed[place // 8] ^= 1 << (place % 8)
            file.write_bytes(changed)
        elif harm == "cut":
            file.write_bytes(content[: rng.randrange(len(content))])
        elif harm == "delete":
            file.unlink()
        else:  # another chunk of the same sweep, its own checksum right
            if not name.startswith("sharpness/c/"):
                continue
            shutil.copy(path / f"sharpness/c/{int(name.endswith('/0/0/0/0'))}/0/0/0", file)
        with pytest.warns(Notice, match="damaged or missing"):
            found = sweep(ALPHA, **WIDE, out=path)
        assert found.identical(whole[1]), name
        assert digest(path) == before, name


def test_a_store_of_another_sweep_in_disguise_is_another_sweep(whole, tmp_path):
    path = copied(whole, tmp_path)
    (path / "zarr.json").write_text("{}")
    with pytest.raises(InvalidInput, match="k, n, o differ"):
        sweep(ALPHA, **(WIDE | {"k": [9.0]}), out=path)


def test_a_complete_store_opens_where_nothing_can_be_written(whole, tmp_path, monkeypatch):
    path = copied(whole, tmp_path)

    def refuse(*given, **settings):
        raise OSError(30, os.strerror(30))

    before = digest(path)
    for name in ("rename", "replace", "unlink", "mkdir", "rmdir"):
        monkeypatch.setattr(os, name, refuse)
    monkeypatch.setattr(zarr_store, "hold", refuse)
    assert sweep(ALPHA, **WIDE, out=path).identical(whole[1])
    assert xr.open_zarr(path).identical(xr.open_zarr(path, consolidated=False))  # and no warning
    assert digest(path) == before


def test_a_second_writer_is_told(whole, tmp_path):
    path = copied(whole, tmp_path)
    (path / "status" / ".complete").unlink()
    with hold(path / "status"), pytest.raises(InvalidInput, match="Another one writes it now"):
        sweep(ALPHA, **WIDE, out=path)


def test_three_writers_of_a_new_store_leave_a_whole_one(tmp_path):
    """In threads here, in processes in tests/faults; those that are told change nothing."""
    path, told = tmp_path / "sweep.zarr", []

    def write() -> None:
        try:
            sweep(ALPHA, **SETTINGS, out=path, threads=1)
        except InvalidInput as error:
            told.append(str(error))

    several = [threading.Thread(target=write) for _ in range(3)]
    for thread in several:
        thread.start()
    for thread in several:
        thread.join()
    assert len(told) < 3 and all("Another one writes it now" in each for each in told)
    assert sweep(ALPHA, **SETTINGS, out=path).identical(sweep(ALPHA, **SETTINGS))
    assert [item.name for item in tmp_path.iterdir()] == ["sweep.zarr"]


@pytest.mark.parametrize("kind", ["link", "fifo", "file", "dangling"])
def test_what_is_no_store_is_refused_and_left(tmp_path, kind):
    path = tmp_path / "sweep.zarr"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "file":
        path.write_text("mine")
    else:
        path.symlink_to(tmp_path / ("there" if kind == "link" else "nowhere"))
        (tmp_path / "there").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InvalidInput, match=r"^out"):
        sweep(ALPHA[:3], **SETTINGS, out=path)
    assert sorted(tmp_path.rglob("*")) == before
