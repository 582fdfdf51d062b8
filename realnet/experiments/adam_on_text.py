"""Adam against SGD on a small character-level GPT: opposing groups, frequent and rare tokens."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr

from realnet.config import TrainConfig
from realnet.data.samples import Samples
from realnet.experiments.kit.collecting import curves, table
from realnet.experiments.kit.definition import Configs, Experiment, Runs, Scale
from realnet.experiments.kit.instability import RISE, instability, with_intervals
from realnet.experiments.kit.own_edge import OWN_EDGE, own_edge
from realnet.training.building import load_samples

ARMS: dict[str, dict[str, Any]] = {
    "descent": {"optimiser": "gd", "step_size": 0.3},
    "descent, step / 4": {"optimiser": "gd", "step_size": 0.075},
    "momentum": {"optimiser": "momentum", "step_size": 0.03},
    "Adam": {"optimiser": "adam", "step_size": 0.003},
    "Adam, step / 4": {"optimiser": "adam", "step_size": 0.00075},
}
WATCH = ("alignment", "edges", "frequency", "held_out", "probe")
NUMBERS = {
    "final_loss": "training loss at the end [nats a character]",
    "test_loss": "held-out loss at the end [nats a character]",
    "late_sharpness": "mean sharpness in the last half [1 / time]",
    "edge_ratio": "the same times step size over 2",
    "own_edge": OWN_EDGE,
    "common_fall": "share of its first loss that the commonest quarter of tokens has lost halfway",
    "rare_fall": "the same of the rarest quarter",
    "common_loss": "training loss of the commonest quarter of tokens at the end [nats]",
    "rare_loss": "training loss of the rarest quarter of tokens at the end [nats]",
    "share_rising": "share of steps on which the loss rises by more than 1e-4 of its whole fall",
    "largest_rise": "largest rise of the loss in one step",
    "change_sd": "mean over probes of the sd over tokens of the loss change",
    "change_kurtosis": "mean over probes of its excess kurtosis",
    "same_context": "share of (risen, fallen) token pairs with one last character and two targets",
    "same_context_chance": "the same for random pairs of tokens",
}


@dataclass(frozen=True)
class Settings:
    """Arm -> how it steps; windows of `context` characters, as many again held out; the runs."""

    arms: Mapping[str, dict[str, Any]] = field(default_factory=lambda: dict(ARMS))
    windows: int = 32
    context: int = 32
    steps: int = 400
    every: int = 25
    seeds: int = 10


def configs(settings: Settings, scale: Scale) -> Configs:
    """One GPT, five ways to step; full batch, so that every rise of the loss is the step's."""
    found = {}
    for arm, fields in settings.arms.items():
        for seed in scale.seeds(settings.seeds):
            train = TrainConfig(
                data="text", net="gpt", loss="cross-entropy", width=32, depth=2,
                size=settings.windows, steps=settings.steps, every=settings.every, tolerance=1e-2,
                seed=seed, observe=WATCH, **fields,
            )  # fmt: skip
            train = scale.scaled(train)
            dials = {"context": settings.context, "held_out": train.size}
            found[arm, seed] = replace(train, dials=dials)
    return found


def numbers(run: xr.Dataset, samples: Samples) -> dict[str, float]:
    """NUMBERS of one run."""
    half = run.time.values >= run.time.values[-1] / 2
    late = float(run.sharpness.values[half].mean())
    found = instability(run.step_loss.values)
    up, down, last, target = _tokens(run, samples)
    parts = run.loss_by_frequency.values
    fall = 1 - parts[len(parts) // 2] / parts[0]
    rng = np.random.default_rng(0)
    pairs = rng.integers(0, len(last), (2, 20_000))
    return {
        "final_loss": float(run.loss[-1]),
        "test_loss": float(run.test_loss[-1]),
        "late_sharpness": late,
        "edge_ratio": late * run.attrs["step_size"] / 2,
        "own_edge": own_edge(run),
        "common_fall": float(fall[0]),
        "rare_fall": float(fall[-1]),
        "common_loss": float(parts[-1, 0]),
        "rare_loss": float(parts[-1, -1]),
        "share_rising": found["share_rising"],
        "largest_rise": found["largest_rise"],
        "change_sd": float(np.nanmean(run.change_sd.values)),
        "change_kurtosis": float(np.nanmean(run.change_kurtosis.values)),
        "same_context": _opposed(last, target, up[:, :, None], down[:, None, :]),
        "same_context_chance": _opposed(last, target, *pairs),
    }


def _tokens(run: xr.Dataset, samples: Samples) -> tuple[np.ndarray, ...]:
    """Risen and fallen tokens at the late probes, (probes, 20) indices; and of all tokens the last
    character seen and the character to come."""
    late = np.flatnonzero(np.isfinite(run.tokens_up.values[:, 0]))
    late = late[len(late) // 2 :]
    up, down = (run[name].values[late].astype(int) for name in ("tokens_up", "tokens_down"))
    return up, down, samples.inputs.ravel(), samples.labels.ravel()


def _opposed(last: np.ndarray, target: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    return float(((last[a] == last[b]) & (target[a] != target[b])).mean())


def contexts(run: xr.Dataset, samples: Samples, most: int = 8) -> list[dict[str, object]]:
    """The commonest context and next character among tokens of the largest change.

    Each with how often its loss rose and fell: keys context, next, rose, fell.
    """
    up, down, _, target = _tokens(run, samples)
    letters, length = samples.provenance["vocabulary"], samples.inputs.shape[1]
    text = samples.inputs

    def name(index: int) -> tuple[str, str]:
        row, column = divmod(int(index), length)
        before = "".join(letters[i] for i in text[row, max(0, column - 2) : column + 1])
        return before, letters[target[index]]

    risen, fallen = (Counter(name(i) for i in each.ravel()) for each in (up, down))
    return [
        {"context": key[0], "next": key[1], "rose": risen[key], "fell": fallen[key]}
        for key, _ in (risen + fallen).most_common(most)
    ]


def with_classes(run: xr.Dataset) -> xr.Dataset:
    """The run with the losses `common` and `rare` of its commonest and rarest quarter of tokens."""
    parts = run.loss_by_frequency.values
    named = {"common": (0, "commonest"), "rare": (-1, "rarest")}
    return run.assign(
        {
            name: ("time", parts[:, at], {"units": "1", "long_name": f"loss, {word} quarter"})
            for name, (at, word) in named.items()
        }
    )


def collect(runs: Runs, settings: Settings, scale: Scale) -> xr.Dataset:
    """NUMBERS on (arm, seed) with intervals; curves; the commonest contexts in attributes."""
    # The samples are the seed's: every arm sees the same.
    given = {key[1]: load_samples(config) for key, config in configs(settings, scale).items()}
    runs = {key: with_classes(run) for key, run in runs.items()}
    rows = {key: run.assign_attrs(row=numbers(run, given[key[1]])) for key, run in runs.items()}
    data = with_intervals(table(rows, lambda run: run.attrs["row"], NUMBERS), "seed")
    data = data.merge(curves(runs, ("sharpness", "loss", "step", "common", "rare")))
    first = {arm: contexts(runs[arm, seed], given[seed]) for arm, seed in runs if seed == 0}
    data.attrs["contexts"] = json.dumps(first)
    data.attrs["rise"] = RISE
    return data


EXPERIMENTS = (
    Experiment(
        name="text",
        title="Adam against SGD on a small character-level GPT",
        statements=("S11", "S16"),
        settings=Settings(),
        plan=configs,
        gather=collect,
        place=80,
    ),
)
