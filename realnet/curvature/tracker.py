"""Sharpness of any torch model: top eigenpairs of the full-batch loss Hessian, tracked in training.

tracker = SharpnessTracker(lambda: loss(model(x), y), model)
for step in range(steps):
    if step % 10 == 0:
        print(tracker.evaluate().sharpness)
    ...  # your own training step
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor

from linmodel.errors import InvalidInput, integer, one_of, real, refuse
from realnet.curvature.buffers import still
from realnet.curvature.chunks import Chunks
from realnet.curvature.difference import (
    difference,
    doubts,
    refuse_doubtful,
    refuse_other_slope,
    step,
)
from realnet.curvature.eigensolver import BESIDES, TopSolver, default_memory
from realnet.curvature.evaluated import Curvature, Eigenpairs
from realnet.curvature.graph import Survey, refuse_hooks
from realnet.curvature.jump import Jump
from realnet.curvature.objective import LossFunction, Objective
from realnet.curvature.parameters import Parameters
from realnet.curvature.precision import full_precision, memory_said
from realnet.curvature.ranks import Ranks
from realnet.curvature.search import SHARE
from realnet.curvature.selfcheck import Products, verified
from realnet.curvature.shares import refuse_noise, refuse_wrong_shares
from realnet.curvature.symmetry import refuse_asymmetric, told
from realnet.curvature.training_mode import REMEDY, consistent
from realnet.curvature.unchanged import Watched, unmoved
from realnet.edges.recorded import Recorded

ROUNDOFF = 4.0  # products in floating point give eigenvalues to about this many epsilons


class SharpnessTracker(Recorded):
    """Top-k Hessian eigenpairs of `loss_fn` over `params`, each evaluation warm-started.

    loss_fn     () -> mean loss; with `chunks`, loss_fn(*chunk) -> that chunk's mean loss, or
                (sum, count), for means over tokens or weights
    params      a module: its trainable parameters, read again at every evaluation; or tensors,
                named or not, or an optimiser's param_groups. A tied tensor counts once.
                A module also lets dropout and batch norm be seen.
    chunks      the data in parts, in anything that can be iterated again; see `chunks.Data`
    weights     each chunk's share of the data, in any unit (one for all processes); the chunks'
                lengths where not given
    k           number of eigenpairs
    tolerance   largest estimated relative error of each eigenvalue
    max_products  per evaluation, at least k + 1; where they do not suffice, converged is False
    seed        of the random directions
    memory      vectors of n numbers held at most, what autograd needs aside: at least
                4 k + 11. Default: 4e6 / n, at most 64, at least 16 (from n = 250,000 on),
                4 more for each further pair
    assurance   "fast": a bound on the probability that a larger eigenvalue was missed is asked for
                only where the change since the last evaluation was abrupt (of the top, or the
                parameters moved 20 times farther than usual); "sure": always, until it is at
                most 1e-3 (Lanczos from a random vector in the complement of what was
                found: Kuczynski and Wozniakowski 1992, van Dorsselaer et al. 2000; formula in
                `assurance`). It is in the result as `missed`; where it is larger, converged is
                False. Meanwhile k + 1 more vectors are held.
    product     "autograd": second derivatives; "difference": differences of two gradients, for
                compiled models, float16 and bfloat16, and losses without second derivative. Each
                product costs two gradients, each evaluation four more a pair, which measure by how
                much differences put the eigenvalues off: `step` and `doubt` of the result. More
                than `tolerance` is an error. Of the quantities of `evaluate(which)` the sharpness
                so; "critical", which takes losses only, unless in half precision; no others.
    processes   True, or a group of torch.distributed: each process has the whole model and
                chunks of its own, and calls this at the same steps; all get the same answer. Only
                the sharpness, not the other quantities. Sharded parameters are an error.
    training_mode  "refuse": dropout and batch norm in training mode are an error;
                "consistent": the same dropout masks in every product, batch statistics of the
                chunk, running statistics put back (one chunk only)

    The first evaluation, and each one after the set of tensors has changed, checks itself: the
    loss is the same again, chunks add up, products are derivatives of the gradient (`selfcheck`).
    Raises InvalidInput where that fails; and for nothing to differentiate, half precision
    (but for product="difference"), NaN.
    """

    def __init__(
        self,
        loss_fn: LossFunction,
        params: Parameters,
        *,
        chunks: Chunks | None = None,
        weights: Sequence[float] | None = None,
        k: int = 1,
        tolerance: float = 1e-3,
        max_products: int = 200,
        seed: int = 0,
        memory: int | None = None,
        assurance: str = "fast",
        product: str = "autograd",
        processes: Any = False,
        training_mode: str = "refuse",
    ) -> None:
        ranks = None if processes is False else Ranks(processes)
        with nullcontext() if ranks is None else ranks.told():
            if not callable(loss_fn):
                refuse("loss_fn", type(loss_fn).__name__, "a function that returns the loss")
            self.watched = Watched(loss_fn)
            one_of("product", product, ("autograd", "difference"))
            self.objective = Objective(self.watched, params, chunks, weights, product, ranks)
            model, parts = self.objective.trainable.module, self.objective.data.count
            self.watched.loss_fn = still(loss_fn, model, REMEDY, not self.objective.twice)
            self.objective.loss_fn = consistent(self.watched, model, training_mode, parts, seed)
            self.training_mode = training_mode
            self.asked = integer("k", k, low=1)
            self.tolerance = real("tolerance", tolerance, above=0.0)
            self.seed = integer("seed", seed, low=0)
            self.max_products = integer("max_products", max_products, low=1)
            self.memory = (
                memory if memory is None else integer("memory", memory, low=4 * self.asked + 11)
            )
            self.sure = one_of("assurance", assurance, ("fast", "sure")) == "sure"
            self._checked: tuple[weakref.ref[Tensor], ...] = ()
            self.k, self.solver = self._solver()
            if ranks is not None:
                ranks.agree(self._settings(assurance, product, training_mode))

    def _settings(self, assurance: str, product: str, training_mode: str) -> dict[str, object]:
        """What must be the same on all processes."""
        return {
            "k": self.asked,
            "tolerance": self.tolerance,
            "max_products": self.max_products,
            "seed": self.seed,
            "memory": self.memory,
            "assurance": assurance,
            "product": product,
            "training_mode": training_mode,
            "the number of parameters": self.objective.n,
            "dtype": str(self.objective.stored),
        }

    def refresh(self) -> None:
        """Read again which parameters train; other ones have a solver that has learned nothing."""
        objective = self.objective
        objective.refresh()
        if self._kind != (objective.n, objective.dtype, objective.device):
            self.k, self.solver = self._solver()

    def guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function` of a chunk, run as the loss is: mode, masks and buffers seen to."""
        model, parts = self.objective.trainable.module, self.objective.data.count
        kept = still(function, model, REMEDY, not self.objective.twice)
        return consistent(kept, model, self.training_mode, parts, self.seed)

    def _solver(self) -> tuple[int, TopSolver]:
        k = min(self.asked, self.objective.n)
        if self.max_products <= k:
            refuse("max_products", self.max_products, f"more than k = {k}")
        generator = torch.Generator().manual_seed(self.seed)
        kind = self.objective
        self._kind = kind.n, kind.dtype, kind.device
        memory, self.jump = self.memory or default_memory(kind.n, k), Jump()
        rows = memory - BESIDES
        with memory_said():
            return k, TopSolver(kind.n, k, kind.dtype, kind.device, generator, rows, self.sure)

    def curvature(self) -> Curvature:
        """Eigenpairs, loss and gradient at the parameters as they are now; not in `history`."""
        ranks = self.objective.ranks
        if ranks is None:
            with memory_said():
                return self._curvature()
        with ranks.told(), memory_said():
            found = self._curvature()
        ranks.meet("end", 0)
        return found

    def _curvature(self) -> Curvature:
        objective = self.objective
        self.refresh()
        self.watched.tensors = objective.trainable.everything()
        with unmoved(self.watched.tensors):
            survey = None if self._known() else Survey()
            try:
                loss, gradient = objective.begin(survey)
                products: Products = objective.products
                if survey is not None or self.watched.drew:
                    refuse_noise(objective, objective.own_loss, REMEDY)
                if survey is not None:
                    refuse_hooks(objective.named())
                    refuse_wrong_shares(objective)
                    products = self._verified(float(loss), gradient, survey)
                with full_precision(objective.device, twice=objective.twice):
                    pairs = self.solver.solve(
                        products,
                        SHARE * self.tolerance,
                        ROUNDOFF * torch.finfo(objective.dtype).eps,
                        self.max_products,
                        self.jump.far(objective.params),
                    )
                if survey is not None and objective.twice:
                    refuse_asymmetric(pairs, self.tolerance)
                if objective.twice:
                    pairs = told(pairs, self.tolerance)
                doubt = None if objective.twice else self._doubt(pairs)
            finally:
                objective.end()
        self._checked = tuple(weakref.ref(p) for p in objective.params)
        self.jump.learn(objective.params)
        return Curvature(
            pairs.values,
            pairs.vectors,
            pairs.residuals,
            pairs.errors if doubt is None else pairs.errors + doubt,
            pairs.converged,
            pairs.products,
            float(loss),
            gradient,
            pairs.missed,
            math.nan if doubt is None else step(objective),
            doubt,
        )

    def _verified(self, loss: float, gradient: Tensor, survey: Survey) -> Products:
        """Products, whose first is looked at: by a difference, or, if it is one, by slopes."""
        objective = self.objective
        if objective.twice:
            return verified(objective, loss, gradient, survey)

        def products(vectors: Tensor) -> Tensor:
            seen = difference(objective, vectors[0].to(objective.dtype))
            refuse_other_slope(objective, loss, gradient, vectors[0].to(gradient), seen)
            pending[0] = objective.products
            return seen.image[None]

        pending: list[Products] = [products]
        return lambda vectors: pending[0](vectors)

    def _doubt(self, pairs: Eigenpairs) -> Tensor:
        off = doubts(self.objective, pairs.values, pairs.vectors)
        refuse_doubtful(self.objective, pairs.values, off, self.tolerance)
        return off

    def _known(self) -> bool:
        """Whether the last evaluation was over the same tensors."""
        known = [reference() for reference in self._checked]
        params = self.objective.params
        return len(known) == len(params) and all(
            one is other for one, other in zip(known, params, strict=True)
        )

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint needs for the next evaluation to be the same."""
        moved = {f"jump_{name}": value for name, value in self.jump.state().items()}
        return self.solver.state() | moved

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take up `state()` again. Raises InvalidInput: the state of another model or version."""
        try:
            moved = {name: state[f"jump_{name}"] for name in self.jump.state()}
            jump = Jump()
            jump.restore(moved)
            self.solver.restore(state)
            self.jump = jump
        except InvalidInput:
            raise
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as wrong:
            refuse(
                "tracker's state",
                _unread(wrong),
                "what state() of this version gave",
                "Start the tracker anew: its next evaluation is a cold one.",
            )


def _unread(wrong: Exception) -> str:
    if isinstance(wrong, KeyError):
        return f"one without {wrong}"
    return f"one that cannot be read ({type(wrong).__name__}: {wrong})"


def top_eigenpairs(
    loss_fn: LossFunction, params: Parameters, k: int = 1, **options: object
) -> Curvature:
    """The k algebraically largest Hessian eigenpairs, cold. Options as `SharpnessTracker`."""
    return SharpnessTracker(loss_fn, params, k=k, **options).evaluate()  # type: ignore[arg-type]
