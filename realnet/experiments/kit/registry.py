"""All experiments by name, found in the modules of realnet/experiments, by their place."""

from __future__ import annotations

import pkgutil
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path

import xarray as xr

import realnet.experiments
from linmodel.errors import integer, refuse
from realnet.experiments.kit.definition import Experiment, Scale
from realnet.training.train import train


@cache
def experiments() -> dict[str, Experiment]:
    """Name -> experiment, of every module that has EXPERIMENTS."""
    found: list[Experiment] = []
    for module in pkgutil.iter_modules(realnet.experiments.__path__, "realnet.experiments."):
        if not module.ispkg:
            found += getattr(import_module(module.name), "EXPERIMENTS", ())
    return {one.name: one for one in sorted(found, key=lambda one: (one.place, one.name))}


def chosen(names: list[str]) -> list[Experiment]:
    """Those named, all where none is. Raises InvalidInput on an unknown name (lists all)."""
    there = experiments()
    for name in names:
        if name not in there:
            refuse("experiment", name, "one of " + ", ".join(there))
    return [there[name] for name in names or there]


def rerun(
    name: str, arm: str, seed: int, out: str | Path | None = None, scale: Scale | None = None
) -> xr.Dataset:
    """The curves of one arm of the experiment `name` with any `seed`; a run folder with `out`.

    Raises InvalidInput: unknown experiment or arm (lists all), a bad seed, a folder that holds
    another run.
    """
    configs = chosen([name])[0].configs(scale or Scale())
    arms = {key[0]: config for key, config in reversed(configs.items())}
    if arm not in arms:
        refuse("arm", arm, "one of " + (", ".join(reversed(arms)) or f"none: {name} has no runs"))
    return train(replace(arms[arm], seed=integer("seed", seed, low=0)), out=out)
