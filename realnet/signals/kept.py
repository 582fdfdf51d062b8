"""Evidence among a run's curves and out of them again: one file holds both. No torch."""

from __future__ import annotations

import xarray as xr

from linmodel.errors import InvalidInput

PREFIX = "evidence_"


def with_evidence(curves: xr.Dataset, evidence: xr.Dataset) -> xr.Dataset:
    """`curves` and all of `evidence`, its names and dimensions prefixed."""
    names = {str(name): f"{PREFIX}{name}" for name in (*evidence.variables, *evidence.dims)}
    return curves.merge(evidence.rename(names), combine_attrs="override")


def kept_evidence(curves: xr.Dataset) -> xr.Dataset:
    """The evidence in `curves`. Raises InvalidInput where there is none."""
    own = [name for name in curves.variables if str(name).startswith(PREFIX)]
    if not own:
        raise InvalidInput("these curves hold no evidence: train with --observe evidence_kept.")
    found = curves[own]
    found = found.drop_vars([name for name in found.coords if name not in own])
    names = {name: str(name).removeprefix(PREFIX) for name in (*found.variables, *found.dims)}
    attrs = {name: curves.attrs[name] for name in ("step_size", "status")}
    return found.rename(names).assign_attrs(attrs)
