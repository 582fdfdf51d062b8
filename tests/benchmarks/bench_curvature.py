"""What one evaluation of the sharpness costs, and how true it is: ours and peers.

    python tests/benchmarks/bench_curvature.py [--workloads digits-ce mlp-1e5-edge] [--seeds 3 4]

Every method evaluates the same points of one training, one after the other at each point, in an
order that turns, so that all have the same machine; processor time of one thread, and of one
gradient at that point (best of 3). The first point is cold and is left out of the costs. The truth
is SciPy's eigsh with 24 vectors at tolerance 1e-7, started half at random. Accurate: at most 1e-3
off at every point of every seed. Each (workload, seed) is a file in the folder `--parts`, which is
not made again; `bench_curvature.json` is what all of them come to. A tool that is not installed
is a row that says so. Settings and workloads were committed before the seeds of the table in
docs/benchmarks.md were drawn.

Memory: peak resident memory of a process of its own while a method evaluates three points, beyond
that of the gradient and one Hessian product (objective.begin, objective.products), in vectors of
n float32.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from curvature_peers import Counter, Method, operator, settings
from curvature_summary import summary
from curvature_workloads import WORKLOADS, Workload
from scipy.sparse.linalg import eigsh
from torch import Tensor

from linmodel import store

LARGE = 5e5  # parameters: fewer settings, and memory is measured
EIGSH = "eigsh, our products, warm, ncv="
REMEMBERED = ("ours", EIGSH + "6", EIGSH + "10", "warm LOBPCG")  # whose memory is measured


def truth(work: Workload, points: list[Tensor]) -> np.ndarray:
    """The k + 1 largest eigenvalues, descending, at every point: shape (points, k + 1).

    SciPy's eigsh with 24 vectors, tolerance 1e-7, the start half new at every point.
    """
    objective, generator = work.objective(), np.random.default_rng(1)
    start, found = generator.normal(size=work.n), []
    for point in points:
        objective.write(point)
        objective.begin()
        matrix = operator(objective, Counter())
        values, vectors = eigsh(matrix, work.k + 1, which="LA", v0=start, ncv=24, tol=1e-7)
        objective.end()
        start = vectors.sum(1) / 2 + generator.normal(size=work.n) / work.n**0.5
        found.append(values[::-1])
    return np.array(found)


def gradient_seconds(work: Workload) -> float:
    """Processor seconds of one full-batch gradient here and now (best of 3)."""
    best, objective = float("inf"), work.objective()
    for _ in range(3):
        begun = time.process_time()
        objective.gradient()
        best = min(best, time.process_time() - begun)
    return best


def asked(work: Workload) -> list[Method]:
    """The methods that are asked on a workload."""
    kinds = {"every", *(["small"] * (work.n < LARGE)), *(["all"] * work.all_tools)}
    return [one for one in settings() if one.kind in kinds and one.k <= work.k]


class Run:
    """One method on one workload: its evaluations, one by one."""

    def __init__(self, method: Method, work: Workload) -> None:
        self.method, self.count, self.row = method, Counter(), {}
        try:
            self.evaluate = method.make(work, self.count)
        except ImportError as error:
            self.row["left_out"] = f"not installed: {error}"
            return
        self.row = {name: [] for name in ("place", "cpu", "wall", "products", "values")}

    def look(self, place: int) -> None:
        """Evaluate where the model is now."""
        if "left_out" in self.row or place % self.method.asked:
            return
        before = self.count.spent
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            values = self.evaluate()
        except Exception as error:  # a peer's failure is a result, and the rest goes on
            self.row = {"left_out": f"fails: {type(error).__name__}: {error}"[:200]}
            return
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        found = (place, cpu, wall, self.count.spent - before, values.tolist())
        for name, value in zip(self.row, found, strict=True):
            self.row[name].append(value)


def measure(name: str, seed: int) -> dict[str, object]:
    """All methods on one workload and seed, as they came; nothing is summed up yet."""
    work = WORKLOADS[name](seed)
    points = work.points()
    expected = truth(work, points)
    runs, writer, units = [Run(method, work) for method in asked(work)], work.objective(), []
    for place, point in enumerate(points):
        writer.write(point)
        units.append(gradient_seconds(work))
        turned = place % len(runs)
        for run in runs[turned:] + runs[:turned]:
            gc.collect()
            run.look(place)
    return {
        "workload": name,
        "seed": seed,
        "parameters": work.n,
        "samples": len(work.labels),
        "step_size": work.step_size,
        "gradient_seconds": units,
        "truth": expected.tolist(),
        "methods": {run.method.name: run.row for run in runs},
        "environment": environment(),
    }


def resident() -> int:
    """Peak resident bytes of this process since `forget`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def forget() -> None:
    """Begin the peak again (Linux)."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")


def remembered(name: str, method: str) -> float:
    """Vectors of n float32 that a method adds at its peak to a gradient and a product."""
    work = WORKLOADS[name](0)
    objective, point = work.objective(), torch.cat([p.detach().reshape(-1) for p in work.params])
    for _ in range(2):  # the second time: libraries are loaded
        forget()
        objective.begin()
        objective.products(point[None])
        objective.end()
        bare = resident()
    chosen = next(one for one in settings() if one.name == method)
    evaluate = chosen.make(work, Counter())
    forget()
    for _ in range(3):
        evaluate()
        objective.write(point - work.step_size * objective.gradient()[1])
        point = torch.cat([p.detach().reshape(-1) for p in work.params])
    return (resident() - bare) / (4 * work.n)


def memory(name: str) -> dict[str, float]:
    """`remembered` of some methods, each in a process of its own; empty without /proc."""
    if not Path("/proc/self/clear_refs").exists():
        return {}
    found = {}
    for method in asked(WORKLOADS[name](0)):
        if method.name.startswith(REMEMBERED) and method.k == 1:
            command = [sys.executable, __file__, "--remembered", name, method.name]
            found[method.name] = float(subprocess.check_output(command, text=True))
    return found


def environment() -> dict[str, object]:
    """Where the numbers were taken."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load_average": os.getloadavg(),
        "versions": store.versions(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="build/bench_curvature.json", help="JSON file to write")
    parser.add_argument("--parts", default="build/bench_curvature", help="folder to resume from")
    parser.add_argument("--workloads", nargs="*", choices=WORKLOADS, default=list(WORKLOADS))
    parser.add_argument("--seeds", nargs="*", type=int, default=[0], help="of weights and data")
    parser.add_argument("--remembered", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.remembered:
        print(remembered(*given.remembered))
        return
    parts = Path(given.parts)
    for seed in given.seeds:
        for name in given.workloads:
            made(parts / f"{name}-{seed}.json", lambda name=name, seed=seed: measure(name, seed))
    for name in given.workloads:
        if WORKLOADS[name](0).n >= LARGE:
            made(parts / f"memory-{name}.json", lambda name=name: memory(name))
    result = summary(parts)
    store.write_text(given.out, json.dumps(result, indent=1) + "\n")


def made(path: Path, make) -> None:
    """Make a part that is not there yet."""
    if path.exists():
        return
    print(f"{path.stem} ...", end=" ", flush=True)
    begun = time.process_time()
    path.parent.mkdir(parents=True, exist_ok=True)
    store.write_text(str(path), json.dumps(make(), indent=1) + "\n")
    print(f"{time.process_time() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
