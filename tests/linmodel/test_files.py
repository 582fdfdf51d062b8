"""Whole files: what is replaced, what is refused, what is left when something fails."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from linmodel import InvalidInput
from linmodel.files import (
    hold,
    require_writable,
    seal,
    sweep_temporaries,
    unseal,
    write_bytes,
)


@pytest.mark.parametrize("failing", ["write", "fsync", "replace"])
def test_a_failing_disk_leaves_the_old_file_and_no_rubbish(tmp_path, monkeypatch, failing):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    class Full(bytes):
        pass

    content: object = b"new"
    if failing == "write":
        content = memoryview(b"new")
        monkeypatch.setattr("linmodel.files.open", lambda *_: _FullFile(full), raising=False)
    else:
        monkeypatch.setattr(os, failing, full)
    with pytest.raises(InvalidInput, match="No space left on device"):
        write_bytes(path, content)
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["file.txt"]


class _FullFile:
    def __init__(self, full):
        self.write = full

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False


def test_a_limit_on_sizes_leaves_nothing(tmp_path):
    script = (
        f"from linmodel.files import write_bytes; write_bytes({str(tmp_path / 'x')!r}, b'0' * 9000)"
    )
    environment = os.environ | {"NUMBA_CACHE_DIR": "/tmp"}
    environment.pop("COVERAGE_PROCESS_CONFIG", None)  # its record would be cut as well
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 4; exec "$@"', "_", sys.executable, "-c", script],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert "File too large" in done.stderr and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "kind", ["fifo", "link", "dangling", "device", "folder", "long", "nul", "below"]
)
def test_only_regular_files_are_replaced(tmp_path, kind):
    path = tmp_path / "out"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        (tmp_path / "target").write_text("keep")
        path.symlink_to(tmp_path / "target")
    elif kind == "dangling":
        path.symlink_to(tmp_path / "nowhere")
    elif kind == "folder":
        path.mkdir()
    elif kind == "below":
        path.write_text("a file")
    path = {
        "device": Path("/dev/null"),
        "long": tmp_path / ("x" * 300),
        "nul": tmp_path / "a\0b",
        "below": path / "x",
    }.get(kind, path)
    before = sorted(tmp_path.iterdir())
    for call in (require_writable, lambda path: write_bytes(path, b"new")):
        with pytest.raises(InvalidInput, match=r"^output (file|folder)"):
            call(path)
    assert sorted(tmp_path.iterdir()) == before
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("path", [5, None, "", [], b"x" * 300], ids=repr)
def test_what_is_no_path_is_refused(path):
    with pytest.raises(InvalidInput, match="output file"):
        write_bytes(path, b"")


def test_a_name_as_long_as_the_file_system_takes(tmp_path):
    assert write_bytes(tmp_path / ("x" * 255), b"new").read_bytes() == b"new"


def test_a_temporary_that_goes_meanwhile_does_not_keep_the_others(tmp_path, monkeypatch):
    """What another process takes away between listing and looking is no reason to stop."""
    left = [tmp_path / f".x.999999999-{i}.tmp" for i in range(3)]
    for path in left:
        path.write_text("")

    seen = []

    def vanishing(pid, _modified):
        seen.append(pid)
        if len(seen) == 1:
            raise FileNotFoundError("gone")
        return False

    monkeypatch.setattr("linmodel.files._writes", vanishing)
    sweep_temporaries(tmp_path / "x")
    assert sum(path.exists() for path in left) == 1


def test_temporaries_of_dead_processes_are_swept_and_those_of_living_ones_kept(tmp_path):
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                          capture_output=True, text=True, check=True).stdout.strip()  # fmt: skip
    for name in (f".x.{dead}.tmp", f".x.{dead}-3.tmp", f".x.{os.getpid()}.tmp", f".y.{dead}.tmp"):
        (tmp_path / name).write_text("half")
    reused = tmp_path / f".x.{os.getpid()}-9.tmp"  # older than this process: another had its number
    reused.write_text("half")
    os.utime(reused, (0, 0))
    write_bytes(tmp_path / "x", b"new")
    left = {".y." + dead + ".tmp", f".x.{os.getpid()}.tmp", "x"}
    assert {item.name for item in tmp_path.iterdir()} == left


def test_one_process_holds_a_folder_and_its_death_lets_go(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c",
         "import sys, pathlib, time; from linmodel.files import hold\n"
         "with hold(pathlib.Path(sys.argv[1])):\n print('held', flush=True); time.sleep(60)",
         str(tmp_path)], stdout=subprocess.PIPE, text=True)  # fmt: skip
    with child:
        assert child.stdout is not None and child.stdout.readline() == "held\n"
        with pytest.raises(InvalidInput, match="Another one writes it now"), hold(tmp_path):
            pass
        child.kill()
    with hold(tmp_path), pytest.raises(InvalidInput), hold(tmp_path):
        pass


def test_a_seal_fits_its_content_only():
    sealed = seal(b"content")
    assert unseal(sealed) == b"content"
    for place in range(8 * len(sealed)):
        harmed = bytearray(sealed)
        harmed[place // 8] ^= 1 << (place % 8)
        assert unseal(bytes(harmed)) is None
    assert unseal(sealed[:-1]) is None and unseal(b"") is None


@pytest.mark.parametrize("writable", [True, False])
def test_where_no_lock_can_be_made_nothing_is_held_or_it_is_said(tmp_path, monkeypatch, writable):
    """A read-only folder has no writers to keep out; one that cannot take a lock is full."""

    def full(*given, **named):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("filelock.FileLock.acquire", full)
    monkeypatch.setattr(os, "access", lambda *asked: writable)
    if not writable:
        with hold(tmp_path, "x"):
            return
    with pytest.raises(InvalidInput, match="No space left on device"), hold(tmp_path, "x"):
        pytest.fail("it was held")
