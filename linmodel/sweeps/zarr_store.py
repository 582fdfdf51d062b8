"""A sweep's Zarr store: made once, written chunk by chunk, resumed after any kill.

In the folder of `status` lies `.chunks/`, one empty file for each chunk that is whole in every
variable. A chunk without its mark is computed and written again, byte for byte the same; when all
are marked the folder gives way to one file `.complete`.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from linmodel.errors import InvalidInput, refuse
from linmodel.files import require_writable
from linmodel.sweeps.frame import attributes
from linmodel.sweeps.grid import KINDS, Column, Plan

MARKS, COMPLETE = "status/.chunks", "status/.complete"


def open_store(path: str | Path, plan: Plan, frame: xr.Dataset) -> set[str]:
    """Make the store, or take up the one that is there. Returns the names of the chunks it holds.

    frame  the Dataset's coordinates and attributes, without the results
    Raises InvalidInput: no such folder, disk too small, not a sweep's store, or another sweep's.
    """
    _zarr()
    path = Path(path)
    if path.exists():
        _require_same(path, plan)
        if (path / COMPLETE).exists():
            return {mark_name(block) for block in plan.blocks()}
        _sweep_up(path)
        if not (path / MARKS).is_dir():
            shutil.rmtree(path)
            return open_store(path, plan, frame)
        return {mark.name for mark in (path / MARKS).iterdir()}
    require_writable(path)
    free = shutil.disk_usage(path.parent).free
    if plan.bytes > free:
        refuse(
            "size of the sweep",
            f"{plan.cells:,} cells, {plan.bytes:,} bytes",
            f"at most the {free:,} bytes free in {path.parent}",
            "Ask for fewer cells, times or variables, or name another folder.",
        )
    _make(path, plan, frame)
    return set()


def mark_name(block: tuple[slice, ...]) -> str:
    """File name of a chunk's mark: its first cell along each dimension."""
    return "-".join(str(part.start) for part in block)


def write(
    path: str | Path, plan: Plan, block: tuple[slice, ...], results: dict[str, Column]
) -> None:
    """Write one chunk of every variable, then its mark. A full disk raises InvalidInput."""
    group = _zarr().open_group(str(path), mode="r+")
    shape = tuple(part.stop - part.start for part in block)
    try:
        for variable, values in results.items():
            rest = values.shape[1:]
            where = (*block, *(slice(0, size) for size in rest))
            group[variable][where] = values.reshape(*shape, *rest)
        (Path(path) / MARKS / mark_name(block)).touch()
    except OSError as error:
        raise InvalidInput(
            f"{path} cannot be written ({error.strerror or error}). The chunks that are whole stay"
            " readable; make room and run the same command again to go on."
        ) from error


def finish(path: str | Path) -> None:
    """Every chunk is there: turn the marks into one."""
    path = Path(path)
    (path / COMPLETE).touch()
    shutil.rmtree(path / MARKS, ignore_errors=True)


def read(path: str | Path) -> xr.Dataset:
    """The store as a lazy Dataset. Chunks not yet computed read as NaN, codes as -1."""
    return xr.open_zarr(str(path), consolidated=False, mask_and_scale=False)


def _make(path: Path, plan: Plan, frame: xr.Dataset) -> None:
    """Lay out the whole store in a folder beside it, then rename: there is no half-made store."""
    making = path.with_name(f".{path.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    plain: dict[str, dict[str, Any]] = {str(name): {"_FillValue": None} for name in frame.coords}
    frame.to_zarr(making, mode="w", consolidated=False, encoding=plain)
    group = _zarr().open_group(str(making), mode="r+")
    for variable in plan.variables:
        curve = variable in plan.curves
        extra = ((len(plan.grid),), (plan.time_dim,)) if curve else ((), ())
        kind = KINDS.get(variable, np.dtype(float))
        array = group.create_array(
            variable,
            shape=plan.shape + extra[0],
            chunks=plan.chunk + extra[0],
            dtype=kind,
            compressors=None,
            fill_value=np.nan if kind.kind == "f" else -1,
            dimension_names=plan.dims + extra[1],
        )
        array.attrs.update(attributes(variable, plan.method))
    (making / MARKS).mkdir()
    making.rename(path)


def _require_same(path: Path, plan: Plan) -> None:
    try:
        recorded = json.loads((path / "zarr.json").read_text())["attributes"]["fingerprint"]
        recorded = json.loads(recorded)
    except (OSError, ValueError, KeyError, TypeError):
        refuse("out", str(path), "a new path, or the store of this same sweep", "Name another.")
    ours = plan.fingerprint()
    differing = [part for part in sorted(ours | recorded) if ours.get(part) != recorded.get(part)]
    if differing:
        refuse(
            "out",
            str(path),
            "a new path, or the store of this same sweep",
            f"It holds another sweep: {', '.join(differing)} differ. Name another path.",
        )


def _sweep_up(path: Path) -> None:
    """Remove what a killed writer left unfinished."""
    for partial in path.rglob("*.partial"):
        partial.unlink(missing_ok=True)


def _zarr() -> Any:
    try:
        import zarr
    except ImportError as error:
        raise InvalidInput(
            "out needs the package zarr: pip install 'opposing-signals[sweep]'."
        ) from error
    return zarr
