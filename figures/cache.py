"""Saved data of a figure: NetCDF files plus a manifest that says how they were made.

A figure's data are computed once per configuration and source text; an interrupted report finds
what was finished and computes the rest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import xarray as xr

from figures.dependence import data_fingerprint
from figures.options import Work
from linmodel.arguments import typed
from linmodel.errors import InvalidInput
from linmodel.files import hold, write_text
from linmodel.store import load, save, versions

Datasets = dict[str, xr.Dataset]
MANIFEST = "manifest.json"


class Unavailable(Exception):
    """A part that cannot be computed here: the message says what to install or to make."""


def need_torch(what: str) -> None:
    """Raises Unavailable where torch is missing."""
    if find_spec("torch") is None:
        raise Unavailable(
            f"{what} needs torch. Install the extra realnet: "
            "pip install '.[realnet]' in this project's folder."
        )


@typed
def cached(
    folder: Path, name: str, settings: dict, source: str, compute: Callable[[], Datasets]
) -> Datasets:
    """`compute()`'s Datasets, from `folder` when its manifest matches, else computed and saved.

    The manifest matches when settings, versions and `source` (a digest of the source text that the
    data depend on) are the same and each file has the recorded SHA-256. Files are `NAME.KEY.nc`.
    """
    wanted = {
        "settings": json.loads(json.dumps(settings)),
        "versions": versions(),
        "source": source,
    }
    found = _load(folder, name, wanted)
    if found is not None:
        return found
    folder.mkdir(parents=True, exist_ok=True)
    with hold(folder, name, wait=True):  # another process may be computing the same
        found = _load(folder, name, wanted)
        if found is not None:
            return found
        datasets = compute()
        files = {}
        for key, dataset in datasets.items():
            path = save(dataset, folder / f"{name}.{key}.nc")
            files[key] = {"file": path.name, "sha256": _sha256(path)}
        created = datetime.now(UTC).isoformat(timespec="seconds")
        entry = {**wanted, "created": created, "files": files}
        with hold(folder, MANIFEST, wait=True):
            manifest = read_manifest(folder) | {name: entry}
            write_text(folder / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True))
    return datasets


@typed
def figure_data(module: Any, work: Work) -> Datasets:
    """The Datasets of a figure's module, computed or from the cache. Raises Unavailable."""
    chosen = work.options.as_dict()
    settings = {name: chosen[name] for name in module.OPTIONS}
    source = data_fingerprint(module.__name__)
    return cached(work.folder, module.NAME, settings, source, lambda: module.compute(work))


@typed
def read_manifest(folder: Path) -> dict:
    """The manifest's entries that are whole; none when there is no manifest or it is damaged."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    entries = found.items() if isinstance(found, dict) else ()
    return {name: entry for name, entry in entries if _is_entry(entry)}


def _is_entry(entry: object) -> bool:
    """What `cached` wrote: a date, and at least one file, a plain name, with its checksum."""
    if not isinstance(entry, dict) or not isinstance(entry.get("created"), str):
        return False
    files = entry.get("files")
    return isinstance(files, dict) and bool(files) and all(map(_is_record, files.values()))


def _is_record(record: object) -> bool:
    if not isinstance(record, dict) or not isinstance(record.get("sha256"), str):
        return False
    file = record.get("file")
    return isinstance(file, str) and "\0" not in file and Path(file).name == file


def _load(folder: Path, name: str, wanted: dict) -> Datasets | None:
    entry = read_manifest(folder).get(name)
    if entry is None or any(entry.get(key) != value for key, value in wanted.items()):
        return None
    datasets = {}
    for key, record in entry["files"].items():
        if record["file"] != f"{name}.{key}.nc":
            return None
        path = folder / record["file"]
        if not path.is_file() or _sha256(path) != record["sha256"]:
            return None
        try:
            datasets[key] = load(path)
        except InvalidInput:
            return None
    return datasets


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
