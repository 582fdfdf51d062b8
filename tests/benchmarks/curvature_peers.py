"""The tracker and its peers, each as a function of a workload that returns an evaluation.

An evaluation finds the k largest eigenvalues (k,) of the Hessian where the model is now, warm from
the last one where the tool can be. "Our products" share one graph an evaluation
(`realnet.curvature.objective`): eigsh and LOBPCG on them are stronger than the same on products
that build the graph again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from curvature_workloads import Workload
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh
from torch import Tensor, nn

from realnet import SharpnessTracker
from realnet.curvature.objective import Objective, flatten
from realnet.edges.critical import Critical
from realnet.training.losses import sample_loss

Evaluate = Callable[[], np.ndarray]


class Counter:
    """Hessian-vector products of one method."""

    def __init__(self) -> None:
        self.spent = 0


def noise(n: int) -> np.ndarray:
    """The first start of every warm method."""
    return np.random.default_rng(0).normal(size=n)


def ours(work: Workload, count: Counter, k: int = 1) -> Evaluate:
    """SharpnessTracker as a user has it."""
    if work.chunks == 1:
        tracker = SharpnessTracker(work.whole, work.model, k=k)
    else:
        tracker = SharpnessTracker(work.loss_of, work.model, chunks=work.parts(), k=k)

    def evaluate() -> np.ndarray:
        found = tracker.curvature()
        count.spent += found.products
        return found.values.numpy()

    return evaluate


def operator(objective: Objective, count: Counter) -> LinearOperator:
    """The Hessian where `objective.begin()` was called, for SciPy."""

    def product(vector: np.ndarray) -> np.ndarray:
        count.spent += 1
        row = torch.as_tensor(vector.reshape(1, -1)).to(objective.dtype)
        return objective.products(row)[0].double().numpy()

    return LinearOperator((objective.n, objective.n), matvec=product, dtype=np.float64)


def largest(matrix: LinearOperator, start: list, k: int, ncv: int, tol: float) -> np.ndarray:
    """eigsh's k largest; NaN where it does not converge. `start` is updated: warm."""
    try:
        values, vectors = eigsh(matrix, k, which="LA", v0=start[0], ncv=ncv, tol=tol, maxiter=100)
    except ArpackNoConvergence:
        return np.full(k, np.nan)
    start[0] = vectors.sum(1)
    return values[::-1]


def eigsh_ours(work: Workload, count: Counter, k: int, ncv: int, tol: float) -> Evaluate:
    """SciPy's eigsh on our products; warm-started."""
    objective, start = work.objective(), [noise(work.n)]

    def evaluate() -> np.ndarray:
        objective.begin()
        try:
            return largest(operator(objective, count), start, k, ncv, tol)
        finally:
            objective.end()

    return evaluate


class HalfSquare(nn.Module):
    """1/(2N) sum ||f - onehot||^2 as a module."""

    reduction = "mean"

    def forward(self, outputs: Tensor, labels: Tensor) -> Tensor:
        return sample_loss("mse")(outputs, labels).mean()


def module_loss(work: Workload) -> nn.Module:
    """The loss as a module, for tools that take no function."""
    return nn.CrossEntropyLoss() if work.loss == "cross-entropy" else HalfSquare()


def curvlinops_eigsh(work: Workload, count: Counter, k: int, ncv: int, tol: float) -> Evaluate:
    """curvlinops' Hessian operator under a warm-started eigsh."""
    from curvlinops import HessianLinearOperator

    start, kind = [noise(work.n)], module_loss(work)

    def evaluate() -> np.ndarray:
        linear = HessianLinearOperator(
            work.model, kind, work.params, work.parts(), check_deterministic=False
        ).to_scipy()

        def product(vector: np.ndarray) -> np.ndarray:
            count.spent += 1
            return linear @ vector.astype(np.float32)

        matrix = LinearOperator(linear.shape, matvec=product, dtype=np.float64)
        return largest(matrix, start, k, ncv, tol)

    return evaluate


def lobpcg_warm(work: Workload, count: Counter, tol: float) -> Evaluate:
    """Warm LOBPCG, as the edge-of-stochastic-stability code describes its own; rebuilt from that.

    From its description: the eigenvector of the last evaluation is the start; the basis (vector,
    residual, last direction) is orthonormalised by QR after one projection; images of the basis
    are kept, so that an iteration is one product; a warm start skips the direction at first.
    Here a block of one, on our products; stops at ||H v - l v|| <= tol l.
    """
    objective, kept = work.objective(), [torch.tensor(noise(work.n))]

    def evaluate() -> np.ndarray:
        objective.begin()
        x = kept[0].to(objective.dtype)
        x = (x / x.norm())[None]
        image, direction, moved = multiply(x), x[:0], x[:0]
        for _ in range(200):
            value = (x @ image.T).squeeze()
            residual = image - value * x
            if residual.norm() <= tol * value.abs():
                break
            basis = torch.cat([x, direction])
            residual = residual - (residual @ basis.T) @ basis
            residual = residual - (residual @ basis.T) @ basis
            residual = residual / residual.norm()
            basis = torch.cat([basis, residual])
            images = torch.cat([image, moved, multiply(residual)])
            small = basis @ images.T
            weights = torch.linalg.eigh(0.5 * (small + small.T))[1][:, -1:]
            rest = weights.clone()
            rest[0] = 0.0  # the new direction, orthogonal to the new vector
            rest = rest - weights * (weights.T @ rest)
            turn = torch.cat([weights, rest / rest.norm()], 1).T
            (x, direction), (image, moved) = ((turn @ part).split(1) for part in (basis, images))
        kept[0] = x[0].double()
        objective.end()
        return np.array([float(value)])

    def multiply(rows: Tensor) -> Tensor:
        count.spent += 1
        return objective.products(rows)

    return evaluate


class Operand(torch.Tensor):
    """An (n, n) tensor without numbers whose product with (n, m) is a function's, for torch."""

    multiply: Callable[[Tensor], Tensor]

    @classmethod
    def __torch_function__(cls, function, types, given=(), named=None):
        if function is torch.lobpcg:
            return torch._lobpcg._lobpcg(*given, **named)
        if function is torch.matmul:
            return given[0].multiply(given[1])
        with torch._C.DisableTorchFunctionSubclass():
            return function(*given, **(named or {}))


def torch_lobpcg(work: Workload, count: Counter, tol: float) -> Evaluate:
    """torch.lobpcg, warm, on our products through a tensor that only multiplies."""
    objective = work.objective()
    kept = [torch.tensor(noise(work.n), dtype=objective.dtype)[:, None]]

    def multiply(columns: Tensor) -> Tensor:
        count.spent += columns.shape[1]
        return objective.products(columns.T.contiguous()).T

    matrix = torch.zeros(1).expand(work.n, work.n).as_subclass(Operand)
    matrix.multiply = multiply

    def evaluate() -> np.ndarray:
        objective.begin()
        values, kept[0] = torch.lobpcg(matrix, 1, X=kept[0], tol=tol, niter=100, largest=True)
        objective.end()
        return values.double().numpy()

    return evaluate


def edge_way(work: Workload, count: Counter) -> Evaluate:
    """The published edge-of-stability code's way: cold eigsh, 20 vectors, to machine precision.

    Written here from its description, since that code is no package: a new graph every product.
    """

    def product(vector: np.ndarray) -> np.ndarray:
        count.spent += 1
        along = torch.as_tensor(vector.reshape(-1), dtype=torch.float32)
        parts = torch.autograd.grad(work.whole(), work.params, create_graph=True)
        gradient = torch.cat([part.reshape(-1) for part in parts])
        return flatten(torch.autograd.grad(gradient @ along, work.params)).double().numpy()

    def evaluate() -> np.ndarray:
        matrix = LinearOperator((work.n, work.n), matvec=product, dtype=np.float32)
        return eigsh(matrix, 1, which="LA")[0]

    return evaluate


def pyhessian_power(work: Workload, count: Counter, tol: float) -> Evaluate:
    """PyHessian's power iteration (it finds the largest absolute value, cold every time)."""
    from pyhessian import hessian

    kind = module_loss(work)

    def evaluate() -> np.ndarray:
        problem = hessian(work.model, kind, data=(work.inputs, work.labels), cuda=False)
        found = problem.eigenvalues(maxIter=500, tol=tol, top_n=1)[0]
        work.model.zero_grad(set_to_none=True)
        return np.array(found)

    return evaluate


def eigenthings(work: Workload, count: Counter, steps: int) -> Evaluate:
    """hessian-eigenthings' Lanczos of a fixed number of steps, cold every time."""
    from hessian_eigenthings import HessianOperator, lanczos, supervised_loss

    kind = module_loss(work)

    def evaluate() -> np.ndarray:
        matrix = HessianOperator(work.model, work.parts(), supervised_loss(kind))
        count.spent += steps
        return np.array([float(lanczos(matrix, k=1, max_iter=steps, which="LA").eigenvalues[0])])

    return evaluate


def matfree_lanczos(work: Workload, count: Counter, steps: int) -> Evaluate:
    """matfree's Lanczos (JAX), `steps` products from the last eigenvector; compiled beforehand."""
    import jax
    import jax.numpy as jnp
    from matfree import decomp, eig

    layers = [layer for layer in work.model if isinstance(layer, nn.Linear)]
    shapes = [tuple(p.shape) for layer in layers for p in (layer.weight, layer.bias)]
    cuts = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1].tolist()
    inputs = jnp.asarray(work.inputs.reshape(len(work.inputs), -1).numpy())
    hot = jnp.asarray(nn.functional.one_hot(work.labels).numpy(), dtype=jnp.float32)

    def loss(flat):
        pieces = [p.reshape(s) for p, s in zip(jnp.split(flat, cuts), shapes, strict=True)]
        x = inputs
        for place in range(0, len(pieces), 2):
            x = x @ pieces[place].T + pieces[place + 1]
            x = jnp.tanh(x) if place + 2 < len(pieces) else x
        if work.loss == "mse":
            return 0.5 * jnp.square(x - hot).sum(1).mean()
        return -(jax.nn.log_softmax(x) * hot).sum(1).mean()

    def along(vector, flat):
        return jax.jvp(jax.grad(loss), (flat,), (vector,))[1]

    solve = jax.jit(eig.eigh_partial(decomp.tridiag_sym(steps)), static_argnums=0)
    kept = [jnp.asarray(noise(work.n), dtype=jnp.float32)]
    flat = jnp.zeros(work.n)
    jax.block_until_ready(solve(along, kept[0], flat))

    def evaluate() -> np.ndarray:
        flat = jnp.asarray(flatten(work.params).detach().numpy())
        values, vectors = solve(along, kept[0], flat)
        count.spent += steps
        top = int(jnp.argmax(values))
        kept[0] = vectors[top]
        return np.array([float(values[top])])

    return evaluate


def critical(work: Workload, count: Counter) -> Evaluate:
    """Critical sharpness, 2 over the step size at which a gradient step raises the loss."""
    tracker = SharpnessTracker(work.whole, work.model)

    def evaluate() -> np.ndarray:
        return np.array([tracker.evaluate(which=[Critical()])["critical"].value])

    return evaluate


@dataclass(frozen=True)
class Method:
    """A tool at one setting: how it is made, how many eigenvalues, at which points it is asked.

    kind: "every" workload; "small" ones, of fewer than 5e5 parameters; "all" tools, on workloads
    that say so (perceptrons, on which every tool runs).
    """

    name: str
    make: Callable[[Workload, Counter], Evaluate]
    kind: str = "every"
    k: int = 1
    asked: int = 1  # at every so many points; cold tools at fewer


def settings() -> list[Method]:
    """Every tool at every setting that is measured; frozen before the reported seeds are drawn."""
    found = [Method("ours", ours)]
    for ncv, tol, kind in (
        (6, 1e-2, "every"),
        (8, 3e-3, "every"),
        (10, 1e-3, "every"),
        (20, 1e-3, "small"),
    ):
        name = f"eigsh, our products, warm, ncv={ncv}, tol={tol:g}"
        found.append(Method(name, partial(eigsh_ours, k=1, ncv=ncv, tol=tol), kind))
    for tol, kind in ((3e-2, "all"), (1e-2, "every")):
        name = f"warm LOBPCG, edge of stochastic stability, tol={tol:g}"
        found.append(Method(name, partial(lobpcg_warm, tol=tol), kind))
    found.append(Method("torch.lobpcg, warm, tol=0.003", partial(torch_lobpcg, tol=3e-3), "all"))
    for ncv, tol in ((6, 1e-2), (10, 1e-3)):
        name = f"curvlinops + eigsh, warm, ncv={ncv}, tol={tol:g}"
        found.append(Method(name, partial(curvlinops_eigsh, k=1, ncv=ncv, tol=tol), "all"))
    lanczos = partial(matfree_lanczos, steps=10)
    found += [
        Method("matfree (JAX) Lanczos, warm, 10 steps", lanczos, "all"),
        Method("hessian-eigenthings, 20 steps", partial(eigenthings, steps=20), "all", asked=4),
        Method("PyHessian, tol=0.001", partial(pyhessian_power, tol=1e-3), "all", asked=4),
        Method("edge-of-stability way: cold eigsh, tol=0", edge_way, "all", asked=4),
        Method("critical sharpness (approximate)", critical, "all"),
    ]
    for ncv, tol in ((10, 1e-3), (20, 1e-3)):
        name = f"eigsh, our products, warm, k=3, ncv={ncv}, tol={tol:g}"
        found.append(Method(name, partial(eigsh_ours, k=3, ncv=ncv, tol=tol), k=3))
    found.append(Method("ours, k=3", partial(ours, k=3), k=3))
    return found
