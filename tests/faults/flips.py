"""One bit flipped in a file: the result is identical, made again, or one sentence."""

from __future__ import annotations

import random
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import xarray as xr

from linmodel.errors import InvalidInput, Notice
from tests.faults.work import WORKS

OUTCOMES = ("identical", "recomputed", "refused", "silently wrong")


def flip_everywhere(work: str, folder: Path, flips: int, seed: int) -> dict[str, dict[str, int]]:
    """`flips` flips in each kind of file that `work` leaves when it is done: outcomes by kind."""
    whole = folder / "whole"
    whole.mkdir()
    expected = WORKS[work](whole)
    rng, found = random.Random(seed), {}
    for kind, files in kinds(whole).items():
        counts = dict.fromkeys(OUTCOMES, 0)
        for _ in range(flips):
            place = folder / "harmed"
            shutil.copytree(whole, place)
            _flip(place / rng.choice(files), rng)
            counts[outcome(lambda place=place: WORKS[work](place), expected)] += 1
            shutil.rmtree(place)
        found[kind] = counts
    return found


def outcome(read: Callable[[], xr.Dataset], expected: xr.Dataset) -> str:
    """Which of OUTCOMES reading comes to; any other exception is let through: a traceback."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            same = read().identical(expected)
        except InvalidInput:
            return "refused"
    if not same:
        return "silently wrong"
    return "recomputed" if any(each.category is Notice for each in told) else "identical"


def kinds(folder: Path) -> dict[str, list[str]]:
    """Files by what they are: their name, chunks of one variable together."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and path.stat().st_size:
            parent, chunk, _ = name.partition("/c/")
            found.setdefault(f"{parent} chunks" if chunk else name, []).append(name)
    return found


def _flip(file: Path, rng: random.Random) -> None:
    content = bytearray(file.read_bytes())
    place = rng.randrange(8 * len(content))
    content[place // 8] ^= 1 << (place % 8)
    file.write_bytes(content)
