"""How the search for signals does on a folder of natural images: claims, nulls, planted tints.

    python tests/benchmarks/bench_natural.py FOLDER OUT.jsonl [--seeds 21 22] [--kinds permuted]

Each run trains on SIZE images of FOLDER (one sub-folder a class), searches as the command `signals`
does, and adds a line to OUT.jsonl; runs that are there are not run again. At the end: a table.

natural   the images as they are          permuted  their labels dealt out at random
gaussian  white noise, own labels, at larger step sizes: with MSE some runs come to the edge
early     the images, a tenth of the step size: far from the edge
planted   a tenth of the samples, half of one class and half of another, get a tint of one strength
graded    all samples of two classes get a tint of exponentially distributed strength
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from realnet.config import TrainConfig
from realnet.data.samples import Samples
from realnet.signals.answer import Answer, answers
from realnet.signals.evidence import Evidence
from realnet.signals.study import study
from realnet.training.building import load_samples
from realnet.training.run import Run

SIZE, STEPS = 300, 150
LOOKS = (45, 75, 105, 127, 150)
ARMS = {
    "relu, cross-entropy": {"activation": "relu", "loss": "cross-entropy", "step_size": 0.3},
    "tanh, mse": {"activation": "tanh", "loss": "mse", "step_size": 0.15},
}
STRENGTHS = (0.12, 0.25, 0.5, 1.0, 2.0, 4.0)  # of the images' standard deviation
KINDS = ("natural", "permuted", "gaussian", "early", "planted", "graded")
FASTER = {  # step size over the arm's: noise is hard to learn and needs large steps to the edge
    "gaussian": {"relu, cross-entropy": 20.0, "tanh, mse": 2.0},
    "early": dict.fromkeys(ARMS, 0.1),
}
TINT = np.array([1.0, -1.0, 1.0])[:, None, None]  # magenta: no class of CIFAR-10 has it


def made(kind: str, given: Samples, strength: float, seed: int) -> tuple[Samples, np.ndarray]:
    """The samples of a kind, and each one's planted strength (0: not planted), (N,)."""
    draw = np.random.default_rng([seed, KINDS.index(kind)])
    inputs, labels = given.inputs, given.labels
    own = np.zeros(len(labels))
    if kind == "permuted":
        labels = draw.permutation(labels)
    elif kind == "gaussian":
        inputs = draw.normal(size=inputs.shape).astype(np.float32)
    elif kind in ("planted", "graded"):
        for label in draw.choice(given.n_classes, 2, replace=False):
            members = np.flatnonzero(labels == label)
            if kind == "planted":
                own[draw.choice(members, min(len(labels) // 20, len(members)), False)] = strength
            else:
                own[members] = strength * draw.exponential(size=len(members))
        inputs = (inputs + own[:, None, None, None] * TINT).astype(np.float32)
    return replace(given, inputs=inputs, labels=labels), own


def trial(folder: str, kind: str, arm: str, strength: float, seed: int) -> dict:
    """One run: train with evidence, search, score against what was planted."""
    begun = time.process_time()
    own = ARMS[arm] | {"step_size": ARMS[arm]["step_size"] * FASTER.get(kind, {}).get(arm, 1.0)}
    config = TrainConfig(
        data="folder", dials={"path": folder}, net="cnn", width=8, depth=2, size=SIZE, seed=seed,
        steps=STEPS, every=STEPS, eigenvalues=2, tolerance=0.03, **own,
    )  # fmt: skip
    samples, planted = made(kind, load_samples(config), strength, seed)
    evidence = Evidence(
        directions=2, checkpoints=LOOKS, step_size=config.step_size, tolerance=0.03, seed=seed
    )
    evidence.follow(Run(config, samples, [evidence]))
    row = {"kind": kind, "arm": arm, "strength": strength, "seed": seed}
    if not evidence.looks:
        return row | {"near": [0.0], "notes": ["diverged before the first look"], "signals": []}
    found = study(evidence, seed=seed)
    signals, notes = answers(
        found.evidence, found.pairs, samples.inputs, samples.provenance["classes"], seed=seed
    )
    near = found.evidence.eigenvalue.values[:, 0] * config.step_size / 2
    row |= {
        "notes": notes,
        "near": near.round(2).tolist(),
        "signals": [told(one) for one in signals],
    }
    if planted.any():
        row |= score([one for one in signals if one.found], planted)
    return row | {"cpu_seconds": round(time.process_time() - begun, 1)}


def told(one: Answer) -> dict:
    """What the table needs of a signal."""
    keys = ("mode", "p_value", "found", "holds", "tests", "curvature_share", "sentence")
    return {key: one.as_dict()[key] for key in keys}


def score(found: list[Answer], planted: np.ndarray) -> dict:
    """Of the found signal that holds most planted samples: precision, recall, sides' strengths;
    of all found: those of whose members fewer than half are planted."""
    sides = [np.array([*one.plus, *one.minus]) for one in found]
    if not sides:
        return {"precision": None, "recall": 0.0, "others": 0}
    best = max(sides, key=lambda side: (planted[side] > 0).mean())
    hits = int((planted[best] > 0).sum())
    strong = planted[best].mean() / planted[planted > 0].mean()
    others = sum(float((planted[side] > 0).mean()) < 0.5 for side in sides)
    return {
        "others": others,
        "precision": hits / len(best),
        "recall": hits / int((planted > 0).sum()),
        "members_strength": float(strong),
    }


def table(rows: list[dict]) -> list[str]:
    """A line a kind, arm and strength: runs, at the edge, with signals listed, with one claimed."""
    lines = [
        "kind, arm, strength: runs | at the edge | listed | claimed | opposed | P, R (claimed)"
    ]
    cells = dict.fromkeys((row["kind"], row["arm"], row["strength"]) for row in rows)
    for cell in cells:
        own = [row for row in rows if (row["kind"], row["arm"], row["strength"]) == cell]
        edge = sum(max(row["near"]) >= 0.8 for row in own)
        listed = sum(bool(row["signals"]) for row in own)
        claimed = [row for row in own if any(one["found"] for one in row["signals"])]
        opposed = sum(
            any({"concentration", "feature"} <= set(one["holds"]) for one in row["signals"])
            for row in own
        )
        rates = [
            f"{row['precision']:.2f}, {row['recall']:.2f}" for row in claimed if "recall" in row
        ]
        lines.append(
            f"{cell[0]:9} {cell[1]:20} {cell[2]:4g}: {len(own)} | {edge} | {listed} | "
            f"{len(claimed)} | {opposed} | {'; '.join(rates)}"
        )
    return lines


def main() -> None:
    """Run what is missing, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[21, 22, 23])
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--strengths", type=float, nargs="+", default=list(STRENGTHS))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    lines = asked.out.read_text().splitlines() if asked.out.is_file() else []
    rows = [json.loads(line) for line in lines]
    there = {(row["kind"], row["arm"], row["strength"], row["seed"]) for row in rows}
    for kind in asked.kinds:
        for seed in asked.seeds:
            for strength in asked.strengths if kind in ("planted", "graded") else (0.0,):
                for arm in asked.arms:
                    if (kind, arm, strength, seed) in there:
                        continue
                    rows.append(trial(asked.folder, kind, arm, strength, seed))
                    with asked.out.open("a") as file:
                        file.write(json.dumps(rows[-1]) + "\n")
    print("\n".join(table(rows)))


if __name__ == "__main__":
    main()
