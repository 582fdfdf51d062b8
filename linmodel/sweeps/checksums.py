"""What a sweep's Zarr store must hold: a checksum of each chunk, and of all around the chunks.

status/.chunks/NAME   of a sweep under way: the chunk's CRC-32C in each variable
status/.complete      when all is there: the same for every chunk, sealed with a SHA-256
status/.frame         fingerprint of the sweep, and SHA-256 of each file that is no result: metadata
                      and coordinates; sealed
"""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linmodel.files import seal, temporary_name, unseal, write_bytes
from linmodel.sweeps.plan import Block, Plan

MARKS, COMPLETE, FRAME = "status/.chunks", "status/.complete", "status/.frame"
Sums = dict[str, str]


def mark_name(block: Block) -> str:
    """File name of a chunk's mark: its first cell along each dimension."""
    return "-".join(str(part.start) for part in block)


def chunk_file(path: Path, plan: Plan, variable: str, block: Block) -> Path:
    """Where Zarr puts that chunk of a variable."""
    places = [part.start // size for part, size in zip(block, plan.chunk, strict=True)]
    places += [0] if variable in plan.curves else []
    return path.joinpath(variable, "c", *map(str, places))


def write_chunk(file: Path, values: NDArray) -> str:
    """Write a chunk as Zarr's codecs "bytes" and "crc32c" do, without their copies; its checksum.

    Zarr's readers check it as their own. Raises OSError.
    """
    from google_crc32c import value

    content = values.reshape(-1).view(np.uint8)
    own = struct.pack("<I", value(content))
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = temporary_name(file).with_suffix(".partial")
    try:
        with open(partial, "wb") as opened:
            opened.write(content.data)
            opened.write(own)
        partial.replace(file)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    return own.hex()


def is_whole(path: Path, plan: Plan, block: Block, sums: str) -> bool:
    """Whether the chunk of every variable is there, unharmed, and the one that was marked."""
    expected = sums.split(" ")
    return len(expected) == len(plan.variables) and all(
        _checked(chunk_file(path, plan, name, block)) == one
        for name, one in zip(plan.variables, expected, strict=True)
    )


def marks(path: Path) -> Sums:
    """Chunk name -> checksums, of a complete store or one under way; empty where unreadable."""
    if (path / COMPLETE).is_file():
        content = unseal((path / COMPLETE).read_bytes())
        lines = [] if content is None else content.decode().splitlines()
        return {name: sums for name, _, sums in (line.partition(" ") for line in lines)}
    if not (path / MARKS).is_dir():
        return {}
    there = (path / MARKS).iterdir()
    return {mark.name: mark.read_text("ascii", errors="replace") for mark in there}


def write_complete(path: Path, found: Sums) -> None:
    """One file for all marks."""
    lines = "\n".join(f"{name} {sums}" for name, sums in sorted(found.items()))
    write_bytes(path / COMPLETE, seal(lines.encode()))


def write_frame(path: Path, plan: Plan) -> None:
    """Note what lies around the chunks, as it lies there now."""
    noted = {"fingerprint": plan.fingerprint(), "files": frame_sums(path, plan)}
    write_bytes(path / FRAME, seal(json.dumps(noted, sort_keys=True).encode()))


def read_frame(path: Path) -> dict | None:
    """What `write_frame` wrote; None where it is missing or damaged."""
    try:
        content = unseal((path / FRAME).read_bytes())
    except OSError:
        return None
    return None if content is None else json.loads(content)


def harmed_frame_files(path: Path, plan: Plan) -> list[str] | None:
    """Metadata and coordinate files that are not as they were written; None: nobody can tell."""
    noted, now = read_frame(path), frame_sums(path, plan)
    if noted is None:
        return None
    return sorted(name for name, digest in noted["files"].items() if now.get(name) != digest)


def frame_sums(path: Path, plan: Plan) -> Sums:
    """SHA-256 of each file that is no result: metadata, and the coordinates' chunks."""
    files = [path / "zarr.json", *(path / name / "zarr.json" for name in plan.variables)]
    for folder in path.iterdir():
        if folder.is_dir() and folder.name not in plan.variables:
            files += [file for file in folder.rglob("*") if file.is_file()]
    return {
        str(file.relative_to(path)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.is_file()
    }


def _checked(file: Path) -> str:
    """The checksum at the file's end, if it is that of the rest; else a word that fits none."""
    from google_crc32c import value

    try:
        content = file.read_bytes()
    except OSError:
        return "missing"
    own = content[-4:]
    return (
        own.hex()
        if struct.pack("<I", value(np.frombuffer(content, np.uint8)[:-4])) == own
        else "damaged"
    )
