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
from linmodel.data import draw
from linmodel.problem import Array
from realnet.bridge.curve import rise_time
from realnet.experiments.kit.definition import Experiment, Runs, Scale, no_runs
from realnet.experiments.kit.numbers import instability, with_intervals

ALPHA, B, K, D1, P = 50.0, 10.0, 4.0, 20, 0.05
# 1.5 times the step size at which the flow's limit crosses 2/eta (kappa = 0: alpha c^2 = alpha B).
STEP_SIZE = 1.5 * 2 / (ALPHA * B)
ESCAPE = 1e12


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
class Moments:
    """Second moments of the inputs z = (x, x_o) and the target: E z z^T, E z y, E y^2."""

    gram: Array
    cross: Array
    square: float


def population(arm: Arm, _seed: int) -> Moments:
    """M1: x ~ (0, I), x_o of covariance (alpha / d2) 1 1^T; E g^2 = alpha."""
    problem = OpposingSignals(arm.alpha, B, K, D1, "aligned", arm.p)
    gram = np.eye(problem.d1 + problem.d2)
    gram[problem.d1 :, problem.d1 :] = arm.alpha / problem.d2
    cross = B * np.eye(1, len(gram))[0]
    return Moments(gram, cross, B**2 + (arm.alpha if arm.g else 0.0))


def samples(arm: Arm, seed: int, count: int) -> Moments:
    """Of `count` draws."""
    problem = OpposingSignals(arm.alpha or ALPHA, B, K, D1, "aligned", arm.p)
    data = draw(problem, count, np.random.default_rng([seed, 2]))
    even = np.abs(data.x_o.sum(axis=1)) / math.sqrt(problem.d2)
    keep = data.sign == 0 if arm.alpha == 0 else np.ones(count, dtype=bool)
    inputs = np.concatenate([data.x, data.x_o], axis=1)[keep]
    target = (data.y if arm.g else data.y - even)[keep]
    kept = len(inputs)
    return Moments(inputs.T @ inputs / kept, inputs.T @ target / kept, target @ target / kept)


def descend(
    moments: Moments, seed: int, noise: float, settings: Settings
) -> tuple[Array, Array, Array]:
    """times, sharpness (every so many steps, else NaN), losses; shorter where it diverges.

    `noise`: standard deviation of what is added to o, b_o's part along (1, ..., 1), every step.
    """
    count = settings.steps + 1
    gram, cross = moments.gram, moments.cross
    c, b, b_o = start_parameters(seed)
    weights = np.concatenate([b, b_o])
    along = np.concatenate([0 * b, np.full(len(b_o), len(b_o) ** -0.5)])
    rng = np.random.default_rng([seed, 1])
    sharpness, losses = np.full(count, np.nan), np.full(count, np.nan)
    for step in range(count):
        image = gram @ weights
        losses[step] = 0.5 * (c * c * weights @ image - 2 * c * weights @ cross + moments.square)
        if not np.isfinite(losses[step]) or losses[step] > ESCAPE:
            return STEP_SIZE * np.arange(step), sharpness[:step], losses[:step]
        if step % settings.every == 0:
            sharpness[step] = _sharpness(c, weights, gram, cross)
        slope = c * weights @ image - weights @ cross
        weights, c = weights - STEP_SIZE * c * (c * image - cross), c - STEP_SIZE * slope
        weights = weights + noise * rng.standard_normal() * along
    return STEP_SIZE * np.arange(count), sharpness, losses


def _sharpness(c: float, weights: Array, gram: Array, cross: Array) -> float:
    """Top eigenvalue of the Hessian of 1/2 mean (c w.z - y)^2 in (c, w)."""
    side = 2 * c * (gram @ weights) - cross
    hessian = np.block(
        [[np.array([[weights @ gram @ weights]]), side[None]], [side[:, None], c * c * gram]]
    )
    return float(np.linalg.eigvalsh(hessian)[-1])


def numbers(time: Array, sharpness: Array, losses: Array, steps: int) -> dict[str, float]:
    """NUMBERS of one toy run."""
    edge = 2 / STEP_SIZE
    seen = np.isfinite(sharpness)
    time, sharpness = time[seen], sharpness[seen]
    found = instability(losses)
    return {
        "share_rising": found["share_rising"],
        "largest_rise": found["largest_rise"],
        "edge_time": 0.0 if sharpness[0] >= edge else rise_time(time, sharpness, edge),
        "late_sharpness": float(sharpness[time >= STEP_SIZE * steps / 2].mean() / edge)
        if len(losses) > steps
        else math.nan,
        "largest_sharpness": float(sharpness.max() / edge),
        "diverged": float(len(losses) <= steps),
    }


def collect(_runs: Runs, settings: Settings, scale: Scale) -> xr.Dataset:
    """Numbers on (where, arm, seed) with intervals; sharpness and loss curves."""
    seeds = list(scale.seeds(settings.seeds))
    shape = (len(WHERE), len(ARMS), len(seeds))
    found = {name: np.full(shape, np.nan) for name in NUMBERS}
    paths = np.full((2, *shape, settings.steps // settings.every + 1), np.nan, dtype=np.float32)
    for w in range(len(WHERE)):
        for a, arm in enumerate(ARMS.values()):
            for s, seed in enumerate(seeds):
                run = _run(WHERE[w], arm, seed, settings)
                for name, value in numbers(*run, settings.steps).items():
                    found[name][w, a, s] = value
                for row, values in zip(paths[:, w, a, s], run[1:], strict=True):
                    row[: len(values[:: settings.every])] = values[:: settings.every]
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


def _run(where: str, arm: Arm, seed: int, settings: Settings) -> tuple[Array, Array, Array]:
    if where == "population":
        return descend(population(arm, seed), seed, settings.noise, settings)
    return descend(samples(arm, seed, settings.samples), seed, 0.0, settings)


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
