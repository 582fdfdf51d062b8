"""Finished experiments in a folder: what is there, and loading it. No torch."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import xarray as xr

from linmodel import store
from linmodel.arguments import typed
from linmodel.errors import InvalidInput, refuse

MANIFEST = "manifest.json"


@typed
def read_manifest(folder: Path) -> dict[str, dict]:
    """NAME -> how it was made; without entries that are damaged, empty where it is unreadable."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    entries = found.items() if isinstance(found, dict) else ()
    return {name: entry for name, entry in entries if _is_entry(name, entry)}


def _is_entry(name: str, entry: object) -> bool:
    texts = ("file", "sha256", "created", "device", "title")
    if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str) for key in texts):
        return False
    return entry["file"] == f"{name}.nc" and isinstance(entry.get("configuration"), dict)


@typed
def sha256(path: Path) -> str:
    """Of the file's bytes, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@typed
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
