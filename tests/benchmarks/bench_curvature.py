"""What one evaluation of the sharpness costs, in gradients, and how true it is: ours and peers.

    python tests/benchmarks/bench_curvature.py [--workloads W1-mse W1e] [--seed 3]

A gradient-equivalent is the CPU time of one full-batch gradient in the same run, one thread. Each
workload is trained once; every method then evaluates the same points, warm-started where it can
be; cold methods (PyHessian, hessian-eigenthings, the edge-of-stability code's way) are asked at
every fifth point. The truth is
SciPy's eigsh with 20 vectors at tolerance 1e-5, started half at random. A method counts as accurate
where its largest relative error over its points is at most 1e-3; the best-tuned peer is the
cheapest accurate one, at the best of the settings listed. "eigsh, our products" is no peer but a
stronger reference: the same solver as under curvlinops, on products that share one graph. Peers
that are not installed are left out and named in the result.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import torch
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh
from torch import Tensor, nn

from linmodel import store
from realnet import SharpnessTracker
from realnet.curvature.objective import Objective, flatten
from realnet.data import datasets
from realnet.networks import Shape, build_network
from realnet.training.losses import sample_loss

ACCURATE = 1e-3
Evaluate = Callable[[], float]


@dataclass
class Workload:
    """A network, its data and loss, and how it is trained: full-batch descent."""

    name: str
    model: nn.Module
    inputs: Tensor
    labels: Tensor
    loss: str
    step_size: float
    steps: int
    every: int

    def loss_fn(self, model: nn.Module, inputs: Tensor) -> Callable[[], Tensor]:
        measure = sample_loss(self.loss)
        return lambda: measure(model(inputs), self.labels).mean()

    def points(self) -> list[Tensor]:
        """Flat parameters at every `every`-th step."""
        objective = Objective(self.loss_fn(self.model, self.inputs), self.model)
        point, found = flatten(objective.params), []
        for step in range(self.steps + 1):
            objective.write(point)
            if step % self.every == 0:
                found.append(point.clone())
            point = point - self.step_size * objective.gradient()[1]
        return found


def digits(name: str, loss: str, step_size: float, steps: int, seed: int) -> Workload:
    """MLP 64-200-200-10, tanh, all 1,797 digits, each pixel standardised (else 2/6 diverges)."""
    data = datasets.load("digits")
    centred = data.inputs - data.inputs.mean(0)
    images = centred / np.maximum(data.inputs.std(0), 1e-6)
    model = build_network("mlp", Shape(10, 1, 8, 8), width=200, depth=2, seed=seed)
    inputs, labels = torch.tensor(images), torch.tensor(data.labels)
    return Workload(name, model, inputs, labels, loss, step_size, steps, 10)


def colour(name: str, steps: int, seed: int) -> Workload:
    """A CNN of about 0.3 M parameters on 1,000 colour photo patches, cross-entropy."""
    data = datasets.load("photos", size=1000)
    _, channels, height, width = data.inputs.shape
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for inputs, outputs, stride in ((channels, 32, 1), (32, 64, 2), (64, 128, 2)):
            layers += [nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1), nn.Tanh()]
        features = 128 * (height // 4) * (width // 4)
        head = [nn.Flatten(), nn.Linear(features, 96), nn.Tanh(), nn.Linear(96, data.n_classes)]
        model = nn.Sequential(*layers, *head)
    x, y = torch.tensor(data.inputs), torch.tensor(data.labels)
    return Workload(name, model, x, y, "cross-entropy", 0.05, steps, 10)


WORKLOADS: dict[str, Callable[[int, int], Workload]] = {
    "W1-ce": lambda steps, seed: digits("W1-ce", "cross-entropy", 2 / 50, steps, seed),
    "W1-mse": lambda steps, seed: digits("W1-mse", "mse", 2 / 50, steps, seed),
    "W1e": lambda steps, seed: digits("W1e", "mse", 2 / 6, steps, seed),
    "W2": lambda steps, seed: colour("W2", min(steps, 40), seed),
}


def operator(objective: Objective, count: list[int]) -> LinearOperator:
    """The Hessian where `objective.begin()` was called, for SciPy."""

    def product(vector: np.ndarray) -> np.ndarray:
        count[0] += 1
        row = torch.as_tensor(vector.reshape(1, -1)).to(objective.dtype)
        return objective.products(row)[0].double().numpy()

    return LinearOperator((objective.n, objective.n), matvec=product, dtype=np.float64)


def truth(work: Workload, points: list[Tensor]) -> np.ndarray:
    """Sharpness at every point by eigsh: 20 vectors, half new at every point, tolerance 1e-5."""
    objective = Objective(work.loss_fn(work.model, work.inputs), work.model)
    generator = np.random.default_rng(0)
    start, found = generator.normal(size=objective.n), []
    for point in points:
        objective.write(point)
        objective.begin()
        matrix = operator(objective, [0])
        values, vectors = eigsh(matrix, 1, which="LA", v0=start, ncv=20, tol=1e-5)
        noise = generator.normal(size=objective.n) / objective.n**0.5
        start = vectors[:, 0] + 0.5 * noise
        found.append(values[0])
    return np.array(found)


def ours(work: Workload) -> tuple[Evaluate, list[int]]:
    """SharpnessTracker as a user has it."""
    count = [0]
    tracker = SharpnessTracker(work.loss_fn(work.model, work.inputs), work.model)

    def evaluate() -> float:
        found = tracker.evaluate()
        count[0] += found.products
        return found.sharpness

    return evaluate, count


def edge_way(work: Workload) -> tuple[Evaluate, list[int]]:
    """The published edge-of-stability code's way: cold eigsh, 20 vectors, to machine precision.

    Written here from its description, since that code is no package: a new graph every product.
    """
    count = [0]
    loss_fn, params = work.loss_fn(work.model, work.inputs), list(work.model.parameters())
    size = sum(p.numel() for p in params)

    def product(vector: np.ndarray) -> np.ndarray:
        count[0] += 1
        along = torch.as_tensor(vector.reshape(-1), dtype=torch.float32)
        gradient = torch.cat(
            [g.reshape(-1) for g in torch.autograd.grad(loss_fn(), params, create_graph=True)]
        )
        return flatten(torch.autograd.grad(gradient @ along, params)).double().numpy()

    def evaluate() -> float:
        matrix = LinearOperator((size, size), matvec=product, dtype=np.float32)
        return float(eigsh(matrix, 1, which="LA")[0][0])

    return evaluate, count


def eigsh_with(work: Workload, ncv: int, tol: float) -> tuple[Evaluate, list[int]]:
    """SciPy's eigsh on our products, which share one graph; warm-started."""
    count = [0]
    objective = Objective(work.loss_fn(work.model, work.inputs), work.model)
    start = [np.random.default_rng(0).normal(size=objective.n)]

    def evaluate() -> float:
        objective.begin()
        return largest(operator(objective, count), start, ncv, tol)

    return evaluate, count


def largest(matrix: LinearOperator, start: list, ncv: int, tol: float) -> float:
    """eigsh's top eigenvalue; NaN where it does not converge. `start` is updated: warm."""
    try:
        values, vectors = eigsh(matrix, 1, which="LA", v0=start[0], ncv=ncv, tol=tol, maxiter=100)
    except ArpackNoConvergence:
        return float("nan")
    start[0] = vectors[:, 0]
    return float(values[0])


def curvlinops_with(work: Workload, ncv: int, tol: float) -> tuple[Evaluate, list[int]]:
    """curvlinops' Hessian operator under a warm-started eigsh."""
    from curvlinops import HessianLinearOperator

    kind = nn.CrossEntropyLoss() if work.loss == "cross-entropy" else HalfSquare()
    count, params = [0], [p for p in work.model.parameters() if p.requires_grad]
    start = [np.random.default_rng(0).normal(size=sum(p.numel() for p in params))]
    pairs = [(work.inputs, work.labels)]

    def evaluate() -> float:
        linear = HessianLinearOperator(
            work.model, kind, params, pairs, check_deterministic=False, progressbar=False
        ).to_scipy()

        def product(vector: np.ndarray) -> np.ndarray:
            count[0] += 1
            return linear @ vector.astype(np.float32)

        matrix = LinearOperator(linear.shape, matvec=product, dtype=np.float64)
        return largest(matrix, start, ncv, tol)

    return evaluate, count


class HalfSquare(nn.Module):
    """1/(2N) sum ||f - onehot||^2 as a module, for curvlinops."""

    reduction = "mean"

    def forward(self, outputs: Tensor, labels: Tensor) -> Tensor:
        return sample_loss("mse")(outputs, labels).mean()


def pyhessian_with(work: Workload, tol: float) -> tuple[Evaluate, list[int]]:
    """PyHessian's power iteration (it finds the largest absolute value, cold every time)."""
    from pyhessian import hessian

    kind = nn.CrossEntropyLoss() if work.loss == "cross-entropy" else HalfSquare()
    count = [0]

    def evaluate() -> float:
        problem = hessian(work.model, kind, data=(work.inputs, work.labels), cuda=False)
        work.model.zero_grad(set_to_none=True)
        return float(problem.eigenvalues(maxIter=500, tol=tol, top_n=1)[0][0])

    return evaluate, count


def eigenthings_with(work: Workload, steps: int) -> tuple[Evaluate, list[int]]:
    """hessian-eigenthings' Lanczos of a fixed number of steps, cold every time."""
    from hessian_eigenthings import HessianOperator, lanczos, supervised_loss

    kind = nn.CrossEntropyLoss() if work.loss == "cross-entropy" else HalfSquare()
    count = [0]

    def evaluate() -> float:
        pairs = [(work.inputs, work.labels)]
        matrix = HessianOperator(work.model, pairs, supervised_loss(kind))
        count[0] += steps
        return float(lanczos(matrix, k=1, max_iter=steps, which="LA", seed=0).eigenvalues[0])

    return evaluate, count


def methods(work: Workload) -> dict[str, tuple[Callable[[], tuple[Evaluate, list[int]]], int]]:
    """Every method by name, and of which part of the points it is asked: a cold one every 5th."""
    found: dict[str, tuple[Callable[[], tuple[Evaluate, list[int]]], int]] = {
        "ours": (lambda: ours(work), 1),
        "eigsh, our products, warm, ncv=6, tol=0.01": (lambda: eigsh_with(work, 6, 1e-2), 1),
    }
    for ncv, tol in ((20, 1e-3), (10, 1e-3), (8, 3e-3), (7, 3e-3), (6, 1e-2), (4, 3e-2)):
        if work.name == "W2" and ncv in (20, 8, 4):
            continue  # minutes each, and next to settings that are asked
        found[f"curvlinops + eigsh, warm, ncv={ncv}, tol={tol:g}"] = (
            lambda ncv=ncv, tol=tol: curvlinops_with(work, ncv, tol),
            1,
        )
    found["edge-of-stability way: cold eigsh, tol=0"] = (lambda: edge_way(work), 5)
    for tol in (1e-3,) if work.name == "W2" else (1e-3, 1e-5):
        found[f"PyHessian, tol={tol:g}"] = (lambda tol=tol: pyhessian_with(work, tol), 5)
    for steps in (2, 20) if work.name == "W2" else (2, 20, 40):
        name = f"hessian-eigenthings, {steps} steps"
        found[name] = (lambda steps=steps: eigenthings_with(work, steps), 5)
    return found


def gradient_seconds(work: Workload) -> float:
    """CPU seconds of one full-batch gradient here and now (best of 3)."""
    loss_fn, params = work.loss_fn(work.model, work.inputs), list(work.model.parameters())
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        torch.autograd.grad(loss_fn(), params)
        best = min(best, time.process_time() - begun)
    return best


def measure(
    work: Workload, points: list[Tensor], expected: np.ndarray, make: Callable
) -> dict[str, object]:
    """Cost and error of one method at every point; the gradient is timed beside each evaluation."""
    evaluate, count = make()
    writer = Objective(work.loss_fn(work.model, work.inputs), work.model)
    costs, products, found = [], [], []
    for point in points:
        writer.write(point)
        unit, before = gradient_seconds(work), count[0]
        begun = time.process_time()
        found.append(evaluate())
        costs.append((time.process_time() - begun) / unit)
        products.append(count[0] - before)
    errors = np.abs(np.array(found) / expected - 1)
    worst = float("inf") if np.isnan(errors).any() else float(errors.max())
    return {
        "gradient_equivalents_median": float(np.median(costs)),
        "beyond_the_step_median": float(np.median(costs)) - 1.0,
        "products_median": float(np.median(products)),
        "relative_error_max": worst,
        "relative_error_median": float(np.nanmedian(errors)),
        "accurate": worst <= ACCURATE,
        "evaluations": len(points),
    }


def bench(work: Workload, only_ours: bool) -> dict[str, object]:
    """All methods on one workload, and our ratio to the cheapest accurate peer."""
    points = work.points()
    expected = truth(work, points)
    rows: dict[str, dict] = {}
    for name, (make, every) in methods(work).items():
        if only_ours and name != "ours":
            continue
        try:
            rows[name] = measure(work, points[::every], expected[::every], make)
        except ImportError as error:
            rows[name] = {"left_out": str(error)}
        print(line(work.name, name, rows[name]), flush=True)
    cost = "gradient_equivalents_median"
    others = {name: row for name, row in rows.items() if "our" not in name}
    peers = {name: row[cost] for name, row in others.items() if row.get("accurate")}
    best = min(peers, key=peers.__getitem__) if peers else None
    return {
        "parameters": sum(p.numel() for p in work.model.parameters()),
        "samples": len(work.labels),
        "evaluations": len(points),
        "sharpness": [float(expected[0]), float(expected[-1])],
        "two_over_eta": 2 / work.step_size,
        "best_peer": best,
        "best_peer_over_ours": peers[best] / rows["ours"][cost] if best else None,
        "methods": rows,
    }


def line(workload: str, name: str, row: dict) -> str:
    """One row of the table."""
    if "left_out" in row:
        return f"{workload:7} {name:46} not installed: {row['left_out']}"
    cost, worst = row["gradient_equivalents_median"], row["relative_error_max"]
    note = "" if row["accurate"] else "  NOT accurate"
    return (
        f"{workload:7} {name:46} {cost:7.1f} gradients {row['products_median']:5.0f} products  "
        f"worst error {worst:.1e} of {row['evaluations']}{note}"
    )


def environment() -> dict[str, object]:
    """Where the numbers were taken."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load_average": os.getloadavg(),
        "versions": store.versions(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="build/bench_curvature.json", help="JSON file to write")
    parser.add_argument("--workloads", nargs="*", choices=WORKLOADS, default=list(WORKLOADS))
    parser.add_argument("--steps", type=int, default=400, help="training steps (W2: at most 40)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the networks")
    parser.add_argument("--only-ours", action="store_true", help="leave the peers out")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    result: dict = {"environment": environment() | {"network_seed": asked.seed}}
    for name in asked.workloads:
        result[name] = bench(WORKLOADS[name](asked.steps, asked.seed), asked.only_ours)
        found = result[name]
        print(f"{name:7} best accurate peer over ours: {found['best_peer_over_ours']}", flush=True)
        store.write_text(asked.out, json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
