"""Kills at random moments of the work itself, and several writers at once."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path

from tests.faults.work import WORKS, start


def kill_at_random(work: str, folder: Path, kills: int, seed: int) -> dict[str, int]:
    """Kill `work` `kills` times, mid-way; each time it is finished the result is compared.

    Returns how often it was killed, and how many finished results differed from an undisturbed one.
    """
    rng, whole = random.Random(seed), folder / "whole"
    whole.mkdir()
    expected = WORKS[work](whole)
    seconds = _seconds(work, folder / "timed")
    killed = differing = finished = 0
    place = folder / "killed"
    place.mkdir()
    while killed < kills:
        child = start(work, place)
        time.sleep(rng.uniform(0, seconds))
        rng.choice([child.kill, child.kill, child.terminate])()  # neither minds one that has ended
        child.join()
        fell = (child.exitcode or 0) < 0
        killed += fell
        if not fell or rng.random() < 0.2:
            finished += 1
            differing += not WORKS[work](place).identical(expected) or _rubbish(place) > 0
            shutil.rmtree(place)
            place.mkdir()
    return {"killed": killed, "compared": finished, "differing": differing}


def write_together(work: str, folder: Path, writers: int = 3) -> dict[str, int]:
    """`writers` processes on one new output: each finishes or is told, and the result is whole."""
    expected = WORKS[work](_made(folder / "alone"))
    place = _made(folder / "together")
    children = [start(work, place) for _ in range(writers)]
    for child in children:
        child.join()
    ends = [child.exitcode for child in children]
    again = WORKS[work](place)
    return {
        "writers": writers,
        "finished": ends.count(0),
        "told": ends.count(2),
        "differing": int(not again.identical(expected)) + int(not set(ends) <= {0, 2}),
    }


def _seconds(work: str, place: Path) -> float:
    place.mkdir()
    child = start(work, place)
    begun = time.monotonic()
    child.join()
    return time.monotonic() - begun


def _rubbish(folder: Path) -> int:
    return sum(path.suffix in {".tmp", ".partial"} for path in folder.rglob("*"))


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
