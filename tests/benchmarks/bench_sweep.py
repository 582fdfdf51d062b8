"""Sweeps against peers: workload W (flow) and descent; times, errors, ratios, environment.

    python tests/benchmarks/bench_sweep.py [--cells N] [--quick] [--out FILE]

Every peer runs at the loosest tolerance of a ladder at which its largest error over its cells and
all 200 times is at most 1e-8 (else at its last, and the table says so). Times are processor
seconds of one thread, the best of three.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "XLA_FLAGS"):
    os.environ.setdefault(
        _name, "--xla_cpu_multi_thread_eigen=false" if _name == "XLA_FLAGS" else "1"
    )

import numpy as np  # noqa: E402

from linmodel import sweep  # noqa: E402
from linmodel.kernels.flow_series import cubic_sharpness  # noqa: E402
from linmodel.kernels.lanes import NUMPY  # noqa: E402
from linmodel.sweeps.grid import typical_state  # noqa: E402
from tests.benchmarks.sweep_peers import PEERS, heyoka_batch  # noqa: E402
from tests.benchmarks.sweep_workload import (  # noqa: E402
    TARGET_ERROR,
    Workload,
    mpmath_sharpness,
    workload,
)

LADDER = [10.0**-power for power in range(8, 15)]
REPEATS = 3


def environment() -> dict:
    """Machine, Python, and versions of everything that takes part."""
    names = (
        "numpy scipy numba llvmlite heyoka numbalsoda CyRK jax diffrax torch torchode torchdiffeq"
    )
    found = {}
    for name in names.split():
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    lines = Path("/proc/cpuinfo").read_text().splitlines() if os.name == "posix" else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "load_at_start": os.getloadavg()[0],
        "python": platform.python_version(),
        "packages": found,
    }


def settings(work: Workload) -> dict:
    return {
        "alpha": work.alpha, "beta_norm": work.strength, "k": work.k, "product": False,
        "times": work.grid, "time_scale": "growth", "variables": ["sharpness"],
    }  # fmt: skip


def compile_seconds() -> float:
    """Processor seconds of the first sweep of a fresh process without a cache, less imports."""
    code = (
        "import time; from linmodel import sweep; t = time.process_time();"
        "sweep(10., 4., times=[0, 1.], variables=['sharpness'], threads=1);"
        "print(time.process_time() - t)"
    )
    with tempfile.TemporaryDirectory() as empty:
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "NUMBA_CACHE_DIR": empty},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    return float(done.stdout)


def ours(work: Workload, reference: np.ndarray) -> dict:
    """linmodel.sweep, sharpness included, one thread, in processor time."""
    sweep(**settings(work.first(8)), threads=1)
    one, found = [], None
    for _ in range(2 * REPEATS):
        begun = time.process_time()
        found = sweep(**settings(work), threads=1)
        one.append(time.process_time() - begun)
    assert found is not None
    error = np.abs(found.sharpness.values / reference - 1)
    return {
        "microseconds": 1e6 * min(one) / work.cells,
        "error": float(error.max()),
        "cells": work.cells,
        "speedup_all_cores": speedup(4 * work.cells),
        "off_the_kernel": int((found.status.values != 0).sum()),
    }


def speedup(cells: int) -> float:
    """All cores over one thread, in wall time: what else runs counts, so on an idle machine."""
    given, seconds = settings(workload(cells, seed=2)), {1: [], None: []}
    for _ in range(2 * REPEATS):
        for threads, found in seconds.items():
            begun = time.perf_counter()
            sweep(**given, threads=threads)
            found.append(time.perf_counter() - begun)
    return min(seconds[1]) / min(seconds[None])


def peer(name: str, work: Workload, reference: np.ndarray) -> dict:
    """One peer's row, or why there is none."""
    solve, cells = PEERS[name]
    part = work.first(cells)
    try:
        for tolerance in LADDER:
            found = solve(part, tolerance)
            error = _error(part, found, reference)
            if error <= TARGET_ERROR:
                break
        seconds = [found[2], *(solve(part, tolerance)[2] for _ in range(REPEATS - 1))]
    except ImportError as missing:
        return {"missing": str(missing)}
    return {
        "microseconds": 1e6 * min(seconds) / part.cells,
        "error": error,
        "tolerance": tolerance,
        "cells": part.cells,
    }


def _error(part: Workload, found: tuple, reference: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        error = np.abs(part.sharpness(found[0], found[1]) / reference[: part.cells] - 1)
    return float(np.nan_to_num(error, nan=np.inf).max())


def numpy_sharpness(work: Workload) -> float:
    """Microseconds a cell to get the 200 sharpness values from a peer's states, in NumPy."""
    part, seconds = work.first(200), []
    epsilon, tau, _ = heyoka_batch(part, 1e-12)
    alpha, strength, kappa, n2, o2, _ = part.parameters().T[:, :, None]
    for _ in range(REPEATS):
        begun = time.process_time()
        n2_now, o2_now = n2 * np.exp(-2 * tau), o2 * np.exp(-2 * alpha * tau)
        q = kappa + epsilon**2 + n2_now + o2_now
        b2, product = epsilon**2 + n2_now, epsilon * np.sqrt(q)
        cubic_sharpness(NUMPY, alpha, strength, q, b2, product, o2_now)
        seconds.append(time.process_time() - begun)
    return 1e6 * min(seconds) / part.cells


def descent(cells: int, steps: int, numpy_steps: int) -> dict:
    """`cells` x `steps` against the same loop in NumPy (fewer steps, scaled), both on all cores.

    Seconds are processor seconds of all threads, so that what else runs does not count.
    """
    rng = np.random.default_rng(5)
    alpha, strength, k, ratio = (
        np.exp(rng.uniform(np.log(low), np.log(high), cells))
        for low, high in ((10, 1e4), (2, 30), (0.5, 50), (0.1, 6))
    )
    eta = 2 * ratio / (alpha * strength)
    given = {"step_size": eta, "product": False, "variables": ["final_c", "final_log_abs_o"]}
    sweep(alpha[:64], strength[:64], k[:64], **{**given, "step_size": eta[:64]}, steps=100)
    wall, begun = time.perf_counter(), time.process_time()
    found = sweep(alpha, strength, k, steps=steps, **given)
    wall, mine = time.perf_counter() - wall, time.process_time() - begun
    columns = np.array([*np.broadcast_arrays(*typical_state(k)), eta, alpha, strength])
    parts = np.array_split(columns, cells // 8192 + 1, axis=1)
    begun = time.process_time()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda part: numpy_loop(part, numpy_steps), parts))
    naive = (time.process_time() - begun) * steps / numpy_steps
    counts = np.bincount(found.status.values, minlength=3).tolist()
    return {
        "cells": cells, "steps": steps, "wall_seconds": wall, "seconds": mine,
        "numpy_seconds": naive,
        "numpy_steps_timed": numpy_steps, "ratio": naive / mine,
        "running_settled_diverged": counts,
    }  # fmt: skip


def numpy_loop(columns: np.ndarray, steps: int) -> np.ndarray:
    """Descent with (log|o|, sign o), all cells a step at a time."""
    c, epsilon, n, o, eta, alpha, strength = columns
    log_o, sign = np.log(np.abs(o)), np.sign(o)
    with np.errstate(all="ignore"):
        for _ in range(steps):
            square = c * c
            residual = strength - c * epsilon
            pull = n * n + alpha * np.exp(2 * log_o)
            factor = 1 - eta * alpha * square
            n = n * (1 - eta * square)
            log_o = log_o + np.log(np.abs(factor))
            sign = sign * np.sign(factor)
            c, epsilon = c + eta * (epsilon * residual - c * pull), epsilon + eta * c * residual
    return log_o


def report(found: dict) -> str:
    """The tables as text."""
    mine = found["linmodel.sweep"]["microseconds"]
    more = found["numpy_sharpness_microseconds"]
    lines = [
        f"{'flow, workload W':42}{'us/cell':>10}{'ratio':>8}{'with':>8}{'error':>10}{'cells':>8}",
        "(us/cell and ratio: ours with its 200 sharpness values, peers their states alone;",
        f" with: ratio with their sharpness computed in NumPy, {more:.1f} us/cell)",
    ]
    for name, row in {"linmodel.sweep": found["linmodel.sweep"], **found["peers"]}.items():
        if "missing" in row:
            lines.append(f"{name:42}  {row['missing']}")
            continue
        ratio = row["microseconds"] / mine
        note = "" if row["error"] <= TARGET_ERROR else "  misses 1e-8"
        both = (row["microseconds"] + more) / mine if "tolerance" in row else 1.0
        lines.append(
            f"{name:42}{row['microseconds']:10.2f}{ratio:8.1f}{both:8.1f}{row['error']:10.1e}"
            + f"{row['cells']:8}"
            + note
        )
    cores = found["linmodel.sweep"]["speedup_all_cores"]
    lines.append(f"all cores: {cores:.2f} times one thread (wall time)")
    lines.append(
        f"first call in a fresh installation compiles for {found['compile_seconds']:.1f} s"
    )
    lines.append(f"reference against mpmath: {found['reference_error']:.1e}")
    row = found["descent"]
    lines.append(
        f"descent, {row['cells']:,} cells x {row['steps']:,} steps: {row['seconds']:.1f} s,"
        f" NumPy {row['numpy_seconds']:.0f} s (processor time): {row['ratio']:.0f} times"
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=50_000)
    parser.add_argument("--quick", action="store_true", help="fewer cells and peers' fastest only")
    parser.add_argument("--out", type=Path, default=Path("build/bench_sweep.json"))
    chosen = parser.parse_args()
    record = environment()
    work = workload(chosen.cells, seed=1)
    epsilon, tau, _ = heyoka_batch(work, 1e-17)
    reference = work.sharpness(epsilon, tau)
    places = [0, 60, 120, 160, 199]
    exact = [mpmath_sharpness(work, cell, places) for cell in range(2 if chosen.quick else 4)]
    checked = np.abs(reference[: len(exact), places] / np.array(exact) - 1).max()
    print("reference ready", file=sys.stderr)
    found: dict = {"environment": record, "reference_error": float(checked)}
    found["compile_seconds"] = compile_seconds()
    found["numpy_sharpness_microseconds"] = numpy_sharpness(work)
    found["linmodel.sweep"] = ours(work, reference)
    found["peers"] = {}
    for name in list(PEERS)[: 2 if chosen.quick else None]:
        found["peers"][name] = peer(name, work, reference)
        print(name, found["peers"][name], file=sys.stderr)
    size = (50_000, 10_000, 20) if chosen.quick else (1_000_000, 10_000, 50)
    found["descent"] = descent(*size)
    print(report(found))
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
