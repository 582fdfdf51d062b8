"""The toy's counterparts of the decisive plot, in the population and on finite samples.

Finite samples: the full network f = c (b.x + b_o.x_o), all 1 + d1 + d2 parameters, full-batch
descent on 1/2 mean (f - y)^2. Time is step size x step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import xarray as xr

from linmodel import OpposingSignals
from linmodel.data import Samples, draw
from linmodel.network.full_network import train_network
from linmodel.network.optimisers import GradientDescent, Memory, Slope
from linmodel.problem import Array
from linmodel.reduction import Parameters
from realnet.bridge.curve import rise_time
from realnet.experiments.kit.definition import Experiment, Runs, Scale, no_runs
from realnet.experiments.kit.instability import instability, with_intervals

ALPHA, B, K, D1, P = 50.0, 10.0, 4.0, 20, 0.05
# 1.5 times the step size at which the flow's limit crosses 2/eta (kappa = 0: alpha c^2 = alpha B).
STEP_SIZE = 1.5 * 2 / (ALPHA * B)


@dataclass(frozen=True)
class Settings:
    """Steps, steps between sharpness values, seeds, samples drawn.

    noise: standard deviation of what is added to o in the population: without it o is e^(-1000) at
    the crossing, which no finite sample is. G6 was seen with the same.
    """

    steps: int = 600
    every: int = 6
    seeds: int = 5
    samples: int = 4000
    noise: float = 1e-3


@dataclass(frozen=True)
class Arm:
    """alpha and p of the outliers; g: whether the target has its even part |1.x_o|/sqrt(d2)."""

    alpha: float
    p: float
    g: bool = True


ARMS = {
    "untouched": Arm(ALPHA, P),
    "outliers removed": Arm(0.0, P),
    "p / 2, size kept": Arm(ALPHA / 2, P / 2),
    "p / 4, size kept": Arm(ALPHA / 4, P / 4),
    "p x 2, size kept": Arm(2 * ALPHA, 2 * P),
    "p / 2, alpha kept": Arm(ALPHA, P / 2),
    "p x 2, alpha kept": Arm(ALPHA, 2 * P),
    "g removed": Arm(ALPHA, P, g=False),
}
WHERE = ("population", "samples")
NUMBERS = {
    "share_rising": "share of steps on which the loss rises by more than 1e-4 of its whole fall",
    "largest_rise": "largest rise of the loss in one step",
    "edge_time": "time at which sharpness first reaches 2/eta [step size x step]",
    "late_sharpness": "mean sharpness in the last half, over 2/eta",
    "largest_sharpness": "largest sharpness, over 2/eta",
    "diverged": "1: diverged",
}


def start_parameters(seed: int) -> tuple[float, Array, Array]:
    """c = 1; b, b_o ~ N(0, 1/d), b turned so that epsilon >= 0 (theory's standing half)."""
    problem = OpposingSignals(ALPHA, B, K, D1, "aligned", P)
    rng = np.random.default_rng([seed, 0])
    d = problem.d1 + problem.d2
    b, b_o = rng.standard_normal(problem.d1), rng.standard_normal(problem.d2)
    b[0] = abs(b[0])
    return 1.0, b / math.sqrt(d), b_o / math.sqrt(d)


@dataclass(frozen=True)
class Nudged(GradientDescent):
    """Descent that adds noise to o, b_o's part along (1, ..., 1), on each of `steps` steps.

    noise: its standard deviation; seed: of the numbers drawn.
    """

    noise: float = 0.0
    seed: int = 0
    steps: int = 0
    d2: int = 1

    def start(self, theta: Array) -> Memory:
        """What is added to o, step by step."""
        return (self.noise * np.random.default_rng([self.seed, 1]).standard_normal(self.steps),)

    def step(self, theta: Array, slope: Slope, memory: Memory) -> tuple[Array, Memory]:
        """Descent's step, then the next nudge."""
        theta, _ = super().step(theta, slope, memory)
        theta[-self.d2 :] += memory[0][0] / math.sqrt(self.d2)
        return theta, (memory[0][1:],)


def samples(arm: Arm, seed: int, count: int) -> Samples:
    """`count` draws; without outliers where alpha = 0, without the target's even part if not g."""
    problem = OpposingSignals(arm.alpha or ALPHA, B, K, D1, "aligned", arm.p)
    data = draw(problem, count, np.random.default_rng([seed, 2]))
    even = np.abs(data.x_o.sum(axis=1)) / math.sqrt(problem.d2)
    keep = data.sign == 0 if arm.alpha == 0 else np.ones(count, dtype=bool)
    data = data._replace(y=data.y if arm.g else data.y - even)
    return Samples(*(column[keep] for column in data))


def descend(arm: Arm, seed: int, settings: Settings, where: str) -> xr.Dataset:
    """linmodel.network.train_network on the population (M1), with noise on o, or on samples.

    In the population g is no part of the loss (M2), so that it cannot matter.
    """
    problem = OpposingSignals(arm.alpha, B, K, D1, "aligned", arm.p)
    parameters = Parameters(*start_parameters(seed))
    if where == "samples":
        data = samples(arm, seed, settings.samples)
        plain = GradientDescent(STEP_SIZE)
        return train_network(problem, parameters, plain, settings.steps, samples=data)
    nudged = Nudged(STEP_SIZE, settings.noise, seed, settings.steps, problem.d2)
    return train_network(problem, parameters, nudged, settings.steps)


def numbers(run: xr.Dataset, every: int) -> dict[str, float]:
    """NUMBERS of one toy run, its sharpness looked at every so many steps.

    NaN where it diverged: largest_rise, late_sharpness, largest_sharpness.
    """
    edge, diverged = 2 / STEP_SIZE, run.attrs["status"] == "diverged"
    time, sharpness = run.time.values[::every], run.sharpness.values[::every]
    found = instability(run.loss)
    late = sharpness[time >= run.time.values[-1] / 2]
    return {
        "share_rising": found["share_rising"],
        "largest_rise": math.nan if diverged else found["largest_rise"],
        "edge_time": 0.0 if sharpness[0] >= edge else rise_time(time, sharpness, edge),
        "late_sharpness": math.nan if diverged else float(late.mean() / edge),
        "largest_sharpness": math.nan if diverged else float(sharpness.max() / edge),
        "diverged": float(diverged),
    }


def collect(_runs: Runs, settings: Settings, scale: Scale) -> xr.Dataset:
    """Numbers on (where, arm, seed) with intervals; sharpness and loss curves."""
    seeds = list(scale.seeds(settings.seeds))
    shape = (len(WHERE), len(ARMS), len(seeds))
    found = {name: np.full(shape, np.nan) for name in NUMBERS}
    paths = np.full((2, *shape, settings.steps // settings.every + 1), np.nan)
    for w in range(len(WHERE)):
        for a, arm in enumerate(ARMS.values()):
            for s, seed in enumerate(seeds):
                run = descend(arm, seed, settings, WHERE[w])
                for name, value in numbers(run, settings.every).items():
                    found[name][w, a, s] = value
                for row, name in zip(paths[:, w, a, s], ("sharpness", "loss"), strict=True):
                    values = run[name].values[:: settings.every]
                    row[: len(values)] = values
    data = xr.Dataset(coords={"where": list(WHERE), "arm": list(ARMS), "seed": seeds})
    for name, values in found.items():
        attrs = {"units": "1", "long_name": NUMBERS[name]}
        data[name] = (("where", "arm", "seed"), values, attrs)
    data = with_intervals(data, "seed", against="untouched")
    data = data.assign_coords(time=STEP_SIZE * settings.every * np.arange(paths.shape[-1]))
    data["time"].attrs = {"units": "step size x step", "long_name": "time"}
    for name, values in zip(("sharpness", "loss"), paths, strict=True):
        attrs = {"units": "curvature" if name == "sharpness" else "1", "long_name": name}
        data[name] = (("where", "arm", "seed", "time"), values, attrs)
    data.attrs |= {"step_size": STEP_SIZE, "two_over_eta": 2 / STEP_SIZE, "noise": settings.noise}
    return data


EXPERIMENTS = (
    Experiment(
        name="toy_arms",
        title="The toy's counterparts: outliers removed, p varied, two null controls",
        statements=("G5", "M2", "M3"),
        settings=Settings(),
        plan=no_runs,
        gather=collect,
        place=10,
        extra_seconds=30.0,
    ),
)
