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
3. a random probe, the same in every evaluation, shows no new large eigenvalue: where what
   products have not shown of its image has changed since it was last followed, the change is
   followed (Lanczos) until that part's top Ritz value plus residual lies below the wanted ones.
   A residual certifies *some* eigenvalue, never that it is the largest: this is what looks for
   others, and an eigenvector almost orthogonal to the probe is found late. The model's
   runners-up, which go stale unseen, are measured every REVIEW evaluations.
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
RUNNERS_UP, REVIEW = 2, 6  # so many of the model's next pairs are measured every so often
KEPT_ABOVE = 4  # pairs beyond the wanted that the memory holds even where |value| is small
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
        self.probe: tuple[Tensor, Tensor] | None = None  # z and what H z is expected to be
        self.trend = Trend()
        self.seen = 0.0  # the change of what is not explained, relative to the sharpness
        self.since_review = 0

    def solve(self, products: Products, tolerance: float, floor: float, limit: int) -> Eigenpairs:
        """One evaluation; `products(V)` is H V by rows, `floor` the roundoff of an eigenvalue."""
        search = Search(self, products, tolerance, floor, limit)
        found = search.run()
        self.trend.learn(self.model.vectors(self.model.eigen()[1][: self.k]))
        self.model.compress(MEMORY + self.k, self.k + KEPT_ABOVE)
        return found

    def state(self) -> dict[str, Tensor]:
        """What the next evaluation depends on."""
        state = {f"model_{name}": value for name, value in self.model.state().items()}
        state |= {f"trend_{name}": value for name, value in self.trend.state().items()}
        state["generator"] = self.generator.get_state()
        state["seen"] = torch.tensor(self.seen, dtype=torch.float64, device="cpu")
        state["since_review"] = torch.tensor(self.since_review, device="cpu")
        if self.probe is not None:
            state["probe"], state["probe_image"] = (vector.cpu() for vector in self.probe)
        return state

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take up `state()` again."""
        self.model.restore(_part(state, "model_"))
        self.trend.restore(_part(state, "trend_"), self.like.device)
        self.generator.set_state(state["generator"].cpu())
        self.seen, self.since_review = float(state["seen"]), int(state["since_review"])
        self.probe = None
        if "probe" in state:
            self.probe = (state["probe"].to(self.like), state["probe_image"].to(self.like))

    def noise(self) -> Tensor:
        """A random unit vector (n,)."""
        draw = torch.randn(self.n, generator=self.generator, dtype=torch.float64, device="cpu").to(
            self.like
        )
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
        self.k, self.limit = solver.k, limit
        self.cold = solver.probe is None
        self.review = solver.since_review >= REVIEW
        self.spent = 0
        self.drift = 0.0
        self.before = self.model.small.clone()
        self.probe, self.image, self.expected = solver.like, solver.like, solver.like
        self.weighed = self.cold
        self.line: list[int] = []
        self.line_began_at = torch.zeros(0, device="cpu")

    def run(self) -> Eigenpairs:
        """Multiply until nothing is left to improve, to measure or to look for."""
        self._begin()
        finished = False
        while not finished and self.spent < self.limit and len(self.measured) < self.solver.n:
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
        finished = finished or len(self.measured) >= self.solver.n
        if finished:
            self._remember()
        return self._result(finished)

    def _remember(self) -> None:
        """For the next evaluation; one cut short leaves all of this to be done again."""
        solver = self.solver
        solver.since_review = 1 if self.review or self.cold else solver.since_review + 1
        solver.probe = self.probe, self.expected

    def _multiply(self, vectors: Tensor) -> Tensor:
        self.spent += len(vectors)
        return self.products(vectors)

    def _begin(self) -> None:
        """Multiply the top k, the model's or where they are going, and the probe, in one call."""
        values = self.model.eigen()[0]
        warm = self._warm()
        block = self.model.vectors(warm)
        self.probe, expected = self.solver.probe or (self.solver.noise(), None)
        images = self._multiply(torch.cat([block, self.probe[None]]))
        self.image = images[-1]
        self.expected = self.image if expected is None else expected
        for row, vector, image in zip(warm, block, images, strict=False):
            self.measured.add(row, vector, image)
        if len(warm):
            s, y = self.measured.coordinates()
            self.drift = float(((s * y).sum(1) - values[: len(s)]).abs().max())
        else:
            self.measured.add(self.model.express(self.probe), self.probe, self.image)

    def _warm(self) -> Tensor:
        """The wanted vectors as they are expected to be, in coordinates, orthonormal rows."""
        guess = self.solver.trend.guess()
        if guess is None:
            return self.model.eigen()[1][: self.k]
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
        """The model's next eigenvector that is unmeasured and may have risen to the wanted.

        In a review: its runners-up in any case.
        """
        values, vectors = self.model.eigen()
        lowest = float(self.measured.values()[: self.k][-1])
        margin = NEAR * abs(lowest) + min(3.0 * self.drift, 0.1 * abs(lowest))
        for place, vector in enumerate(vectors[self.k :]):
            due = self.review and place < RUNNERS_UP
            if not due and float(values[self.k + place]) + margin <= lowest:
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
        """The change of the probe's image that products have not shown since, if it is loud.

        What is let pass is kept: small changes add up until they are followed.
        """
        if self.weighed:
            return None
        self.weighed, model = True, self.model
        news = model.small.clone()
        news[: len(self.before), : len(self.before)] -= self.before
        shown = model.vectors((news @ model.inside(self.probe))[None])[0]
        change = self.image - self.expected - shown
        measured = self.measured.coordinates()[0] @ model.inside(change)
        left = float(change.double().square().sum()) - float(measured.square().sum())
        scale = float(values.abs().max().clamp_min(1e-300))
        seen = (max(left, 0.0) * self.solver.n) ** 0.5 / scale
        usual, self.solver.seen = self.solver.seen, seen
        if seen <= max(QUIET, 2 * usual) and seen <= LOUD:
            self.expected = self.expected + shown
            return None
        self.expected = self.image
        return self.measured.outside(model.express(change))

    def _result(self, finished: bool) -> Eigenpairs:
        wanted = min(self.k, len(self.measured))
        values, vectors, residuals = self.measured.pairs(wanted)
        errors = self._errors()[:wanted]
        good = (errors <= self._allowed()[:wanted]) & finished
        return Eigenpairs(values, vectors, residuals, errors, good, self.spent)
