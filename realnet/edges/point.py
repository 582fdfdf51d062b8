"""A point of training as quantities see it: each part is computed when it is first asked for."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor

from linmodel.errors import InvalidInput, notice
from realnet.curvature.objective import NotFinite, Objective
from realnet.curvature.parameters import flatten, unflatten
from realnet.curvature.precision import full_precision
from realnet.curvature.shares import refuse_noise, refuse_wrong_shares
from realnet.curvature.training_mode import REMEDY
from realnet.edges.stepping import SHARPNESS, Stepping, read, unwrapped

Function = Callable[..., Any]


class Settings(NamedTuple):
    """Of the tracker, as quantities need them; `vectors`: its `memory`, None for the default."""

    k: int = 1
    tolerance: float = 1e-3
    max_products: int = 200
    seed: int = 0
    sure: bool = False
    vectors: int | None = None


class Point:
    """Loss, gradient, products, the optimiser and its next update, at the parameters as they are.

    memory  kept from one evaluation to the next, by quantity: what starts the next one warm
    spent   products, gradients and forward passes over all data, so far
    noisy   whether the last loss drew random numbers: then it must be the same again
    guarded makes of a function of a chunk one that leaves the modules which it runs as they were
    """

    def __init__(
        self,
        objective: Objective,
        top: Callable[[], Any],
        optimizer: Any = None,
        memory: dict[str, Any] | None = None,
        settings: Settings | None = None,
        noisy: Callable[[], bool] = lambda: False,
        guarded: Callable[[Function], Function] = lambda function: function,
    ) -> None:
        self.objective, self.optimizer, self.noisy = objective, optimizer, noisy
        self.guarded = guarded
        self.memory = {} if memory is None else memory
        asked = settings or Settings()
        self.k, self.tolerance, self.max_products = asked.k, asked.tolerance, asked.max_products
        self.seed, self.sure, self.vectors = asked.seed, asked.sure, asked.vectors
        self.spent = {"products": 0, "gradients": 0, "passes": 0}
        self._top, self._curvature = top, None
        self._loss: float | None = None
        self._gradient: Tensor | None = None
        self._begun = False
        self._stepping: Stepping | None = None
        self._update: Tensor | None = None

    @property
    def curvature(self) -> Any:
        """The tracked top eigenpairs of the Hessian (realnet.curvature.tracker.Curvature)."""
        if self._curvature is None:
            self.close()
            found = self._curvature = self._top()
            self._loss, self._gradient = found.loss, found.gradient
            self.memory["checked"] = list(self.objective.names)  # see verify
            self.spent["products"] += found.products
            self.spent["gradients"] += 1
        return self._curvature

    @property
    def loss(self) -> float:
        """The loss over all data."""
        self._need_gradient()
        assert self._loss is not None
        return self._loss

    @property
    def gradient(self) -> Tensor:
        """Its gradient, flat (n,)."""
        self._need_gradient()
        assert self._gradient is not None
        return self._gradient

    @property
    def known(self) -> tuple[float | None, Tensor | None]:
        """Loss and gradient where something has asked for them: nothing is computed."""
        return self._loss, self._gradient

    def verify(self) -> None:
        """See once to it that the loss, the chunks and its second derivative can be relied on.

        Raises InvalidInput where they cannot, and for product="difference", which has none.
        """
        if not self.objective.twice:
            raise InvalidInput(
                "with product='difference' only the sharpness says by how much it may be off, and "
                "only 'critical' needs no product: ask for these, or track a copy in float32 that "
                "is not compiled."
            )
        if self._curvature is None and self.memory.get("checked") != self.objective.names:
            _ = self.curvature  # its first evaluation checks the loss, the chunks, the products

    def products(self, vectors: Tensor) -> Tensor:
        """H V by rows, (m, n), over all data. Raises InvalidInput as `verify`."""
        if not self._begun:
            self.verify()
            self._begin()
        self.spent["products"] += len(vectors)
        return self.objective.products(vectors)

    def close(self) -> None:
        """Let graphs go."""
        if self._begun:
            self.objective.end()
            self._begun = False

    @property
    def stepping(self) -> Stepping:
        """The optimiser's rules as they are now. Raises InvalidInput where none was given."""
        if self._stepping is None:
            if self.optimizer is None:
                raise InvalidInput(
                    "this quantity needs the optimiser: tracker.watch(optimizer), or "
                    "evaluate(which, optimizer=optimizer)."
                )
            self._stepping = read(self.optimizer, self.objective.params)
            said = self._stepping.said()
            if said and said != self.memory.get("said"):
                self.memory["said"] = said
                notice(said)
        return self._stepping

    def threshold(self, sees: str = SHARPNESS) -> float | None:
        """The optimiser's threshold of this curvature; None: no optimiser, or it sees another."""
        if self.optimizer is None or self.stepping.sees != sees:
            return None
        self._refuse_strangers()
        norm = None
        if any(rule.rho for rule in self.stepping.rules):
            norm = float(self.gradient.norm())
        return self.stepping.threshold(norm)

    @property
    def update(self) -> Tensor:
        """u (n,): the optimiser's next step from this point with this gradient is -eta u.

        A copy of the optimiser takes it, so momentum, preconditioner and decay are its own.
        Raises InvalidInput: half precision, in which steps are lost to rounding.
        """
        if self.objective.stored != self.objective.dtype:
            raise InvalidInput(
                f"a step of {self.objective.stored} parameters is lost in their rounding, so that "
                "this quantity is not known: track a copy in float32 (model.float())."
            )
        if self._update is None:
            if self.optimizer is None or isinstance(self.optimizer, (int, float)):
                self._update = self.gradient
            else:
                self._update = _next_update(self)
            if not bool(torch.isfinite(self._update).all()):
                raise NotFinite(
                    "the optimiser's next update is not finite although loss and gradient are: "
                    "its state holds NaN or infinity. Make the optimiser anew."
                )
        return self._update

    def loss_at(self, shift: Tensor) -> float:
        """The loss with the parameters moved by `shift` (n,): one forward pass; they come back."""
        self.spent["passes"] += 1
        with _moved(self.objective, shift):
            return _forward(self.objective)

    def stepped_by(self) -> Tensor:
        """The gradient (n,) that the optimiser is given: SAM's is at w + rho g / |g|."""
        if not any(rule.rho for rule in self.stepping.rules):
            return self.gradient
        radius = {id(p): float(g["rho"]) for g in self.stepping.groups for p in g["params"]}
        params = self.objective.params
        pieces = unflatten(self.gradient / self.gradient.norm(), params)
        shift = [radius.get(id(p), 0.0) * piece for p, piece in zip(params, pieces, strict=True)]
        self.spent["gradients"] += 1
        with _moved(self.objective, flatten(shift)):
            return self.objective.gradient()[1]

    def _refuse_strangers(self) -> None:
        """The curvature along what the optimiser does not move is none that it sees."""
        own = {id(p) for group in self.stepping.groups for p in group["params"]}
        lost = [name for name, p in self.objective.named().items() if own and id(p) not in own]
        if lost:
            raise InvalidInput(
                f"{len(lost)} tracked tensors are in no group of the optimiser ({lost[0]} is one): "
                "give it all tracked parameters, or track its own."
            )

    def _need_gradient(self) -> None:
        if self._gradient is None:
            self._loss, self._gradient = self.objective.gradient()
            self.spent["gradients"] += 1
            if not (math.isfinite(self._loss) and bool(torch.isfinite(self._gradient).all())):
                raise NotFinite(
                    f"the loss is {self._loss} or its gradient is not finite: no curvature there. "
                    "Lower the step size, or look at the data for NaN."
                )
            known = self.objective.names in (self.memory.get("checked"), self.memory.get("summed"))
            if self.noisy() or not known:
                refuse_noise(self.objective, self._loss, REMEDY)
            if not known:
                refuse_wrong_shares(self.objective)
                self.memory["summed"] = list(self.objective.names)

    def _begin(self) -> None:
        loss, self._gradient = self.objective.begin()
        self._loss, self._begun = float(loss), True
        self.spent["gradients"] += 1


@contextmanager
def _moved(objective: Objective, shift: Tensor) -> Iterator[None]:
    """Other memory in place of the parameters' own, moved by `shift` (n,)."""
    here = [p.data for p in objective.params]
    pieces = unflatten(shift.to(here[0]), objective.params)
    try:
        for p, own, piece in zip(objective.params, here, pieces, strict=True):
            p.data = own + piece
        yield
    finally:
        for p, own in zip(objective.params, here, strict=True):
            p.data = own


def _forward(objective: Objective) -> float:
    total, counts = 0.0, 0.0
    for chunk, weight in objective.data:
        with full_precision(objective.device), torch.no_grad():
            loss, count = objective.loss(chunk)
        total += float(loss) * (weight if count is None else 1.0)
        counts += count or 0.0
    return total / (counts or 1.0)


def _next_update(point: Point) -> Tensor:
    base = unwrapped(point.optimizer)
    base = getattr(base, "base_optimizer", base)
    params, gradient = point.objective.params, point.stepped_by()
    own = {id(p): i for i, p in enumerate(params)}
    pieces = unflatten(gradient, params)
    twin = copy.deepcopy(base)
    moved: list[Tensor | None] = [None] * len(params)
    pairs = [
        (p, q)
        for group, other in zip(base.param_groups, twin.param_groups, strict=True)
        for p, q in zip(group["params"], other["params"], strict=True)
    ]
    for p, q in pairs:
        q.grad = pieces[own[id(p)]].clone() if id(p) in own else None
    largest = point.stepping.step_size
    for group in twin.param_groups:  # all steps are linear in lr: at lr = 1 little cancels
        group["lr"] = float(group["lr"]) / largest if largest else 1.0
    try:
        twin.step()
    except Exception as error:
        raise InvalidInput(
            f"a copy of the optimiser ({type(base).__name__}) cannot take its next step: "
            f"{type(error).__name__}, {error}. Is its state whole?"
        ) from error
    for p, q in pairs:
        if id(p) in own:
            moved[own[id(p)]] = p.detach() - q.detach()
    if any(each is None for each in moved):
        raise InvalidInput(
            "a tracked parameter is in no group of the optimiser: give it all tracked parameters."
        )
    return flatten([each for each in moved if each is not None])
