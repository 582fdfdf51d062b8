"""Which optimisers oscillate in b_o, and what noise leaves of S2-S4, on the toy's full network.

What its tests find (alpha = 50, B = 10, k = 4, d1 = 10, standard initialisation):
- S2 under SGD noise: the dip stays, the rise to 2/eta does not. Noise keeps o^2 up, which holds c^2
  down: the smaller the batch the lower the peak, and the curvature falls again afterwards.
- S3: with batches of 512 or fewer the threshold is not reached, so its oscillation does not begin.
- S4: nearly all movement back and forth is in b_o, with noise as without; noise has no period.
- Adam removes the burst in b_o and the throw to a flatter minimum, not the changes of sign; most of
  that is its momentum: with beta1 = 0 the oscillation stays. Heavy ball at the same effective step
  does not reach its threshold 2 (1 + m)/eta. Clipping bounds the burst; SAM does not remove it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from linmodel.errors import refuse
from linmodel.network.full_network import train_network
from linmodel.network.optimisers import (
    Adam,
    Clipped,
    GradientDescent,
    HeavyBall,
    Optimiser,
    SharpnessAware,
)
from linmodel.problem import OpposingSignals
from linmodel.reduction import standard_parameters
from realnet.experiments.kit.definition import Experiment, Runs, Scale, no_runs
from realnet.experiments.kit.instability import with_intervals

PROBLEM = OpposingSignals(50.0, 10.0, 4.0, d1=10)
# The step size at which the flow's limit, alpha c^2 = alpha B (kappa near 0), is 2/eta.
AT_EDGE = 2 / (PROBLEM.alpha * PROBLEM.beta_norm)
# Steps between two points of the curves that are kept.
EVERY = 5
MEASURES = {
    "dip": "least alpha c^2 before its peak, over its value at the start (S2)",
    "peak": "largest alpha c^2 after the dip, over 2/eta (S2, S3: >= 1 reaches the threshold)",
    "back": "largest relative fall of alpha c^2 on its way from the dip to 2/eta (S2)",
    "final": "alpha c^2 at the end, over 2/eta",
    "flips": "share of steps in the last half at which o changes sign (S4)",
    "share": "b_o's share of the squared second differences after the dip (S4)",
    "burst": "largest opposing loss c^2 a o^2 / 2 after the dip, over beta_norm^2 / 2",
    "steps_to_fit": "steps until |c epsilon - B| < B / 100 for good; NaN if never",
    "final_loss": "median loss above its minimum over the last half",
}


def oscillation(problem: OpposingSignals, run: xr.Dataset) -> dict[str, float]:
    """The numbers of MEASURES for one run of train_network (record_every = 1) with beta_norm > 0.

    Raises InvalidInput for a run that recorded only some steps.
    """
    if (np.diff(run.step) != 1).any():
        refuse("run", "a run with steps left out", "every step", "Use record_every=1.")
    edge = run.attrs["two_over_eta"]
    curve = run.opposing_curvature.values
    # The dip comes before the highest point that is not the start itself.
    dip = int(curve[: 1 + int(np.argmax(curve[1:])) + 1].argmin())
    after, late = slice(dip, None), slice(len(curve) // 2, None)
    rise = curve[after]
    reached = int(np.argmax(rise >= edge)) if (rise >= edge).any() else len(rise) - 1
    climb = rise[: reached + 1]
    wobbles = [run[f"wobble_{name}"].values[after] ** 2 for name in ("c", "b", "o")]
    total = float(sum(wobble.sum() for wobble in wobbles))
    sign = np.sign(run.o.values[late])
    opposing = 0.5 * curve * run.o.values**2
    return {
        "dip": float(curve[dip] / curve[0]),
        "peak": float(rise.max() / edge),
        "back": float((1 - climb / np.maximum.accumulate(climb)).max()),
        "final": float(curve[-1] / edge),
        "flips": float((sign[1:] != sign[:-1]).mean()),
        "share": float(wobbles[2].sum() / total) if total > 0 else 0.0,
        "burst": float(opposing[after].max() / (0.5 * problem.beta_norm**2)),
        "steps_to_fit": _steps_to_fit(problem, run),
        "final_loss": float(np.median(run.loss.values[late])),
    }


def _steps_to_fit(problem: OpposingSignals, run: xr.Dataset) -> float:
    far = np.abs(run.c * run.epsilon - problem.beta_norm).values >= problem.beta_norm / 100
    if far[-1]:
        return float("nan")
    return float(run.step[np.flatnonzero(far)[-1] + 1]) if far.any() else 0.0


@dataclass(frozen=True)
class Settings:
    """Steps, and seeds: each draws a start and, where there are batches, those.

    past, below: step sizes at which the flow's limit is above and below 2/eta
    """

    steps: int = 1500
    seeds: int = 5
    past: float = 1.3 * AT_EDGE
    below: float = 1.3 * AT_EDGE / 3


def arms(settings: Settings) -> dict[str, tuple[Optimiser, int | None]]:
    """Arm -> optimiser and batch size (None: the population's gradient)."""
    past, below = settings.past, settings.below
    return {
        "descent": (GradientDescent(past), None),
        "heavy ball": (HeavyBall(past / 10, 0.9), None),
        "Adam": (Adam(0.03), None),
        "Adam without momentum": (Adam(0.03, beta1=0.0), None),
        "SAM": (SharpnessAware(past, 0.05), None),
        "clipped": (Clipped(past, 1.0), None),
        "SGD, batch 512": (GradientDescent(past), 512),
        "descent, step / 3": (GradientDescent(below), None),
        "SGD, batch 512, step / 3": (GradientDescent(below), 512),
        "SGD, batch 32, step / 3": (GradientDescent(below), 32),
    }


def collect(_runs: Runs, settings: Settings, scale: Scale) -> xr.Dataset:
    """`oscillation` on (arm, seed) with intervals, NaN where it diverged; alpha c^2 over 2/eta."""
    chosen, seeds = arms(settings), list(scale.seeds(settings.seeds))
    shape = len(chosen), len(seeds)
    found = {name: np.full(shape, np.nan) for name in (*MEASURES, "diverged")}
    curves = np.full((*shape, settings.steps // EVERY + 1), np.nan, dtype=np.float32)
    for a, (optimiser, batch) in enumerate(chosen.values()):
        for s, seed in enumerate(seeds):
            rng = np.random.default_rng(seed)
            start = standard_parameters(PROBLEM, rng)
            run = train_network(
                PROBLEM, start, optimiser, settings.steps, batch_size=batch, rng=rng
            )
            found["diverged"][a, s] = run.attrs["status"] == "diverged"
            if not found["diverged"][a, s]:
                for name, value in oscillation(PROBLEM, run).items():
                    found[name][a, s] = value
                curves[a, s] = (run.opposing_curvature / run.attrs["two_over_eta"])[::EVERY]
    data = xr.Dataset(coords={"arm": list(chosen), "seed": seeds})
    for name, values in found.items():
        attrs = {"units": "1", "long_name": MEASURES.get(name, "1: diverged")}
        data[name] = (("arm", "seed"), values, attrs)
    data = with_intervals(data, "seed", against="descent")
    data = data.assign_coords(step=EVERY * np.arange(curves.shape[-1]))
    attrs = {"units": "1", "long_name": "alpha c^2 over 2/eta"}
    data["opposing_curvature"] = (("arm", "seed", "step"), curves, attrs)
    return data


EXPERIMENTS = (
    Experiment(
        name="toy_optimisers",
        title="The toy under other optimisers and small batches: what is left of S2 to S4",
        statements=("S2", "S3", "S4", "G4", "G9"),
        settings=Settings(),
        plan=no_runs,
        gather=collect,
        place=12,
        extra_seconds=20.0,
    ),
)
