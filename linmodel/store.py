"""Saving and loading Datasets: whole and checked, with the configuration and versions inside."""

from __future__ import annotations

import io
import json
import platform
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import xarray as xr

from linmodel.arguments import typed
from linmodel.errors import LONGEST, InvalidInput, refuse
from linmodel.files import (
    as_path,
    is_sealed,
    require_writable,
    seal,
    unseal,
    write_bytes,
    write_text,
)

__all__ = [
    "configuration",
    "load",
    "provenance",
    "require_writable",
    "save",
    "versions",
    "write_text",
]

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


@typed
def configuration(dataset: xr.Dataset) -> dict[str, Any]:
    """The configuration that `provenance` wrote into a Dataset. Raises InvalidInput without one."""
    if "configuration" not in dataset.attrs:
        allowed = "attribute configuration, as this package's results have it"
        refuse("attributes of the Dataset", sorted(map(str, dataset.attrs)), allowed)
    return json.loads(dataset.attrs["configuration"])


@typed
def save(dataset: xr.Dataset, path: str | Path) -> Path:
    """Write a Dataset as NetCDF-4, whole or not at all, its SHA-256 behind its last byte.

    Raises InvalidInput as `linmodel.files.write_bytes` does; the bytes are made in memory, so a
    full disk meets a plain write.
    """
    require_writable(path)
    return write_bytes(path, seal(dataset.to_netcdf(engine="h5netcdf")))


def load(path: str | Path) -> xr.Dataset:
    """Read a NetCDF file, version 3 or 4, into memory; times stay numbers as they are written.

    Raises InvalidInput when it is missing, truncated, foreign, or not what `save` wrote.
    """
    path = as_path("file", path)
    if not path.is_file():
        refuse("file", str(path), "an existing NetCDF file")
    try:
        content = path.read_bytes()
    except OSError as error:
        refuse("file", str(path), "a file that can be read", f"({error.strerror or error})")
    if is_sealed(content) and unseal(content) is None:
        raise InvalidInput(
            f"{path} is not what was written: its checksum differs, it is damaged. Make it again."
        )
    engine: Literal["scipy", "h5netcdf"] = "scipy" if content[:3] == b"CDF" else "h5netcdf"
    try:
        # Times as numbers: a unit such as "s" is one of the curve's own, not of a calendar.
        return xr.load_dataset(
            io.BytesIO(content), engine=engine, decode_times=False, decode_timedelta=False
        )
    except Exception as error:  # h5py, h5netcdf, SciPy and xarray each raise their own kinds
        raise InvalidInput(
            f"{path} cannot be read as NetCDF ({' '.join(str(error).split())[:LONGEST]});"
            " it is truncated or not NetCDF. Make it again."
        ) from error
