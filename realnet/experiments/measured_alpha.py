"""alpha and p measured in the groups that are found, against the planted and the fitted ones.

p is the found groups' share of the data. alpha is measured on the inputs, see `alpha_of`. The fit
has alpha from the sharpness curve alone. It has no p: by M2 the population's curve does not change
with p at fixed alpha.

Two kinds of data whose truth is known: the toy's own samples under the toy's own network, where
the fit must agree, and planted images under an MLP, where it need not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor, nn

from linmodel import OpposingSignals
from linmodel.data import draw
from linmodel.errors import InvalidInput
from realnet.bridge.fitting import fit
from realnet.bridge.searching import FULL, Search
from realnet.bridge.uncertainty import bootstrap
from realnet.data import datasets
from realnet.experiments import toy_arms
from realnet.experiments.kit.definition import Experiment, Runs, Scale, no_runs
from realnet.experiments.kit.instability import with_intervals
from realnet.networks import build_network
from realnet.signals.study import observe, study
from realnet.training.losses import sample_loss

SHARE = 0.1
ENDS = ("", "_from", "_to")


@dataclass(frozen=True)
class Settings:
    """Name -> the toy's alpha, or the strength of the planted background; the runs and the fits.

    draws, resamples: of the bootstraps of the fit and of the samples; checkpoints: looks in a run.
    """

    toys: Mapping[str, float] = field(
        default_factory=lambda: {f"toy, alpha {alpha:g}": alpha for alpha in (10.0, 50.0)}
    )
    planted: Mapping[str, float] = field(
        default_factory=lambda: {f"planted, magnitude {size:g}": size for size in (4.0, 8.0, 12.0)}
    )
    seeds: int = 3
    samples: int = 1000
    steps: int = 600
    planted_step: float = 0.05
    draws: int = 10
    resamples: int = 50
    checkpoints: int = 30
    search: Search = FULL


NUMBERS = {
    "p_true": "share of the data that the opposing groups are",
    "p_measured": "share of the data in the groups that were found",
    "overlap": "intersection over union of the found and the true groups",
    "alpha_true": "alpha of the true groups, from the inputs",
    "alpha_measured": "alpha of the groups that were found, from the inputs",
    "alpha_measured_from": "its 2.5% bootstrap quantile over samples",
    "alpha_measured_to": "its 97.5% bootstrap quantile",
    "alpha_fitted": "alpha fitted to the sharpness curve",
    "alpha_fitted_from": "its 95% interval's lower end",
    "alpha_fitted_to": "its 95% interval's upper end",
    "alpha_ratio": "fitted over measured alpha",
    "agrees": "1: the intervals of the measured and the fitted alpha overlap",
}


@dataclass(frozen=True)
class Case:
    """A network, its loss, its samples, and which of them (N,) are in the opposing groups."""

    model: nn.Module
    loss: Callable[[Tensor, Tensor], Tensor]
    inputs: Tensor
    labels: Tensor
    members: NDArray[np.bool_]
    step_size: float


class ToyNetwork(nn.Module):
    """f(x, x_o) = c (b.x + b_o.x_o), standard initialisation (c = 1) with epsilon0 >= 0."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        c, b, b_o = toy_arms.start_parameters(seed)
        self.c = nn.Parameter(torch.tensor([c], dtype=torch.float64))
        self.w = nn.Parameter(torch.tensor(np.concatenate([b, b_o])))

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, d) -> (N, 1)."""
        return (self.c * (inputs @ self.w))[:, None]


def toy_case(alpha: float, seed: int, size: int) -> Case:
    """Samples of the toy's aligned data; a step size at which the flow stays below 2/eta."""
    problem = OpposingSignals(alpha, toy_arms.B, toy_arms.K, toy_arms.D1, "aligned", SHARE)
    data = draw(problem, size, np.random.default_rng([seed, 4]))
    inputs = torch.as_tensor(np.concatenate([data.x, data.x_o], axis=1))

    def loss(outputs: Tensor, labels: Tensor) -> Tensor:
        return 0.5 * (outputs[:, 0] - labels) ** 2

    # Sharpness starts below 3 alpha (F6) and ends near alpha B.
    step_size = 0.5 / (alpha * toy_arms.B)
    return Case(ToyNetwork(seed), loss, inputs, torch.as_tensor(data.y), data.sign != 0, step_size)


def planted_case(magnitude: float, seed: int, size: int, step_size: float) -> Case:
    """The decisive plot's data and network at another magnitude, small step."""
    data = datasets.load("planted", size, seed, fraction=SHARE, magnitude=magnitude)
    model = build_network("mlp", data.shape, width=50, depth=2, activation="tanh", seed=seed)
    inputs, labels = torch.as_tensor(data.inputs), torch.as_tensor(data.labels)
    loss = sample_loss("cross-entropy")
    return Case(model, loss, inputs, labels, data.members["opposing"], step_size)


def alpha_of(own: NDArray, others: NDArray) -> float:
    """Theory's alpha (section 1) of inputs (n, d) in the groups and (m, d) of all others.

    The top eigenvalue of the groups' part of the second moment, sum z z^T / (n + m), in units in
    which Sigma is the identity: over the others' variance in a direction, sum l^2 / sum l for the
    eigenvalues l of theirs. NaN without groups.
    """
    if not len(own):
        return math.nan
    top = np.linalg.norm(own, 2) ** 2 / (len(own) + len(others))
    spectrum = np.linalg.svd(others, compute_uv=False) ** 2 / len(others)
    return float(top * spectrum.sum() / np.square(spectrum).sum())


def with_interval(
    inputs: NDArray, chosen: NDArray[np.bool_], seed: int, resamples: int = 50
) -> tuple[float, float, float]:
    """`alpha_of` the samples `chosen`, and a 95% bootstrap interval: all samples drawn again."""
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(resamples):
        again = rng.integers(0, len(inputs), len(inputs))
        drawn.append(alpha_of(inputs[again[chosen[again]]], inputs[again[~chosen[again]]]))
    low, high = np.quantile(drawn, (0.025, 0.975))
    return alpha_of(inputs[chosen], inputs[~chosen]), float(low), float(high)


def examine(case: Case, seed: int, steps: int, settings: Settings) -> tuple[dict[str, float], str]:
    """NUMBERS of one case, from one run: its groups, and the fit of its sharpness; fit status."""
    checkpoints = np.unique(
        np.linspace(0, steps, settings.checkpoints).round().astype(int)
    ).tolist()
    evidence = observe(
        case.model, case.loss, case.inputs, case.labels,
        step_size=case.step_size, steps=steps, checkpoints=checkpoints, directions=2, seed=seed,
    )  # fmt: skip
    found = study(evidence, seed=seed)
    inputs = case.inputs.numpy().reshape(len(case.inputs), -1).astype(np.float64)
    chosen = np.zeros(len(inputs), dtype=bool)
    if found.pairs:
        chosen[found.pairs[0].members] = True
    both, either = (chosen & case.members).sum(), (chosen | case.members).sum()
    row = {
        "p_true": float(case.members.mean()),
        "p_measured": float(chosen.mean()),
        "overlap": float(both / either),
        "alpha_true": alpha_of(inputs[case.members], inputs[~case.members]),
    }
    fitted, status = fitted_alpha(found.evidence, seed, settings)
    measured = with_interval(inputs, chosen, seed, settings.resamples)
    for name, values in (("alpha_measured", measured), ("alpha_fitted", fitted)):
        row |= {f"{name}{end}": value for end, value in zip(ENDS, values, strict=True)}
    row["alpha_ratio"] = fitted[0] / measured[0]
    apart = fitted[1] > measured[2] or fitted[2] < measured[1]
    row["agrees"] = float(not apart) if np.isfinite(row["alpha_ratio"]) else math.nan
    return row, status


def fitted_alpha(
    evidence: xr.Dataset, seed: int, settings: Settings
) -> tuple[tuple[float, float, float], str]:
    """alpha of the toy fitted to the sharpness at the checkpoints, its 95% interval, and a status.

    One scale for time and sharpness: with two, alpha and the scale of sharpness are one number as
    far as most curves can tell. NaN where the toy does not describe the curve.
    """
    time = evidence.checkpoint_step.values * evidence.attrs["step_size"]
    sharpness = evidence.eigenvalue.values[:, 0]
    run = xr.Dataset({"sharpness": ("time", sharpness)}, {"time": time})
    nothing = (math.nan, math.nan, math.nan)
    try:
        run = run.assign_attrs(step_size=evidence.attrs["step_size"])
        result = fit(run, scales=1, seed=seed, searched=settings.search)
    except InvalidInput as error:
        return nothing, f"refused: {error}"[:120]
    if result.status not in {"ok", "systematic"}:
        return nothing, result.status
    span = bootstrap(result, draws=settings.draws, seed=seed).sel(parameter="alpha")
    ends = span.sel(source="curve and initial state")
    return (result.values.alpha, float(ends.low), float(ends.high)), result.status


def collect(_runs: Runs, settings: Settings, scale: Scale) -> xr.Dataset:
    """NUMBERS on (setting, seed) with intervals over seeds; the fits' statuses."""
    seeds = list(scale.seeds(settings.seeds))
    size = scale.size or settings.samples
    steps = settings.steps // 10 if scale.quick else settings.steps
    step = settings.planted_step
    cases: dict[str, Callable[[int], Case]] = {
        **{name: partial(toy_case, alpha, size=size) for name, alpha in settings.toys.items()},
        **{
            name: partial(planted_case, magnitude, size=size, step_size=step)
            for name, magnitude in settings.planted.items()
        },
    }
    table = {name: np.full((len(cases), len(seeds)), np.nan) for name in NUMBERS}
    status = np.full((len(cases), len(seeds)), "", dtype=object)
    for i, make in enumerate(cases.values()):
        for j, seed in enumerate(seeds):
            row, status[i, j] = examine(make(seed), seed, steps, settings)
            for name, value in row.items():
                table[name][i, j] = value
    data = xr.Dataset(coords={"setting": list(cases), "seed": seeds})
    for name, values in table.items():
        data[name] = (("setting", "seed"), values, {"units": "1", "long_name": NUMBERS[name]})
    data = with_intervals(data, "seed")
    data["fit_status"] = (("setting", "seed"), status.astype(str), {"long_name": "the toy's fit"})
    return data


EXPERIMENTS = (
    Experiment(
        name="measured",
        title="alpha and p measured in the groups found, against planted and fitted ones",
        statements=("M2", "M10", "S14"),
        settings=Settings(),
        plan=no_runs,
        gather=collect,
        place=50,
        extra_seconds=240.0,
    ),
)
