"""What the parts of the curvature's benchmark come to: a row a workload and method."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

ACCURATE = 1e-3


def summary(parts: Path) -> dict[str, object]:
    """All parts of a folder, by workload; the environment is that of the last part."""
    found: dict[str, list[dict]] = {}
    for path in sorted(parts.glob("*.json")):
        if not path.stem.startswith("memory-"):
            part = json.loads(path.read_text(encoding="utf-8"))
            found.setdefault(part["workload"], []).append(part)
    result: dict[str, object] = {}
    for name, of_seeds in found.items():
        memory = parts / f"memory-{name}.json"
        peaks = json.loads(memory.read_text(encoding="utf-8")) if memory.exists() else {}
        result[name] = workload(of_seeds, peaks)
        result["environment"] = of_seeds[-1]["environment"]
    return result


def workload(of_seeds: list[dict], peaks: dict[str, float]) -> dict[str, object]:
    """One workload over its seeds."""
    truth = np.concatenate([part["truth"] for part in of_seeds])
    gaps = 1 - truth[:, 1] / truth[:, 0]
    names = of_seeds[0]["methods"]
    return {
        "parameters": of_seeds[0]["parameters"],
        "samples": of_seeds[0]["samples"],
        "seeds": [part["seed"] for part in of_seeds],
        "sharpness": [float(truth[:, 0].min()), float(truth[:, 0].max())],
        "two_over_eta": 2 / of_seeds[0]["step_size"],
        "gap_median": float(np.median(gaps)),
        "gap_least": float(gaps.min()),
        "gradient_seconds": float(
            np.median(np.concatenate([part["gradient_seconds"] for part in of_seeds]))
        ),
        "methods": {name: row(name, of_seeds, peaks) for name in names},
    }


def row(name: str, of_seeds: list[dict], peaks: dict[str, float]) -> dict[str, object]:
    """One method over the seeds: costs of warm evaluations, errors of all."""
    rows = [(part, part["methods"][name]) for part in of_seeds]
    if "left_out" in rows[0][1]:
        return rows[0][1]
    errors, warm = [], {name: [] for name in ("gradients", "cpu", "wall", "products")}
    for part, one in rows:
        for i, place in enumerate(one["place"]):
            true = np.array(part["truth"][place][: len(one["values"][i])])
            errors.append(np.abs(np.array(one["values"][i]) / true - 1).max())
            if place or len(one["place"]) == 1:
                unit = part["gradient_seconds"][place]
                warm["gradients"].append(one["cpu"][i] / unit)
                for key in ("cpu", "wall", "products"):
                    warm[key].append(one[key][i])
    worst = float("inf") if np.isnan(errors).any() else float(np.max(errors))
    return {
        **{key: float(np.mean(values)) for key, values in warm.items()},
        "cold_gradients": float(
            np.mean([one["cpu"][0] / part["gradient_seconds"][0] for part, one in rows])
        ),
        "worst_error": worst,
        "missed": int(sum(not error <= ACCURATE for error in errors)),
        "evaluations": len(errors),
        "accurate": worst <= ACCURATE,
        "memory": peaks.get(name),
    }
