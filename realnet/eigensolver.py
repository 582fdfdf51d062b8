"""Algebraically largest eigenpairs of a slowly changing symmetric operator, from few products.

Each product is spent on the top eigenvector of a secant model (`realnet.secant`) of the operator,
which holds earlier products: a Davidson method whose preconditioner is what earlier evaluations
have learned. An evaluation ends when

1. the model promises no more than `tolerance` above each wanted Ritz value (to second order, this
   is residual^2 / gap with the gaps that the model knows);
2. no vector of the model that could have risen to the wanted ones is left unmeasured;
3. a random probe, the same in every evaluation, shows no new large eigenvalue: where its image
   has changed outside of the model's span, the change is followed (Lanczos) until that part's
   top Ritz value plus residual lies below the wanted ones. A residual certifies *some*
   eigenvalue, never that it is the largest: this is what looks for others.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from realnet.secant import SecantModel

Products = Callable[[Tensor], Tensor]
MEMORY = 12  # eigenpairs of the secant model that are kept from one evaluation to the next
SAFETY = 0.1  # the model is a little stale: ask of it this fraction of the tolerance
GUARDS = 2  # pairs below the wanted ones that a cold start finds as well, to within NEAR
NEAR = 0.02  # a model eigenvalue this close (relative) to a wanted one is measured
QUIET = 0.02  # an unseen change (Frobenius norm over sharpness) that is always let pass
LOUD = 0.3  # one that is always followed; between them, one twice as large as the last


@dataclass(frozen=True, slots=True)
class Eigenpairs:
    """values (k,) descending, vectors (k, n) as rows, residuals ||H v - lambda v|| (k,).

    `errors`: estimated eigenvalue errors (k,); `converged` (k,): within the tolerance asked and
    with the search for larger eigenvalues finished. Values and residuals are Rayleigh quotients
    in float64 of the products themselves.
    """

    values: Tensor
    vectors: Tensor
    residuals: Tensor
    errors: Tensor
    converged: Tensor
    products: int


class TopSolver:
    """The k largest eigenpairs, again and again while the operator changes slowly."""

    def __init__(
        self, n: int, k: int, dtype: torch.dtype, device: torch.device, generator: torch.Generator
    ) -> None:
        self.n, self.k = n, k
        self.model = SecantModel(n, dtype, device)
        self.generator = generator
        self.like = torch.zeros(0, dtype=dtype, device=device)
        self.probe: tuple[Tensor, Tensor] | None = None
        self.seen = 0.0  # the probe's last change outside of the model, relative to the sharpness

    def solve(self, products: Products, tolerance: float, floor: float, limit: int) -> Eigenpairs:
        """One evaluation; `products(V)` is H V by rows, `floor` the roundoff of an eigenvalue."""
        search = Search(self, products, tolerance, floor, limit)
        found = search.run()
        self.model.compress(MEMORY + self.k)
        return found

    def state(self) -> dict[str, Tensor]:
        """What the next evaluation depends on."""
        state = {f"model_{name}": value for name, value in self.model.state().items()}
        state["generator"] = self.generator.get_state()
        state["seen"] = torch.tensor(self.seen, dtype=torch.float64)
        if self.probe is not None:
            state["probe"], state["probe_image"] = (vector.cpu() for vector in self.probe)
        return state

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take up `state()` again."""
        names = ("rows", "small", "unknown")
        self.model.restore({name: state[f"model_{name}"] for name in names})
        self.generator.set_state(state["generator"].cpu())
        self.seen = float(state["seen"])
        if "probe" in state:
            self.probe = (state["probe"].to(self.like), state["probe_image"].to(self.like))

    def noise(self) -> Tensor:
        """A random unit vector (n,)."""
        draw = torch.randn(self.n, generator=self.generator, dtype=torch.float64).to(self.like)
        return draw / draw.norm()


class Search:
    """One evaluation: the products made so far (in the model's coordinates), and which come next.

    `s` and `y`: orthonormal inputs and their images, coordinates, one row each.
    """

    def __init__(
        self, solver: TopSolver, products: Products, tolerance: float, floor: float, limit: int
    ) -> None:
        self.solver, self.model, self.products = solver, solver.model, products
        self.tolerance, self.floor = tolerance, floor
        self.k, self.limit = solver.k, max(min(limit, solver.n), 1)
        self.inputs: list[Tensor] = []
        self.images: list[Tensor] = []
        self.s: list[Tensor] = []
        self.y: list[Tensor] = []
        self._pairs: tuple[Tensor, Tensor, Tensor] | None = None
        self.drift = 0.0
        self.surprise: Tensor | None = None
        self.line: list[int] = []
        self.line_began_at: Tensor | None = None

    def run(self) -> Eigenpairs:
        """Multiply until nothing is left to improve, to measure or to look for."""
        self.cold = self.model.rank == 0
        self._begin()
        finished = False
        while not finished and len(self.s) < self.limit:
            direction = self._improving()
            if direction is None:
                direction = self._near()
            if direction is None:
                direction = self._around()
            if direction is None:
                finished = True
            else:
                self._multiply(direction)
        return self._result(finished or len(self.s) >= self.solver.n)

    def _begin(self) -> None:
        """Multiply the model's top k and the probe, in one call."""
        self.known = self.model.small.clone()
        values, vectors = self.model.eigen()
        warm = vectors[: min(self.k, self.limit)]
        if self.solver.probe is None:
            self.solver.probe = (self.solver.noise(), torch.zeros(0))
        probe, before = self.solver.probe
        block = [self.model.vector(row) for row in warm]
        images = self.products(torch.stack([*block, probe]))
        self.spent = len(images)
        for row, vector, image in zip(warm, block, images, strict=False):
            self._take_in(row, vector, image)
        self.solver.probe = (probe, images[-1])
        if self.cold:
            self._take_in(self.model.express(probe), probe, images[-1])
        else:
            self.drift = max(
                abs(float(s @ y[: len(s)]) - float(value))
                for s, y, value in zip(self.s, self.y, values, strict=False)
            )
            self._compare_probe(images[-1] - before)

    def _compare_probe(self, change: Tensor) -> None:
        """Note how the probe's image has changed, and where the probe lies, in coordinates."""
        self.surprise = self.model.express(change)
        assert self.solver.probe is not None
        self.probe = (self.model.rows @ self.solver.probe[0]).double().cpu()

    def _take_in(self, coordinates: Tensor, vector: Tensor, image: Tensor) -> None:
        """Note s = vector (a unit vector orthogonal to earlier ones) and y = H s."""
        self.inputs.append(vector)
        self.images.append(image)
        y = self.model.express(image)
        self.s.append(coordinates)
        self.y.append(y)
        self._pairs = None
        if self.ritz_values().max() < 0:
            self.model.unknown = float(self.ritz_values().mean())
        self.model.learn(coordinates, y)

    def _multiply(self, direction: Tensor) -> None:
        """One product, along the part of `direction` (coordinates) that is orthogonal to s."""
        vector = self.model.vector(direction)
        image = self.products(vector[None])[0]
        self.spent += 1
        self._take_in(direction, vector, image)

    def _stacked(self) -> tuple[Tensor, Tensor]:
        padded = self.model.padded
        return torch.stack([padded(s) for s in self.s]), torch.stack([padded(y) for y in self.y])

    def ritz_values(self) -> Tensor:
        """Ritz values on the inputs so far, descending."""
        return self._ritz()[0]

    def _ritz(self) -> tuple[Tensor, Tensor, Tensor]:
        """Ritz values, their weights on s as rows, residual norms."""
        if self._pairs is None:
            s, y = self._stacked()
            small = s @ y.T
            values, weights = torch.linalg.eigh(0.5 * (small + small.T))
            values, weights = values.flip(0), weights.flip(1).T
            residuals = (weights @ y - values[:, None] * (weights @ s)).norm(dim=1)
            self._pairs = values, weights, residuals
        return self._pairs

    def _errors(self, values: Tensor, residuals: Tensor) -> Tensor:
        """min(residual, promise / SAFETY) of every Ritz pair."""
        promised = (self.model.eigen()[0][: len(values)] - values).clamp_min(0.0)
        return torch.minimum(residuals, promised / SAFETY)

    def _allowed(self, values: Tensor) -> Tensor:
        """Errors that pass: the tolerance for the wanted pairs, NEAR for a cold start's guards."""
        scale = values.abs().max()
        allowed = self.tolerance * values.abs() + self.floor * scale
        allowed[self.k :] = NEAR * scale if self.cold else math.inf
        allowed[self.k + GUARDS :] = math.inf
        return allowed

    def _outside(self, direction: Tensor) -> Tensor | None:
        """The unit vector along `direction`, made orthogonal to s; None where nothing is left."""
        direction = self.model.padded(direction)
        size = direction.norm()
        s, _ = self._stacked()
        for _ in range(2):
            direction = direction - (s @ direction) @ s
        left = direction.norm()
        return None if left <= 1e-6 * size else direction / left

    def _improving(self) -> Tensor | None:
        """The model's eigenvector for the first wanted pair that is not accurate enough."""
        values, _, residuals = self._ritz()
        good = self._errors(values, residuals) <= self._allowed(values)
        if bool(good.all()):
            return None
        return self._outside(self.model.eigen()[1][int((~good).nonzero()[0])])

    def _near(self) -> Tensor | None:
        """A model eigenvector, hardly measured, whose value may have risen to the wanted ones."""
        lowest = float(self.ritz_values()[: self.k][-1])
        values, vectors = self.model.eigen()
        if len(values) <= self.k:
            return None
        s, _ = self._stacked()
        margin = NEAR * abs(lowest) + min(3.0 * self.drift, 0.1 * abs(lowest))
        value, vector = values[self.k], vectors[self.k]
        if float(value) + margin <= lowest or (s @ vector).square().sum() > 0.5:
            return None
        return self._outside(vector)

    def _around(self) -> Tensor | None:
        """The next direction in which an unknown large eigenvalue is looked for."""
        values = self.ritz_values()
        allowed = self._allowed(values)[: self.k]
        values = values[: self.k]
        if not self.line:
            return self._first_around(values)
        s, y = self._stacked()
        part_s, part_y = s[self.line], y[self.line]
        small = part_s @ part_y.T
        ritz, weights = torch.linalg.eigh(0.5 * (small + small.T))
        image = weights[:, -1] @ part_y
        residual = image - (s @ image) @ s
        left = residual.norm()
        if left > allowed[-1] and ritz[-1] + left > values[-1] + allowed[-1]:
            self.line.append(len(self.s))
            return self._outside(residual)
        began, self.line = self.line_began_at, []
        changed = (
            began is None
            or len(began) < len(values)
            or bool(((values - began).abs() > allowed).any())
        )
        return self._first_around(values) if self.cold and changed else None

    def _first_around(self, values: Tensor) -> Tensor | None:
        """Noise when cold; else the probe's change outside of the model, unless it is small."""
        if self.cold:
            direction = self._outside(self.model.express(self.solver.noise()))
        else:
            direction = self._surprise(values)
        if direction is not None:
            self.line = [len(self.s)]
            self.line_began_at = values
        return direction

    def _surprise(self, values: Tensor) -> Tensor | None:
        change, self.surprise = self.surprise, None
        if change is None:
            return None
        news = self.model.small.clone()
        news[: len(self.known), : len(self.known)] -= self.known
        unexplained = self.model.padded(change) - news @ self.model.padded(self.probe)
        s, _ = self._stacked()
        unexplained -= (s @ unexplained) @ s
        seen = float(unexplained.norm() * self.solver.n**0.5 / values.abs().max())
        before, self.solver.seen = self.solver.seen, seen
        if seen <= max(QUIET, 2 * before) and seen <= LOUD:
            return None
        return self._outside(unexplained)

    def _result(self, finished: bool) -> Eigenpairs:
        """Ritz pairs of the raw products, in float64."""
        values, weights, residuals = self._ritz()
        wanted = min(self.k, len(values))
        errors = self._errors(values, residuals)[:wanted]
        weights = weights[:wanted].to(self.inputs[0].device)
        vectors = sum_of(weights, self.inputs)
        images = sum_of(weights, self.images)
        squares = vectors.square().sum(1)
        found = (vectors * images).sum(1) / squares
        left = (images - found[:, None] * vectors).norm(dim=1) / squares.sqrt()
        good = (errors <= self._allowed(values)[:wanted]) & finished
        return Eigenpairs(found.cpu(), vectors, left.cpu(), errors, good, self.spent)


def sum_of(weights: Tensor, rows: list[Tensor]) -> Tensor:
    """weights @ rows in float64, shape (k, n), one row at a time."""
    total = torch.zeros(len(weights), len(rows[0]), dtype=torch.float64, device=rows[0].device)
    for weight, row in zip(weights.T, rows, strict=True):
        total += torch.outer(weight, row.double())
    return total
