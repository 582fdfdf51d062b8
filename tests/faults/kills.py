"""Kills at random moments of the work itself, and several writers at once."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path

from tests.faults.work import WORKS, in_child


def kill_at_random(work: str, folder: Path, kills: int, seed: int) -> dict[str, int]:
    """Kill `work` `kills` times, mid-way; each time it is finished the result is compared.

    Returns how often it was killed, and how many finished results differed from an undisturbed one.
    """
    rng, whole = random.Random(seed), folder / "whole"
    whole.mkdir()
    WORKS[work](whole)
    for each in whole.iterdir():  # once more, timed: the first time compiles and imports
        shutil.rmtree(each) if each.is_dir() else each.unlink()
    begun = time.monotonic()
    expected = WORKS[work](whole)
    seconds = time.monotonic() - begun
    killed = differing = finished = 0
    place = folder / "killed"
    place.mkdir()
    while killed < kills:
        child = in_child(work, place)
        time.sleep(rng.uniform(0, seconds))
        os.kill(child, rng.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]))
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            killed += 1
        if not os.WIFSIGNALED(status) or rng.random() < 0.2:
            finished += 1
            differing += not WORKS[work](place).identical(expected) or _rubbish(place) > 0
            shutil.rmtree(place)
            place.mkdir()
    return {"killed": killed, "compared": finished, "differing": differing}


def write_together(work: str, folder: Path, writers: int = 3) -> dict[str, int]:
    """`writers` processes on one new output: each finishes or is told, and the result is whole."""
    expected = WORKS[work](_made(folder / "alone"))
    place = _made(folder / "together")
    children = [in_child(work, place) for _ in range(writers)]
    ends = [os.waitpid(child, 0)[1] for child in children]
    again = WORKS[work](place)
    return {
        "writers": writers,
        "finished": sum(status == 0 for status in ends),
        "differing": int(not again.identical(expected)) + int(all(ends)),
    }


def _rubbish(folder: Path) -> int:
    return sum(path.suffix in {".tmp", ".partial"} for path in folder.rglob("*"))


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
