"""Signals end a command with one line and the shell's status."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


@pytest.mark.parametrize(
    ("number", "late"), [(signal.SIGINT, True), (signal.SIGTERM, True), (signal.SIGINT, False)]
)
def test_a_signal_is_one_line(number, late, tmp_path):
    """Late: in the work, after its first line of progress; early: while packages are imported."""
    process = subprocess.Popen(
        [sys.executable, "-m", "linmodel", "sweep", "--alpha", "10:1e4:1000000:log", "--k", "1:9:9",
         "--beta-norm", "5", "--steps", "1000000", "--step-size", "1e-4", "--threads", "1",
         "--yes", "--out", str(tmp_path / "s.zarr")],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        # A suite that was started in the background inherits an interrupt that is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    if late:
        while not (tmp_path / "s.zarr").exists():
            time.sleep(0.05)
    else:
        maps = f"/proc/{process.pid}/maps"
        while "_multiarray_umath" not in _read(maps):  # NumPy is loading: imports are under way
            time.sleep(0.001)
    process.send_signal(number)
    process.send_signal(number)
    try:
        _, error = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 128 + number, error
    lines = [line for line in error.splitlines() if not line.startswith("sweep:")]
    assert len(lines) == 1 and lines[0].startswith(WORDS[number]), error


def _read(path: str) -> str:
    try:
        with open(path) as opened:
            return opened.read()
    except OSError:
        pytest.skip("no /proc here")
