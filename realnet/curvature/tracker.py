"""Sharpness of any torch model: top eigenpairs of the full-batch loss Hessian, tracked in training.

tracker = SharpnessTracker(lambda: loss(model(x), y), model)
for step in range(steps):
    if step % 10 == 0:
        print(tracker.evaluate().sharpness)
    ...  # your own training step
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from linmodel.errors import integer, real
from realnet.curvature.eigensolver import TopSolver
from realnet.curvature.objective import Chunks, LossFunction, Objective, full_precision
from realnet.curvature.training_mode import consistent, refuse_noise

SHARE = 0.5  # of the tolerance is asked of the solver's estimate: estimates are not bounds
ROUNDOFF = 4.0  # products in floating point give eigenvalues to about this many epsilons


@dataclass(frozen=True, slots=True)
class Curvature:
    """The k algebraically largest eigenpairs of the Hessian at one point, descending.

    values, residuals ||H v - lambda v||, errors (estimated) and converged: (k,); vectors: (k, n),
    rows, in the order of the parameters; loss; gradient (n,), of the same point, so that the
    training step need not compute it again; products: Hessian-vector products spent.
    """

    values: Tensor
    vectors: Tensor
    residuals: Tensor
    errors: Tensor
    converged: Tensor
    products: int
    loss: float
    gradient: Tensor

    @property
    def sharpness(self) -> float:
        """The largest eigenvalue (not the largest absolute value)."""
        return float(self.values[0])


class SharpnessTracker:
    """Top-k Hessian eigenpairs of `loss_fn` over `params`, each evaluation warm-started.

    loss_fn     () -> mean loss; with `chunks`, loss_fn(*chunk) -> that chunk's mean loss
    params      a module, or its parameters; a module also lets dropout and batch norm be seen
    tolerance   largest estimated relative error of each eigenvalue
    max_products  per evaluation, at least k + 1; where they do not suffice, converged is False
    training_mode  "refuse": dropout and batch norm in training mode are an error;
                "consistent": the same dropout masks in every product, batch statistics of the
                chunk, running statistics put back (one chunk only)
    Raises InvalidInput: nothing to differentiate, half precision, NaN loss, noisy loss.
    """

    def __init__(
        self,
        loss_fn: LossFunction,
        params: nn.Module | Iterable[Tensor],
        *,
        chunks: Chunks | None = None,
        weights: Sequence[float] | None = None,
        k: int = 1,
        tolerance: float = 1e-3,
        max_products: int = 200,
        seed: int = 0,
        training_mode: str = "refuse",
    ) -> None:
        model = params if isinstance(params, nn.Module) else None
        parts = 1 if chunks is None else len(chunks)
        loss_fn = consistent(loss_fn, model, training_mode, parts, seed)
        self.objective = Objective(loss_fn, params, chunks, weights)
        self.k = min(integer("k", k, low=1), self.objective.n)
        self.tolerance = real("tolerance", tolerance, above=0.0)
        self.max_products = integer("max_products", max_products, low=self.k + 1)
        generator = torch.Generator().manual_seed(seed)
        kind = self.objective
        self.solver = TopSolver(kind.n, self.k, kind.dtype, kind.device, generator)
        self._checked = training_mode != "refuse"

    def evaluate(self) -> Curvature:
        """Eigenpairs, loss and gradient at the parameters as they are now."""
        objective = self.objective
        loss, gradient = objective.begin()
        try:
            if not self._checked:
                refuse_noise(objective, loss)
                self._checked = True
            with full_precision(objective.device):
                pairs = self.solver.solve(
                    objective.products,
                    SHARE * self.tolerance,
                    ROUNDOFF * torch.finfo(objective.dtype).eps,
                    self.max_products,
                )
        finally:
            objective.end()
        return Curvature(
            pairs.values,
            pairs.vectors,
            pairs.residuals,
            pairs.errors,
            pairs.converged,
            pairs.products,
            float(loss),
            gradient,
        )

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint needs for the next evaluation to be the same."""
        return self.solver.state()

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take up `state()` again."""
        self.solver.restore(state)


def top_eigenpairs(
    loss_fn: LossFunction, params: nn.Module | Iterable[Tensor], k: int = 1, **options: object
) -> Curvature:
    """The k algebraically largest Hessian eigenpairs, cold. Options as `SharpnessTracker`."""
    return SharpnessTracker(loss_fn, params, k=k, **options).evaluate()  # type: ignore[arg-type]
