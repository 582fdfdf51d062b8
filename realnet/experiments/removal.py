"""Causes: a run again without its opposing groups, against samples like them left out.

What is compared, and how it is judged, was written down before the runs: preregistration.toml.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from realnet.bridge.curve import rise_time
from realnet.bridge.threshold import level, levels
from realnet.config import TrainConfig
from realnet.experiments.branching import FOLDER, judged, registered
from realnet.experiments.decisive import DIALS
from realnet.experiments.kit.collecting import arms_of
from realnet.experiments.kit.definition import Configs, Experiment, Runs, Scale
from realnet.observers.removal import ARMS, DOSES, STATUS
from realnet.signals.permutations import holm

PLAN: Mapping[str, Any] = registered("removal")
Cell = Mapping[str, Any]
# Step sizes by trial on seed 100: the untouched run reaches 2/eta, later than at once.
PLANTED: Mapping[str, Cell] = {
    "mlp tanh cross-entropy": {"activation": "tanh", "step_size": 0.13},
}
NATURAL: Mapping[str, Cell] = {
    "mlp relu cross-entropy": {"activation": "relu", "step_size": 0.2},
    "cnn relu cross-entropy": {
        "net": "cnn",
        "width": 8,
        "activation": "relu",
        "step_size": 0.2,
    },
    "mlp relu mse": {"activation": "relu", "loss": "mse", "step_size": 0.14},
}


@dataclass(frozen=True)
class Settings:
    """Data; cell -> what its runs have of their own; what every run has."""

    data: str = "planted"
    dials: Mapping[str, Any] = field(default_factory=lambda: dict(DIALS["strong"]))
    cells: Mapping[str, Cell] = field(default_factory=lambda: dict(PLANTED))
    size: int = 200
    width: int = 40
    steps: int = 120
    every: int = 10
    seeds: int = PLAN["seeds"]
    resamples: int = PLAN["resamples"]


def configs(settings: Settings, scale: Scale) -> Configs:
    """Every cell and seed: the first run, whose observer makes it again without samples."""
    found: Configs = {}
    for cell, fields in settings.cells.items():
        for seed in scale.seeds(settings.seeds):
            own: dict[str, Any] = {"net": "mlp", "loss": "cross-entropy", "width": settings.width}
            config = TrainConfig(
                data=settings.data, dials=settings.dials, size=settings.size, depth=2,
                steps=settings.steps, every=settings.every, tolerance=3e-2, seed=seed,
                observe=("removal", "measures"), **own | dict(fields),
            )  # fmt: skip
            found[cell, seed] = scale.scaled(config)
    return found


def outcomes(run: xr.Dataset, group: str) -> NDArray:
    """PLAN's outcomes of every arm, (arm, outcome); NaN where it diverged or was not made."""
    found = np.full((len(ARMS), len(PLAN["outcomes"])), np.nan)
    if group not in run.get("removal_group", ()):
        return found
    time, edge = run.time.values, levels(run)
    early = run.step.values <= run.step.values[-1] / 4
    for i, arm in enumerate(ARMS):
        own = run.sel(removal_group=group, without=arm)
        sharpness, loss = own.removal_sharpness.values / edge, own.removal_loss.values
        if not (np.isfinite(sharpness).all() and np.isfinite(loss).all()):
            continue
        reached = 0.0 if sharpness[0] >= 1 else rise_time(time, sharpness, 1.0)
        found[i] = (
            1.0 if np.isnan(reached) else reached / time[-1],
            sharpness[early].mean(),
            max(0.0, np.diff(loss).max()),
            own.removal_own.values.sum() / own.removal_all.values.sum(),
        )
    return found


def likeness(run: xr.Dataset, group: str) -> NDArray:
    """Of what an arm leaves out, (arm, 3): early loss and gradient norm over the members', means;
    share that are members."""
    found = np.full((len(ARMS), 3), np.nan)
    if group not in run.get("removal_group", ()):
        return found
    taken = run.removal_taken.sel(removal_group=group).values > 0
    members = taken[ARMS.index(PLAN["primary"])]
    for i, out in enumerate(taken):
        if out.any():
            for j, name in enumerate(("early_loss", "early_gradient")):
                found[i, j] = run[name].values[out].mean() / run[name].values[members].mean()
            found[i, 2] = members[out].mean()
    return found


def collect(runs: Runs, settings: Settings, _scale: Scale) -> xr.Dataset:
    """Outcomes on (cell, seed, group, without, outcome), judged as registered; sharpness curves."""
    cells, seeds = arms_of(runs)
    groups = list(PLAN["groups"])
    rows = {cell: [runs[cell, seed] for seed in seeds] for cell in cells}

    def gathered(measure) -> NDArray:
        return np.array([[[measure(r, g) for g in groups] for r in rows[c]] for c in cells])

    coords = {"cell": cells, "seed": seeds, "group": groups, "without": list(ARMS)}
    data = xr.Dataset(coords=coords | {"outcome": list(PLAN["outcomes"])})
    dims = ("cell", "seed", "group", "without")
    data["value"] = ((*dims, "outcome"), gathered(outcomes), _about("outcome of the arm"))
    data["likeness"] = ((*dims, "of"), gathered(likeness), _about("of what is left out"))
    data = data.assign_coords(of=["loss over members'", "gradient over members'", "members"])
    words = list(STATUS)
    status = gathered(lambda run, group: words.index(run.attrs[f"removal_{group}"]))
    kind = {"units": "1", "flag_values": list(range(len(words))), "flag_meanings": " ".join(words)}
    data["status"] = (dims[:3], status, kind)
    data["diverged"] = (
        dims[:2],
        [[r.attrs["status"] == "diverged" for r in rows[c]] for c in cells],
    )
    _judge(data, settings.resamples)
    for name in ("sharpness", "time"):
        first = [rows[cell][0][name].values for cell in cells]
        data[f"first_{name}"] = (("cell", "evaluation"), np.array(first), _about(f"{name}, seed 0"))
    edges = [level(rows[cell][0].attrs) for cell in cells]
    data["two_over_eta"] = ("cell", edges, {"units": "1 / time", "long_name": "threshold (2/eta)"})
    return data.assign_attrs(data=settings.data)


def _about(text: str) -> dict[str, str]:
    return {"units": "1", "long_name": text}


def _judge(data: xr.Dataset, resamples: int) -> None:
    """change (less untouched), primary (all members less a control, with p) and trend (per dose),
    each _mean, _low, _high over seeds."""
    value = data.value
    doses = value.sel(without=["untouched", *DOSES])
    steps = np.array([0.0, *DOSES.values()])
    slope = ((steps - steps.mean()) / ((steps - steps.mean()) ** 2).sum())[:, None]
    own = value.sel(without=PLAN["primary"], drop=True)
    against = value.sel(without=list(PLAN["controls"])).rename(without="control")
    parts = {
        "change": value - value.sel(without="untouched", drop=True),
        "primary": (own - against).transpose("cell", "seed", "group", "control", "outcome"),
        "trend": (doses * xr.DataArray(slope, dims=("without", "_"))).sum("without", skipna=False)
        .isel(_=0),
    }  # fmt: skip
    for name, part in parts.items():
        ordered = part.transpose("seed", ...)
        ends, p = judged(ordered.values, resamples)
        for end, table in zip(("mean", "low", "high"), ends, strict=True):
            data[f"{name}_{end}"] = (ordered.dims[1:], table, _about(f"{name} over seeds, {end}"))
        if name == "primary":
            data["primary_p"] = (ordered.dims[1:], _corrected(p), _about("sign-flip p, Holm"))
            data.coords["control"] = list(PLAN["controls"])


def _corrected(p: NDArray) -> NDArray:
    """Holm over controls and outcomes, within (cell, group)."""
    return np.array([[holm(group) for group in cell] for cell in p])


def _experiment(name: str, what: str, place: int, **settings: Any) -> Experiment:
    return Experiment(
        name=f"removal_{name}",
        title=f"Without the opposing groups, and without samples like them: {what}",
        statements=("S11", "S14"),
        settings=Settings(**settings),
        plan=configs,
        gather=collect,
        place=place,
    )


EXPERIMENTS = (
    _experiment("planted", "planted groups", 22),
    _experiment(
        "natural", "natural images", 102, data="folder",
        dials={"path": FOLDER, "side": 16}, cells=NATURAL, steps=80, every=8,
    ),
)  # fmt: skip
