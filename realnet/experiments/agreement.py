"""Is it the opposition? Planted groups of two labels against the same pictures with one label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import xarray as xr

from realnet.bridge.threshold import levels
from realnet.experiments.decisive import DIALS
from realnet.experiments.kit.collecting import curves, edge_attrs, table
from realnet.experiments.kit.definition import Configs, Experiment, Runs, Scale, planted_mlp
from realnet.experiments.kit.instability import INSTABILITY, instability, with_intervals

ARMS = {"two labels": "untouched", "one label": "agreed"}
NUMBERS = INSTABILITY | {
    "largest_sharpness": "largest sharpness in the run, over 2/eta",
    "late_sharpness": "mean sharpness in the last half, over 2/eta",
}


@dataclass(frozen=True)
class Settings:
    """Strength of the planted groups, and the runs."""

    dials: Mapping[str, float] = field(default_factory=lambda: dict(DIALS["strong"]))
    step_size: float = 0.1
    steps: int = 1000
    seeds: int = 5


def configs(settings: Settings, scale: Scale) -> Configs:
    """Both arms on the same pictures."""
    return {
        (name, seed): scale.scaled(
            planted_mlp(
                seed,
                dials=settings.dials,
                arm=arm,
                step_size=settings.step_size,
                steps=settings.steps,
            )
        )
        for name, arm in ARMS.items()
        for seed in scale.seeds(settings.seeds)
    }


def numbers(run: xr.Dataset) -> dict[str, float]:
    """NUMBERS of one run."""
    ratio = run.sharpness.values / levels(run)
    late = ratio[len(ratio) // 2 :]
    found = instability(run.step_loss.values)
    return found | {"largest_sharpness": float(ratio.max()), "late_sharpness": float(late.mean())}


def collect(runs: Runs, _settings: Settings, _scale: Scale) -> xr.Dataset:
    """NUMBERS on (arm, seed) with intervals, each less the arm of two labels; sharpness curves."""
    data = with_intervals(table(runs, numbers, NUMBERS), "seed", against="two labels")
    data = data.merge(curves(runs, ("sharpness",)))
    return data.assign_attrs(edge_attrs(runs))


EXPERIMENTS = (
    Experiment(
        name="agreement",
        title="Planted groups of two labels against the same pictures with one",
        statements=("S11",),
        settings=Settings(),
        plan=configs,
        gather=collect,
        place=25,
    ),
)
