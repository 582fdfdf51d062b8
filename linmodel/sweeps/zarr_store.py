"""A sweep's Zarr store: made once, written chunk by chunk, resumed after any kill.

Every chunk carries Zarr's CRC-32C; what else is noted, and where, says `linmodel.sweeps.checksums`.
A chunk without its mark, or one that is not as it was marked, is computed and written again, byte
for byte the same.
"""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from linmodel.errors import InvalidInput, notice, refuse
from linmodel.files import (
    as_path,
    cannot_write,
    hold,
    require_writable,
    sweep_temporaries,
    temporary_name,
)
from linmodel.sweeps import checksums
from linmodel.sweeps.checksums import COMPLETE, MARKS, mark_name
from linmodel.sweeps.frame import attributes
from linmodel.sweeps.plan import KINDS, Column, Plan


def is_complete(path: str | Path, plan: Plan) -> bool:
    """Whether all of this sweep is there and unharmed: everything is read, nothing written.

    Raises InvalidInput where something else is there.
    """
    _zarr()
    path = as_path("out", path)
    if not path.exists():
        return False
    _require_same(path, plan)
    if not (path / COMPLETE).is_file() or checksums.harmed_frame_files(path, plan) != []:
        return False
    sums = checksums.marks(path)
    return all(
        checksums.is_whole(path, plan, block, sums.get(mark_name(block), ""))
        for block in plan.blocks()
    )


@contextmanager
def opened(path: str | Path, plan: Plan, frame: xr.Dataset) -> Iterator[set[str]]:
    """Make the store, or take up the one that is there, for this process alone.

    frame  the Dataset's coordinates and attributes, without the results
    Yields the names of the chunks that are whole. What is damaged is said and put right. Raises
    InvalidInput: no such folder, disk too small, not a sweep's store, another sweep's, or one that
    another process is writing.
    """
    path = as_path("out", path)
    if not path.exists():
        require_writable(path)
        _require_room(path, plan)
        _make(path, plan, frame)
    _require_same(path, plan)
    (path / "status").mkdir(exist_ok=True)
    with hold(path / "status"):  # not beside zarr.json: Zarr would wonder at the lock's file
        _sweep_up(path)
        _mend_frame(path, plan, frame)
        yield _whole_chunks(path, plan)


def write(
    path: str | Path, plan: Plan, block: tuple[slice, ...], results: dict[str, Column]
) -> None:
    """Write one chunk of every variable, then its mark. A full disk raises InvalidInput."""
    path = Path(path)
    shape = tuple(part.stop - part.start for part in block)
    try:
        sums = [
            checksums.write_chunk(
                checksums.chunk_file(path, plan, name, block),
                _whole_chunk(plan, results[name].reshape(*shape, *results[name].shape[1:])),
            )
            for name in plan.variables
        ]
        (path / MARKS / mark_name(block)).write_text(" ".join(sums), encoding="ascii")
    except OSError as error:
        raise InvalidInput(
            f"{path} cannot be written ({error.strerror or error}). The chunks that are whole stay"
            " readable; make room and run the same command again to go on."
        ) from error


def finish(path: str | Path) -> None:
    """Every chunk is there: turn the marks into one."""
    path = Path(path)
    checksums.write_complete(path, checksums.marks(path))
    shutil.rmtree(path / MARKS, ignore_errors=True)


def read(path: str | Path) -> xr.Dataset:
    """The store as a lazy Dataset. Chunks not yet computed read as NaN, codes as -1."""
    return xr.open_zarr(str(path), consolidated=False, mask_and_scale=False)


def _require_room(path: Path, plan: Plan) -> None:
    free = shutil.disk_usage(path.parent).free
    if plan.bytes > free:
        refuse(
            "size of the sweep",
            f"{plan.cells:,} cells, {plan.bytes:,} bytes",
            f"at most the {free:,} bytes free in {path.parent}",
            "Ask for fewer cells, times or variables, or name another folder.",
        )


def _make(path: Path, plan: Plan, frame: xr.Dataset) -> None:
    """Lay out the whole store in a folder beside it, then rename: there is no half-made store."""
    sweep_temporaries(path)
    making = temporary_name(path)
    try:
        _lay_out(making, plan, frame)
        making.rename(path)
    except OSError as error:
        if not path.is_dir():  # else another process was first, and its store serves as well
            raise cannot_write(path, error) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _whole_chunk(plan: Plan, values: Column) -> Column:
    """`values` as Zarr stores a chunk: one at the grid's edge is filled up with the fill value."""
    kind = values.dtype.newbyteorder("<")
    shape = plan.chunk + values.shape[len(plan.chunk) :]
    if values.shape == shape:
        return np.ascontiguousarray(values, kind)
    whole = np.full(shape, _fill_value(kind), kind)
    whole[tuple(slice(0, size) for size in values.shape)] = values
    return whole


def _fill_value(kind: np.dtype[Any]) -> float:
    return np.nan if kind.kind == "f" else -1


def _lay_out(path: Path, plan: Plan, frame: xr.Dataset) -> None:
    zarr = _zarr()
    checked = [zarr.codecs.Crc32cCodec()]
    plain: dict[str, dict[str, Any]] = {
        str(name): {"_FillValue": None, "compressors": checked} for name in frame.coords
    }
    frame.to_zarr(path, mode="w", consolidated=False, encoding=plain)
    group = zarr.open_group(str(path), mode="r+")
    for variable in plan.variables:
        curve = variable in plan.curves
        extra = ((len(plan.grid),), (plan.time_dim,)) if curve else ((), ())
        kind = KINDS.get(variable, np.dtype(float))
        array = group.create_array(
            variable,
            shape=plan.shape + extra[0],
            chunks=plan.chunk + extra[0],
            dtype=kind,
            compressors=checked,
            fill_value=_fill_value(kind),
            dimension_names=plan.dims + extra[1],
        )
        array.attrs.update(attributes(variable, plan.method))
    with warnings.catch_warnings():  # zarr's word that its third format does not ask for this
        warnings.simplefilter("ignore")
        zarr.consolidate_metadata(str(path))  # for xarray, which warns where it is missing
    (path / MARKS).mkdir()
    checksums.write_frame(path, plan)


def _require_same(path: Path, plan: Plan) -> None:
    allowed = "a new path, or the store of this same sweep"
    noted = checksums.read_frame(path)
    try:
        if noted is None:
            attrs = json.loads((path / "zarr.json").read_text())["attributes"]
            recorded = json.loads(attrs["fingerprint"])
        else:
            recorded = noted["fingerprint"]
        ours = plan.fingerprint()
        differing = [
            part for part in sorted(ours | recorded) if ours.get(part) != recorded.get(part)
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        refuse("out", str(path), allowed, "Name another.")
    if differing:
        says = f"It holds another sweep: {', '.join(differing)} differ. Name another path."
        refuse("out", str(path), allowed, says)


def _mend_frame(path: Path, plan: Plan, frame: xr.Dataset) -> None:
    """Put metadata and coordinates right where they are not as they were written."""
    harmed = checksums.harmed_frame_files(path, plan)
    if harmed == []:
        return
    what = "its list of checksums" if harmed is None else ", ".join(harmed)
    notice(f"{path}: {what} damaged or missing: written again.")
    sweep_temporaries(path)
    making = temporary_name(path)
    try:
        _lay_out(making, plan, frame)
        for name in checksums.frame_sums(making, plan) if harmed is None else harmed:
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (making / name).replace(path / name)
        checksums.write_frame(path, plan)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _whole_chunks(path: Path, plan: Plan) -> set[str]:
    """Names of the marked chunks that are as they were marked; the marks of the others go."""
    sums, whole = checksums.marks(path), {}
    for block in plan.blocks():
        name = mark_name(block)
        if name in sums and checksums.is_whole(path, plan, block, sums[name]):
            whole[name] = sums[name]
    complete = (path / COMPLETE).is_file() or not (path / MARKS).is_dir()
    lost = plan.chunks - len(whole) if complete else len(sums) - len(whole)
    if lost:
        notice(f"{path}: {lost} of {plan.chunks} chunks damaged or missing: computed again.")
    try:
        (path / MARKS).mkdir(exist_ok=True)
        for name in whole if complete else ():
            (path / MARKS / name).write_text(whole[name], encoding="ascii")
        for name in sums.keys() - whole.keys():
            (path / MARKS / name).unlink(missing_ok=True)
        (path / COMPLETE).unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error
    return set(whole)


def _sweep_up(path: Path) -> None:
    """Remove what a killed writer left unfinished."""
    for partial in path.rglob("*.partial"):
        partial.unlink(missing_ok=True)


def _zarr() -> Any:
    try:
        import zarr
    except ImportError as error:
        raise InvalidInput(
            "out needs the package zarr: pip install '.[sweep]' in this project's folder."
        ) from error
    return zarr
