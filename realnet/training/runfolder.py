"""The folder of a training run: config.json, curves.nc, checkpoint.pt. Needs no torch.

config.json names the format and its version, the configuration (seed inside) and the versions of
the packages. curves.nc holds the curves so far. checkpoint.pt is written and read by
`realnet.training.train` only. Each file is written whole or not at all; curves and checkpoint carry
their SHA-256, and the checkpoint that of the configuration. `.lock` keeps a second process out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import xarray as xr

from linmodel import store
from linmodel.arguments import typed
from linmodel.errors import InvalidInput, refuse
from linmodel.files import as_path, cannot_write, hold, write_text

FORMAT = "opposing-signals run"
VERSION = 2
CONFIG, CURVES, CHECKPOINT = "config.json", "curves.nc", "checkpoint.pt"
# The two run folders inside the folder of a pair.
SMALL, SECOND = "small", "second"


@typed
def check_run(path: str | Path, configuration: dict[str, object]) -> Path:
    """The folder: a run of this configuration (to resume), or a place where one can be made.

    Writes nothing. Raises InvalidInput where it holds another configuration, or something else.
    """
    folder = as_path("run folder", path)
    if (folder.exists() or folder.is_symlink()) and not folder.is_dir():
        refuse("run folder", str(folder), "a folder, or a new name", "It is a file or a dead link.")
    if (folder / CONFIG).is_file():
        _same(folder, read_config(folder)["configuration"], configuration)
        return folder
    if folder.is_dir() and any(not entry.name.startswith(".") for entry in folder.iterdir()):
        refuse("run folder", str(folder), "a new or empty folder, or a run folder", "Name another.")
    if not folder.parent.is_dir():
        refuse("run folder", str(folder), "a name inside an existing folder", "Create its parent.")
    return folder


@contextmanager
def opened(path: str | Path, configuration: dict[str, object]) -> Iterator[Path]:
    """The folder, made with its config.json where it is not there yet, for this process alone.

    Raises InvalidInput as `check_run` does, and where another process works in it.
    """
    folder = as_path("run folder", path)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    with hold(folder):
        check_run(folder, configuration)
        if not (folder / CONFIG).is_file():
            _write_config(folder, configuration)
        yield folder


@typed
def fingerprint(folder: Path) -> str:
    """SHA-256 of the configuration in the folder: what binds a checkpoint to its run."""
    text = json.dumps(read_config(folder)["configuration"], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _write_config(folder: Path, configuration: dict[str, object]) -> None:
    content = {
        "format": FORMAT,
        "version": VERSION,
        "configuration": configuration,
        "versions": store.versions(),
    }
    write_text(folder / CONFIG, json.dumps(content, indent=1, sort_keys=True) + "\n")


def _same(folder: Path, there: dict[str, object], asked: dict[str, object]) -> None:
    keys = sorted(set(there) | set(asked))
    differing = [
        f"{key}: {there.get(key)!r} there, {asked.get(key)!r} asked"
        for key in keys
        if there.get(key) != asked.get(key)
    ]
    if differing:
        raise InvalidInput(
            f"run folder {str(folder)!r} holds a run of another configuration "
            f"({'; '.join(differing)}). Name another folder, or ask for the same configuration."
        )


@typed
def read_config(path: str | Path) -> dict:
    """config.json's content. Raises InvalidInput: missing, truncated, foreign, other version."""
    folder = as_path("run folder", path)
    file = folder / CONFIG
    if not folder.is_dir():
        refuse("run folder", str(folder), "an existing run folder", "Make it: realnet train --out.")
    if not file.is_file():
        refuse("run folder", str(folder), f"a folder with {CONFIG} in it, as realnet train makes")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(
            f"{file} cannot be read ({error}): it is truncated or damaged. Train again."
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        refuse(f"{file}", "another format", f"a file of format {FORMAT!r}")
    if content.get("version") != VERSION:
        refuse(
            f"version of {folder}",
            content.get("version"),
            f"version {VERSION}",
            "Train again, or read it with the version of this package that wrote it.",
        )
    if not isinstance(content.get("configuration"), dict):
        refuse(f"{file}", "no configuration", "a configuration", "Train again.")
    return content


@typed
def runs_of(path: str | Path) -> tuple[Path, Path | None]:
    """The small run and the second where `path` is the folder of a pair; else `path` alone.

    Raises InvalidInput for a pair whose second run is not there yet.
    """
    folder = Path(path)
    small, second = folder / SMALL, folder / SECOND
    if (folder / CONFIG).exists() or not (small / CONFIG).is_file():
        return folder, None
    if not (second / CURVES).is_file():
        refuse("pair of runs", f"{folder} without {SECOND}", "both runs", "Resume `train --pair`.")
    return small, second


@typed
def load_run(path: str | Path) -> xr.Dataset:
    """The curves of a run, finished or not (attribute `status`), dimension time = step size x step.

    Raises InvalidInput when the folder is missing, not a run, truncated, or of another version.
    """
    folder = Path(path)
    read_config(folder)
    if not (folder / CURVES).is_file():
        refuse(
            "run folder",
            str(folder),
            f"a folder with {CURVES} in it",
            "The run stopped before its first evaluation: resume it with the same command.",
        )
    curves = store.load(folder / CURVES)
    if "time" not in curves.dims or "sharpness" not in curves:
        refuse(f"{folder / CURVES}", list(curves.data_vars), "curves with sharpness over time")
    return curves
