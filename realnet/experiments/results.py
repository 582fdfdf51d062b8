"""Finished experiments in a folder: what is there, and loading it. No torch."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import xarray as xr

from linmodel import store
from linmodel.errors import InvalidInput, refuse

MANIFEST = "manifest.json"


def read_manifest(folder: Path) -> dict[str, dict]:
    """NAME -> how it was made; empty where there is none or it cannot be read."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def sha256(path: Path) -> str:
    """Of the file's bytes, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_result(folder: str | Path, name: str) -> xr.Dataset:
    """The finished experiment `name`; attribute `created` says when it was made.

    Raises InvalidInput: not in the manifest (not run, or interrupted), missing, or changed since.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    if name not in manifest:
        there = ", ".join(sorted(manifest)) or "none"
        refuse(
            "experiment",
            name,
            f"a finished one of {folder} ({there})",
            f"Run: python -m realnet experiments {name}.",
        )
    entry = manifest[name]
    path = folder / entry["file"]
    if not path.is_file() or sha256(path) != entry["sha256"]:
        raise InvalidInput(
            f"{path} is missing or is not the file that {MANIFEST} describes. "
            f"Run: python -m realnet experiments {name}."
        )
    data = store.load(path)
    data.attrs |= {"created": entry["created"], "device": entry["device"]}
    return data
