"""Figures of the experiments on real networks: they show what is saved, and compute nothing.

`figure(name, folder)` draws one finished experiment; `finished(folder)` lists them. The project's
own curves are in CURVES; `python -m realnet experiments --out DIR` makes one's own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

from figures import experiment_arms as arms
from figures import experiment_networks as networks
from figures.style import COLOURS
from linmodel.errors import refuse
from realnet.experiments.results import load_result, read_manifest

CURVES = Path(__file__).resolve().parent / "curves"
DRAWERS: dict[str, Callable[[xr.Dataset], Figure]] = {
    "decisive_strong": arms.decisive,
    "decisive_weak": arms.decisive,
    "toy_arms": arms.toy_arms,
    "mechanism": arms.mechanism,
    "forecast": networks.forecast,
    "measured": networks.measured,
    "roles": networks.roles,
    "grokking": networks.grokking,
    "text": networks.text,
    "layers": networks.layers,
}


def finished(folder: str | Path = CURVES) -> list[str]:
    """Names of the experiments in `folder` that can be drawn, in the order of DRAWERS."""
    there = read_manifest(Path(folder))
    return [name for name in DRAWERS if name in there]


def figure(name: str, folder: str | Path = CURVES) -> Figure:
    """The figure of the finished experiment `name`, with its date and device beneath it.

    Raises InvalidInput: unknown, not finished, or a file that is not the manifest's.
    """
    if name not in DRAWERS:
        refuse("figure of an experiment", name, "one of " + ", ".join(DRAWERS))
    data = load_result(folder, name)
    drawn = DRAWERS[name](data)
    quick = ", quick run" if '"quick": true' in data.attrs["configuration"] else ""
    note = f"{data.attrs['title']}. Made {age(data.attrs['created'])} on {data.attrs['device']}"
    drawn.supxlabel(note + quick + ".", fontsize=8, color=COLOURS["reference"])
    return drawn


def beside_toy(folder: str | Path = CURVES) -> Figure:
    """Real arms on the left, the toy's on samples on the right: sharpness, and instability.

    Raises InvalidInput unless both `decisive_strong` and `toy_arms` are finished.
    """
    real, toy = (load_result(folder, name) for name in ("decisive_strong", "toy_arms"))
    return arms.beside_toy(real, toy)


def age(created: str, now: datetime | None = None) -> str:
    """ "2026-01-02 (3 days ago)" from an ISO date."""
    then = datetime.fromisoformat(created)
    days = ((now or datetime.now(UTC)) - then).days
    said = {0: "today", 1: "1 day ago"}.get(days, f"{days} days ago")
    return f"{then.date()} ({said})"
