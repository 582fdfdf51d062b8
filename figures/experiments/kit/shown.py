"""Figures of finished experiments, by name: `figure(name, folder)`, `finished(folder)`.

The project's own curves are in CURVES; `python -m realnet experiments --out DIR` makes one's own.
"""

from __future__ import annotations

import pkgutil
from datetime import datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import xarray as xr
from matplotlib.figure import Figure

import figures.experiments
from figures.experiments.kit import beside
from figures.experiments.kit.scales import honest
from figures.style import COLOURS
from linmodel.errors import refuse
from realnet.experiments.kit.results import load_result, read_manifest

CURVES = Path(figures.__path__[0]) / "curves"


@cache
def pages() -> dict[str, ModuleType]:
    """Experiment's name -> the module that shows it, in the order of their PLACE."""
    found = [
        import_module(module.name)
        for module in pkgutil.iter_modules(figures.experiments.__path__, "figures.experiments.")
        if not module.ispkg
    ]
    ordered = sorted(found, key=lambda one: one.PLACE)
    return {name: one for one in ordered for name in one.CAPTIONS}


def finished(folder: str | Path = CURVES) -> list[str]:
    """Names of the experiments in `folder` that can be drawn, in the order of the pages."""
    there = read_manifest(Path(folder))
    return [name for name in pages() if name in there]


def figure(name: str, folder: str | Path = CURVES) -> Figure:
    """The figure of the finished experiment `name`, with its date and device beneath it.

    Raises InvalidInput: unknown, not finished, or a file that is not the manifest's.
    """
    if name not in pages():
        refuse("figure of an experiment", name, "one of " + ", ".join(pages()))
    data = honest(load_result(folder, name))
    drawn = pages()[name].draw(data)
    quick = ", quick run" if '"quick": true' in data.attrs["configuration"] else ""
    note = f"{data.attrs['title']}. Made {day(data)} on {data.attrs['device']}{seeds(data)}"
    drawn.supxlabel(note + quick + ".", fontsize=8, color=COLOURS["reference"])
    return drawn


def beside_toy(folder: str | Path = CURVES) -> Figure:
    """Real arms on the left, the toy's on samples on the right: sharpness, and instability.

    Raises InvalidInput unless both `decisive_strong` and `toy_arms` are finished.
    """
    real, toy = (honest(load_result(folder, name)) for name in ("decisive_strong", "toy_arms"))
    return beside.beside_toy(real, toy)


def day(data: xr.Dataset) -> str:
    """ "2026-01-02": when a finished experiment was made."""
    return str(datetime.fromisoformat(data.attrs["created"]).date())


def seeds(data: xr.Dataset) -> str:
    """ ", 5 seeds", where an experiment has several."""
    return f", {data.sizes['seed']} seeds" if "seed" in data.sizes else ""
