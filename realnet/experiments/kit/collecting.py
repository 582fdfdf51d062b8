"""Runs of several arms and seeds into one Dataset. No torch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr

from realnet.experiments.kit.definition import Runs

Numbers = Callable[[xr.Dataset], dict[str, float]]


def arms_of(runs: Runs) -> tuple[list[str], list[int]]:
    """Names of arms and seeds, in the order in which they were given."""
    return list(dict.fromkeys(arm for arm, _ in runs)), sorted({seed for _, seed in runs})


def table(runs: Runs, numbers: Numbers, about: dict[str, str]) -> xr.Dataset:
    """`numbers` of each run on (arm, seed); NaN where an arm lacks a seed. `about`: long names."""
    arms, seeds = arms_of(runs)
    found = {name: np.full((len(arms), len(seeds)), np.nan) for name in about}
    diverged = np.zeros((len(arms), len(seeds)), dtype=np.int8)
    for (arm, seed), run in runs.items():
        at = arms.index(arm), seeds.index(seed)
        diverged[at] = run.attrs["status"] == "diverged"
        for name, value in numbers(run).items():
            found[name][at] = value
    variables = {
        name: (("arm", "seed"), values, {"units": "1", "long_name": about[name]})
        for name, values in found.items()
    }
    variables["diverged"] = (("arm", "seed"), diverged, {"units": "1", "long_name": "1: diverged"})
    return xr.Dataset(variables, {"arm": arms, "seed": seeds})


def edge_attrs(runs: Runs) -> dict[str, float]:
    """What `realnet.bridge.threshold.level` reads, of the first run: arms have one optimiser."""
    first = next(iter(runs.values())).attrs
    return {name: first[name] for name in ("two_over_eta", "threshold") if name in first}


def curves(runs: Runs, names: tuple[str, ...], on: str = "time") -> xr.Dataset:
    """Curves of all runs on (arm, seed, index): NaN after a run's end; `on` itself among them."""
    arms, seeds = arms_of(runs)
    longest = max(run.sizes[on] for run in runs.values())
    first = next(iter(runs.values()))
    data = xr.Dataset(coords={"arm": arms, "seed": seeds})
    for name in (on, *names):
        values = np.full((len(arms), len(seeds), longest), np.nan, dtype=np.float32)
        for (arm, seed), run in runs.items():
            if name in run:
                own = run[name].values
                values[arms.index(arm), seeds.index(seed), : len(own)] = own
        attrs = {
            "units": first[name].attrs.get("units", "1") if name in first else "1",
            "long_name": first[name].attrs.get("long_name", name) if name in first else name,
        }
        data[name if name != on else "at_time"] = (("arm", "seed", f"{on}_index"), values, attrs)
    return data
