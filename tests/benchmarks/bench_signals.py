"""Score the finder of opposing groups on planted data, against the naive rule, and on data without.

    python tests/benchmarks/bench_signals.py [--quick | --drawn 80 --seeds 99] [--out signals.json]

Prints one line a run and a table by strength, and writes all of it as JSON; one thread.
--drawn N: N planted runs and as many without groups whose dials are drawn at random (objects,
classes, fraction, magnitude, background, size), with data seeds from 500 up: none used for tuning.
Two measures of strength: `input` (p a^2 over the top eigenvalue of the ordinary inputs' second
moments, known before training) and `share` (the largest share of curvature along any recorded
eigenvector that the planted members carry, known after). Naive rule: as many samples as were
planted (it is told how many), those of largest loss change in one step over the whole run, split
by the sign of that change.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import time
from pathlib import Path

import numpy as np
import torch

from linmodel import store
from realnet.curvature.tracker import top_eigenpairs
from realnet.data import datasets
from realnet.networks import build_network
from realnet.signals.groups import find_opposing_groups, loss_changes
from realnet.signals.study import observe
from realnet.training.losses import sample_loss

# First step size over 1 / sharpness at the start: small enough that no network dies at once.
NETWORKS = {("mlp", "relu"): 1.0, ("mlp", "tanh"): 1.0, ("cnn", "relu"): 0.3}
DRAWN_NETWORKS = NETWORKS | {("cnn", "tanh"): 0.3}
LOSSES = ("cross-entropy", "mse")
PLANTED = (
    (0.005, 12.0),
    (0.01, 8.0),
    (0.02, 5.0),
    (0.05, 1.0),
    (0.05, 3.0),
    (0.1, 1.5),
    (0.1, 5.0),
)
NULLS: tuple[tuple[str, dict], ...] = (
    ("planted", {"fraction": 0}),
    ("planted", {"fraction": 0, "background": "photo"}),
    ("fashion", {}),
    ("mnist5k", {}),
    ("digits", {}),
    ("photos", {}),
)
SIZE, STEPS, CHECKPOINTS, DIRECTIONS = 600, 60, 7, 4
# Fraction -> the least magnitude drawn; the most is four times that.
DRAWN = {0.007: 6.0, 0.015: 4.0, 0.03: 2.0, 0.07: 1.0}
SIZES = (400, 600, 1000)
FIRST_SEED = 500
Run = tuple[str, dict, tuple[str, str], str, int, int]  # data, dials, net, loss, seed, size


def listed(seeds: list[int], quick: bool) -> list[Run]:
    """The dials of PLANTED and NULLS with each network, loss and seed."""
    cells: list[tuple[str, dict]] = [
        ("planted", {"fraction": p, "magnitude": m}) for p, m in PLANTED
    ] + list(NULLS)
    if quick:
        cells = cells[2:5] + cells[-2:]
    runs: list[Run] = []
    every = itertools.product(seeds, cells, NETWORKS, LOSSES)
    for index, (seed, (name, dials), net, loss) in enumerate(every):
        # Photographs behind half of the planted runs: the same dials, another kind of background.
        extra = {"background": "photo"} if index % 4 > 1 and dials.get("fraction") else {}
        runs.append((name, {**dials, **extra}, net, loss, seed, SIZE))
    return runs


def drawn(count: int, seed: int) -> list[Run]:
    """`count` planted runs with dials drawn at random, then as many without groups."""
    draw = random.Random(seed)
    nets = list(DRAWN_NETWORKS)
    runs: list[Run] = []
    for i in range(count):
        objects = draw.choice(["fashion", "fashion", "mnist5k", "digits"])
        classes = tuple(draw.sample(range(10), draw.choice([2, 2, 2, 3])))
        fraction, size = draw.choice(list(DRAWN)), draw.choice(SIZES)
        if round(fraction * size / len(classes)) < 1:
            size = max(SIZES)
        magnitude = round(DRAWN[fraction] * 4 ** draw.random(), 2)
        dials = {"fraction": fraction, "magnitude": magnitude, "classes": classes}
        dials |= {"objects": objects, "background": draw.choice(["colour", "photo"])}
        net, loss = nets[i % 4], LOSSES[i // 4 % 2]
        runs.append(("planted", dials, net, loss, FIRST_SEED + i, size))
    for i in range(count):
        name, dials = NULLS[i // 8 % len(NULLS)]
        net, loss = nets[i % 4], LOSSES[i // 4 % 2]
        runs.append((name, dials, net, loss, FIRST_SEED + count + i, SIZES[i % 3]))
    return runs


def trial(
    name: str, dials: dict, net: tuple[str, str], loss: str, seed: int, size: int = SIZE
) -> dict:
    """One run: train with evidence, find, score."""
    begun = time.process_time()
    data = datasets.load(name, size=size, seed=seed, **dials)
    inputs, labels = torch.as_tensor(data.inputs), torch.as_tensor(data.labels)
    small = 4 if net[0] == "cnn" else None
    model = build_network(net[0], data.shape, activation=net[1], width=small, seed=seed)
    losses = sample_loss(loss)

    def mean_loss() -> torch.Tensor:
        return losses(model(inputs), labels).mean()

    start = top_eigenpairs(mean_loss, model, tolerance=0.05, seed=seed).sharpness
    evidence = observe(
        model,
        losses,
        inputs,
        labels,
        step_size=DRAWN_NETWORKS[net] / start,
        steps=STEPS,
        directions=DIRECTIONS,
        checkpoints=CHECKPOINTS,
        tolerance=0.03,
        seed=seed,
    ).dataset()
    pairs = find_opposing_groups(evidence)
    row = {"data": name, **dials, "net": "-".join(net), "loss": loss, "seed": seed, "size": size}
    row |= {"pairs": len(pairs), "best_jump": pairs[0].score if pairs else None}
    row |= {"status": evidence.attrs["status"]}
    truth = data.members.get("opposing")
    if truth is not None and truth.any():
        row |= score(evidence, pairs, data, truth)
    return row | {"cpu_seconds": round(time.process_time() - begun, 2)}


def score(evidence, pairs, data, truth) -> dict:
    """Precision, recall and sides right, of the finder and of the naive rule; both strengths."""
    found = np.zeros(len(truth), dtype=int)
    for pair in pairs:
        found[pair.plus], found[pair.minus] = 1, -1
    changes = loss_changes(evidence)
    largest = np.abs(changes).max(axis=0)
    naive = np.zeros(len(truth), dtype=int)
    chosen = np.argsort(-largest, kind="stable")[: truth.sum()]
    naive[chosen] = np.sign(changes[np.abs(changes).argmax(axis=0)[chosen], chosen])
    curvature = np.maximum(evidence.curvature.values, 0)
    share = curvature[..., truth].sum(-1) / np.maximum(curvature.sum(-1), 1e-300)
    return {
        "input_strength": data.provenance["strength"],
        "share": float(share.max()),
        **{f"finder_{key}": value for key, value in rates(found, data, truth).items()},
        **{f"naive_{key}": value for key, value in rates(naive, data, truth).items()},
        "antiphase": pairs[0].antiphase if pairs else None,
    }


def rates(side: np.ndarray, data, truth: np.ndarray) -> dict:
    """Precision, recall, and the share of the hits on their own class's side."""
    found = side != 0
    hits = int((found & truth).sum())
    first, *others = (mask for name, mask in data.members.items() if name != "opposing")
    second = np.any(others, axis=0)
    right = int(((side == 1) & first).sum() + ((side == -1) & second).sum())
    return {
        "precision": hits / found.sum() if found.any() else None,
        "recall": hits / int(truth.sum()),
        "sides": max(right, hits - right) / hits if hits else None,
    }


def summary(rows: list[dict]) -> list[str]:
    """The table: by strength, finder against naive; then false alarms."""
    lines = [f"{'strength':>24} {'runs':>5} {'found':>6} {'P>=.9&R>=.9':>12} {'naive':>6}"]
    planted = [row for row in rows if "share" in row]
    for low, high in itertools.pairwise((0, 0.25, 0.5, 0.75, 0.9, 1.01)):
        lines.append(_line(f"share {low:.2f}-{min(high, 1):.2f}", planted, "share", low, high))
    for low, high in itertools.pairwise((0, 0.5, 1, 2, 4, 1e9)):
        lines.append(_line(f"input {low:g}-{high:g}", planted, "input_strength", low, high))
    nulls = [row for row in rows if "share" not in row]
    alarms = sum(row["pairs"] > 0 for row in nulls)
    lines.append(f"false alarms on data without groups: {alarms} of {len(nulls)}")
    return lines


def _line(name: str, rows: list[dict], key: str, low: float, high: float) -> str:
    own = [row for row in rows if low <= row[key] < high]
    found = sum(row["pairs"] > 0 for row in own)
    good = {
        who: sum(
            (row[f"{who}_precision"] or 0) >= 0.9 and row[f"{who}_recall"] >= 0.9 for row in own
        )
        for who in ("finder", "naive")
    }
    return f"{name:>24} {len(own):5d} {found:6d} {good['finder']:12d} {good['naive']:6d}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few runs, about a minute")
    parser.add_argument("--drawn", type=int, help="so many runs of dials drawn with the first seed")
    parser.add_argument("--seeds", type=int, nargs="*", help="seeds (default 0 1, quick: 0)")
    parser.add_argument("--out", type=Path, help="write rows, table and versions as JSON")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    seeds = arguments.seeds or ([0] if arguments.quick else [0, 1])
    plan = drawn(arguments.drawn, seeds[0]) if arguments.drawn else listed(seeds, arguments.quick)
    rows = []
    for name, dials, net, loss, seed, size in plan:
        rows.append(trial(name, dials, net, loss, seed, size))
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    table = summary(rows)
    print("\n".join(table))
    if arguments.out:
        content = {"rows": rows, "table": table, "versions": store.versions()}
        store.write_text(arguments.out, json.dumps(content, indent=1))


if __name__ == "__main__":
    main()
