"""Which optimisers oscillate in b_o, and what noise leaves of S2-S4, on the full network.

What its tests find (alpha = 50, B = 10, k = 4, standard initialisation):
- S2 under SGD noise: the dip stays, the rise to 2/eta does not. Noise keeps o^2 up, which holds c^2
  down: the smaller the batch the lower the peak, and the curvature falls again afterwards.
- S3: with batches of 512 or fewer the threshold is not reached, so its oscillation does not begin.
- S4: nearly all movement back and forth is in b_o, with noise as without; noise has no period.
- Adam removes the burst in b_o and the throw to a flatter minimum, not the changes of sign; most of
  that is its momentum: with beta1 = 0 the oscillation stays. Heavy ball at the same effective step
  does not reach its threshold 2 (1 + m)/eta. Clipping bounds the burst; SAM does not remove it.

    runs = {"GD": GradientDescent(0.005), "Adam": Adam(0.01)}
    compare(problem, parameters, runs, steps=4000).to_dataframe()
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from linmodel.arguments import typed
from linmodel.errors import refuse
from linmodel.network.full_network import train_network
from linmodel.network.optimisers import Optimiser
from linmodel.problem import OpposingSignals
from linmodel.reduction import Parameters
from linmodel.store import provenance

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


@typed
def oscillation(problem: OpposingSignals, run: xr.Dataset) -> dict[str, float]:
    """The numbers of MEASURES for one run of train_network (record_every = 1).

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


@typed
def compare(
    problem: OpposingSignals,
    parameters: Parameters,
    optimisers: Mapping[str, Optimiser],
    steps: int,
    *,
    seed: int = 0,
    **source: Any,
) -> xr.Dataset:
    """`oscillation` of each optimiser from the same start, on dimension `optimiser`.

    `source` (batch_size, samples, label_noise, ...) goes to train_network; every run draws from its
    own generator of the same seed. beta_norm > 0. (2/eta is the threshold of plain descent only.) A
    run that diverges has status "diverged" and NaN.

    Raises InvalidInput.
    """
    if problem.beta_norm == 0 or not optimisers:
        refuse(
            "problem and optimisers", (problem, optimisers), "beta_norm > 0, one optimiser or more"
        )
    rows, status = [], []
    for optimiser in optimisers.values():
        rng = np.random.default_rng(seed)
        run = train_network(problem, parameters, optimiser, steps, rng=rng, **source)
        status.append(run.attrs["status"])
        found = oscillation(problem, run) if status[-1] == "completed" else {}
        rows.append([found.get(name, float("nan")) for name in MEASURES])
    table = np.array(rows)
    dataset = xr.Dataset(
        {name: ("optimiser", table[:, i]) for i, name in enumerate(MEASURES)},
        coords={"optimiser": list(optimisers), "status": ("optimiser", status)},
    )
    for name, long_name in MEASURES.items():
        dataset[name].attrs = {"long_name": long_name, "units": "1"}
    settings = {name: repr(value) for name, value in source.items() if name != "samples"}
    dataset.attrs = provenance(
        method="compare",
        problem=problem.as_dict(),
        optimisers={name: optimiser.as_dict() for name, optimiser in optimisers.items()},
        settings={"steps": steps, "seed": seed, **settings},
    )
    return dataset
