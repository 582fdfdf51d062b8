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


SWALLOWED = """
import ctypes, signal, time
from linmodel import interrupt

interrupt.raise_from_now_on()
CALLBACK = ctypes.CFUNCTYPE(None)(lambda: signal.raise_signal(signal.SIGTERM))

class Finalized:
    def __del__(self):
        signal.raise_signal(signal.SIGTERM)

def callback():
    CALLBACK()

def finalizer():
    Finalized()

def library():
    try:
        signal.raise_signal(signal.SIGTERM)
    except:
        pass

kept = []

def keeper():
    try:
        signal.raise_signal(signal.SIGTERM)
    except BaseException as error:
        kept.append(error)

try:
    {where}()
    time.sleep(60)
except interrupt.Stopped as stopped:
    print("put right", flush=True)
    interrupt.leave(stopped.number)
"""


@pytest.mark.parametrize("where", ["callback", "finalizer", "library", "keeper"])
def test_a_signal_where_exceptions_are_swallowed_still_ends_the_command(where):
    """Compilers call back from C, where Python prints an exception and goes on; so do libraries.

    One that keeps the exception puts nothing right: PATIENCE ends the command.
    """
    done = subprocess.run(
        [sys.executable, "-c", SWALLOWED.format(where=where)],
        capture_output=True, text=True, timeout=50,
    )  # fmt: skip
    assert done.returncode == 128 + signal.SIGTERM, done.stderr
    assert done.stdout == ("" if where == "keeper" else "put right\n")
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("terminated"), done.stderr


@pytest.mark.parametrize(
    "after",
    ["raise RuntimeError('planted')", "raise InvalidInput('planted')", "return", "raise_at_exit()"],
)
def test_what_follows_from_a_swallowed_signal_is_not_told_as_an_error_or_an_end(after, tmp_path):
    """The compiler finds "no compiled object yet" where its callback was cut short.

    Once the work has ended whole, while Python tidies up, a signal changes nothing any more.
    """
    code = SWALLOWED.partition("try:\n    {where}")[0] + (
        "import typer\nfrom linmodel.console import new_app, run\n"
        "from linmodel.errors import InvalidInput\napp = new_app('planted')\n"
        "class Late:\n    def __del__(self): signal.raise_signal(signal.SIGTERM)\n"
        "def raise_at_exit():\n    global late\n    late = Late()\n"
        f"@app.command()\ndef work():\n    {'callback(); ' * ('exit' not in after)}{after}\n"
        "run(app, 'work')"
    )
    path = tmp_path / "work.py"
    path.write_text(code)
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=50)
    if "exit" in after:
        assert (done.returncode, done.stderr) == (0, "")
        return
    assert done.returncode == 128 + signal.SIGTERM, done.stderr
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("terminated"), done.stderr


def test_other_unraisable_exceptions_are_shown_as_python_shows_them():
    code = (
        "from linmodel import interrupt\ninterrupt.raise_from_now_on()\n"
        "class Finalized:\n    def __del__(self): raise ValueError('planted')\nFinalized()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50)
    assert done.returncode == 0 and "planted" in done.stderr


def _read(path: str) -> str:
    try:
        with open(path) as opened:
            return opened.read()
    except OSError:
        pytest.skip("no /proc here")
