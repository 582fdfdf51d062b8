"""Algebraically largest eigenpairs of a slowly changing symmetric operator, from few products.

Each product is spent on the top eigenvector of a secant model of the operator (module `secant`),
which holds earlier products: a Davidson method whose preconditioner is what earlier evaluations
have learned. An evaluation ends when

1. neither the model promises more than `tolerance` above a wanted Ritz value, nor could the
   wanted ones and the next rise by more if all that is unmeasured had the curvature of the
   model's second pair below them, and half more of what the model was wrong by at the top.
   Both are residual^2 / gap to second order; the latter sees two nearly equal eigenvalues of
   which only a mixture has been found, where a gap misleads;
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

from realnet.curvature.measured import Measured
from realnet.curvature.secant import SecantModel
from realnet.curvature.trend import Trend

Products = Callable[[Tensor], Tensor]
MEMORY = 30  # eigenpairs of the secant model that are kept from one evaluation to the next
SAFETY = 0.1  # the model is a little stale: ask of it this fraction of the tolerance
CAUTION = 0.5  # of a possible rise counts as error: it is close to a bound
STALE = 0.5  # of the model's error at the top is added to what it says of the unmeasured
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
        self.trend = Trend()
        self.seen = 0.0  # the probe's last change outside of the model, relative to the sharpness

    def solve(self, products: Products, tolerance: float, floor: float, limit: int) -> Eigenpairs:
        """One evaluation; `products(V)` is H V by rows, `floor` the roundoff of an eigenvalue."""
        search = Search(self, products, tolerance, floor, limit)
        found = search.run()
        self.trend.learn(self.model.vectors(self.model.eigen()[1][: self.k]))
        self.model.compress(MEMORY + self.k)
        return found

    def state(self) -> dict[str, Tensor]:
        """What the next evaluation depends on."""
        state = {f"model_{name}": value for name, value in self.model.state().items()}
        state |= {f"trend_{name}": value for name, value in self.trend.state().items()}
        state["generator"] = self.generator.get_state()
        state["seen"] = torch.tensor(self.seen, dtype=torch.float64)
        if self.probe is not None:
            state["probe"], state["probe_image"] = (vector.cpu() for vector in self.probe)
        return state

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take up `state()` again."""
        self.model.restore(_part(state, "model_"))
        self.trend.restore(_part(state, "trend_"), self.like.device)
        self.generator.set_state(state["generator"].cpu())
        self.seen = float(state["seen"])
        if "probe" in state:
            self.probe = (state["probe"].to(self.like), state["probe_image"].to(self.like))

    def noise(self) -> Tensor:
        """A random unit vector (n,)."""
        draw = torch.randn(self.n, generator=self.generator, dtype=torch.float64).to(self.like)
        return draw / draw.norm()


def _part(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)
    }


class Search:
    """One evaluation: what has been measured, and what to multiply next."""

    def __init__(
        self, solver: TopSolver, products: Products, tolerance: float, floor: float, limit: int
    ) -> None:
        self.solver, self.model, self.products = solver, solver.model, products
        self.measured = Measured(solver.model)
        self.tolerance, self.floor = tolerance, floor
        self.k, self.limit = solver.k, max(min(limit, solver.n), 1)
        self.cold = self.model.rank == 0
        self.before = self.model.small.clone()
        self.spent = 0
        self.drift = 0.0
        self.surprise: Tensor | None = None
        self.line: list[int] = []
        self.line_began_at = torch.zeros(0)

    def run(self) -> Eigenpairs:
        """Multiply until nothing is left to improve, to measure or to look for."""
        self._begin()
        finished = False
        while not finished and len(self.measured) < self.limit:
            direction = self._improving()
            if direction is None:
                direction = self._near()
            if direction is None:
                direction = self._around()
            if direction is None:
                finished = True
            else:
                vector = self.model.vectors(direction[None])
                self.measured.add(direction, vector[0], self._multiply(vector)[0])
        return self._result(finished or len(self.measured) >= self.solver.n)

    def _multiply(self, vectors: Tensor) -> Tensor:
        self.spent += len(vectors)
        return self.products(vectors)

    def _begin(self) -> None:
        """Multiply the top k, the model's or where they are going, and the probe, in one call."""
        values = self.model.eigen()[0]
        warm = self._warm()
        block = self.model.vectors(warm)
        probe, last = self.solver.probe or (self.solver.noise(), None)
        images = self._multiply(torch.cat([block, probe[None]]))
        self.solver.probe = (probe, images[-1])
        for row, vector, image in zip(warm, block, images, strict=False):
            self.measured.add(row, vector, image)
        if last is None:
            self.measured.add(self.model.express(probe), probe, images[-1])
            return
        s, y = self.measured.coordinates()
        self.drift = float(((s * y).sum(1) - values[: len(s)]).abs().max())
        self.surprise = images[-1] - last

    def _warm(self) -> Tensor:
        """The wanted vectors as they are expected to be, in coordinates, orthonormal rows."""
        guess = self.solver.trend.guess()
        if guess is None or len(guess) > self.limit:
            return self.model.eigen()[1][: min(self.k, self.limit)]
        rows = [self.model.express(vector) for vector in guess]
        ahead = torch.stack([self.model.padded(row) for row in rows])
        return torch.linalg.qr(ahead.T)[0].T

    def _promises(self) -> Tensor:
        """How far the model's eigenvalues lie above the Ritz values."""
        values = self.measured.values()
        return (self.model.eigen()[0][: len(values)] - values).clamp_min(0.0)

    def _errors(self) -> Tensor:
        """min(residual, max(promise / SAFETY, CAUTION possible rise)) of every Ritz pair."""
        residuals = self.measured.ritz()[2]
        errors = self._promises() / SAFETY
        model_values = self.model.eigen()[0]
        if len(model_values) > self.k + 1:
            lowest = float(self.measured.values()[: self.k][-1])
            unmeasured = float(model_values[self.k + 1]) + STALE * self.drift
            rise = self.measured.possible_rise(self.k + 1, min(unmeasured, lowest))
            errors[: len(rise)] = torch.maximum(errors[: len(rise)], CAUTION * rise)
        return torch.minimum(residuals, errors)

    def _allowed(self) -> Tensor:
        """Errors that pass: the tolerance for the wanted pairs, NEAR for a cold start's guards."""
        values = self.measured.values()
        scale = values.abs().max()
        allowed = self.tolerance * values.abs() + self.floor * scale
        allowed[self.k :] = NEAR * scale if self.cold else math.inf
        allowed[self.k + GUARDS :] = math.inf
        return allowed

    def _improving(self) -> Tensor | None:
        """The model's eigenvector for the first wanted pair that is not accurate enough.

        Where the model promises that pair nothing: for the pair, up to the next, that gains most.
        """
        errors, allowed = self._errors(), self._allowed()
        bad = (errors > allowed).nonzero()
        if not len(bad):
            return None
        pair, promises = int(bad[0]), self._promises()
        if promises[pair] <= SAFETY * allowed[pair]:
            pair = int(promises[: self.k + 1].argmax())
        return self.measured.outside(self.model.eigen()[1][pair])

    def _near(self) -> Tensor | None:
        """The model's next eigenvector that is unmeasured and may have risen to the wanted."""
        values, vectors = self.model.eigen()
        lowest = float(self.measured.values()[: self.k][-1])
        margin = NEAR * abs(lowest) + min(3.0 * self.drift, 0.1 * abs(lowest))
        for value, vector in zip(values[self.k :], vectors[self.k :], strict=True):
            if float(value) + margin <= lowest:
                return None
            if self.measured.share(vector) <= 0.5:
                return self.measured.outside(vector)
        return None

    def _around(self) -> Tensor | None:
        """The next direction in which an unknown large eigenvalue is looked for."""
        values = self.measured.values()[: self.k]
        if not self.line:
            return self._new_line(values)
        allowed = self._allowed()[: self.k]
        top, residual = self.measured.unseen(self.line)
        left = float(residual.norm())
        if left > allowed[-1] and top + left > values[-1] + allowed[-1]:
            self.line.append(len(self.measured))
            return self.measured.outside(residual)
        self.line = []
        same = len(self.line_began_at) == len(values)
        same = same and bool(((values - self.line_began_at).abs() <= allowed).all())
        return self._new_line(values) if self.cold and not same else None

    def _new_line(self, values: Tensor) -> Tensor | None:
        """Noise when cold; else the probe's change that the model does not explain, if large."""
        noise = self.model.express(self.solver.noise()) if self.cold else None
        direction = self._unexplained(values) if noise is None else self.measured.outside(noise)
        if direction is not None:
            self.line, self.line_began_at = [len(self.measured)], values
        return direction

    def _unexplained(self, values: Tensor) -> Tensor | None:
        """The change of the probe's image, less what products have shown since, if it is loud."""
        if self.surprise is None or self.solver.probe is None:
            return None
        model, probe = self.model, self.solver.probe[0]
        news = model.small.clone()
        news[: len(self.before), : len(self.before)] -= self.before
        change = self.surprise - model.vectors((news @ model.inside(probe))[None])[0]
        self.surprise = None
        seen_before = self.measured.coordinates()[0] @ model.inside(change)
        left = float(change.double().square().sum()) - float(seen_before.square().sum())
        scale = float(values.abs().max().clamp_min(1e-300))
        seen = (max(left, 0.0) * self.solver.n) ** 0.5 / scale
        usual, self.solver.seen = self.solver.seen, seen
        quiet = seen <= max(QUIET, 2 * usual) and seen <= LOUD
        return None if quiet else self.measured.outside(model.express(change))

    def _result(self, finished: bool) -> Eigenpairs:
        wanted = min(self.k, len(self.measured))
        values, vectors, residuals = self.measured.pairs(wanted)
        errors = self._errors()[:wanted]
        good = (errors <= self._allowed()[:wanted]) & finished
        return Eigenpairs(values, vectors, residuals, errors, good, self.spent)
