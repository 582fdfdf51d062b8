"""Saving and loading: whole files or nothing, with the configuration and versions inside."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path

import xarray as xr

from linmodel.errors import InvalidInput, refuse

PACKAGES = ("opposing-signals", "numpy", "scipy", "xarray", "torch")


@cache
def versions() -> dict[str, str]:
    """Version of Python and of each installed package that a result may depend on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def provenance(**configuration: object) -> dict[str, str]:
    """Dataset attributes `configuration` and `versions`, both JSON texts."""
    return {
        "configuration": json.dumps(configuration, sort_keys=True),
        "versions": json.dumps(versions(), sort_keys=True),
    }


def configuration(dataset: xr.Dataset) -> dict:
    """The configuration that `provenance` wrote into a Dataset."""
    return json.loads(dataset.attrs["configuration"])


def require_writable(path: str | Path) -> Path:
    """`path` if a file can be put there, else InvalidInput: ask before the work, not after it."""
    path = Path(path)
    folder = path.parent
    if not folder.is_dir():
        refuse("output folder", str(folder), "an existing folder", "Create it, or name another.")
    if not os.access(folder, os.W_OK):
        refuse("output folder", str(folder), "a folder you may write in")
    if path.is_dir():
        refuse("output file", str(path), "a file name", "It is a folder: name a file inside it.")
    return path


def write_whole(path: str | Path, write: Callable[[Path], object]) -> Path:
    """Call `write(temporary)` beside `path`, then rename: a reader never sees half a file.

    Raises InvalidInput where the folder is missing or cannot be written, before `write` is called;
    and where the file system refuses (a full disk, too long a name).
    """
    path = require_writable(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        os.replace(temporary, path)
    except OSError as error:
        reason = f"cannot be written ({error.strerror or error})"
        raise InvalidInput(f"output file {str(path)!r} {reason}. Name another.") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return path


def write_text(path: str | Path, text: str) -> Path:
    """Write a text file whole or not at all."""
    return write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def save(dataset: xr.Dataset, path: str | Path) -> Path:
    """Write a Dataset as NetCDF-4, whole or not at all. Raises InvalidInput (see write_whole)."""
    return write_whole(path, lambda temporary: dataset.to_netcdf(temporary, engine="h5netcdf"))


def load(path: str | Path) -> xr.Dataset:
    """Read a NetCDF file into memory. Raises InvalidInput when missing, truncated or foreign."""
    path = Path(path)
    if not path.is_file():
        refuse("file", str(path), "an existing NetCDF file")
    try:
        return xr.load_dataset(path, engine="h5netcdf")
    except Exception as error:  # h5py, h5netcdf and xarray each raise their own kinds
        raise InvalidInput(
            f"{path} cannot be read as NetCDF ({error});"
            " it is truncated or not NetCDF. Make it again."
        ) from error
