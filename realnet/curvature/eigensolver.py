"""Algebraically largest eigenpairs of a slowly changing symmetric operator, from few products.

1. A secant model of the operator (module `secant`) remembers what products have shown, in a few
   rows, from one evaluation to the next; what it has not been shown of late it doubts: it hopes
   for more there, the more so the longer ago it was and the more the top has changed.
2. Each product is spent on the top eigenvector of that hopeful model, outside of what has been
   measured in this evaluation; the first one on the last top vectors, gone straight on with.
3. An evaluation ends when even the hopeful model has nothing more than `tolerance` above the Ritz
   values of this evaluation's products, which are lower bounds.
4. Then a random probe, the same in every evaluation, is multiplied as well: what has changed of
   its image and is not explained by the model is followed, since an eigenvector that the model
   does not hold shows there (one almost orthogonal to the probe is found late).
5. A cold start, and an evaluation in which the top has changed abruptly, is a Lanczos iteration
   from a random vector of at least COLD products.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from realnet.curvature.measured import Measured
from realnet.curvature.secant import SecantModel, norm
from realnet.curvature.trend import Trend

Products = Callable[[Tensor], Tensor]
UNKNOWN = 0.5  # of the lowest wanted value is hoped for along what has never been measured
DOUBT = 0.01  # of it, an evaluation, by which what was not measured may have risen
CAUTION = 0.25  # of the tolerance is what the hopeful model may promise at the end
COLD = 24  # products of an evaluation that knows nothing; with 10 it settled on the second
ABRUPT = 0.5  # of the top: a change since the last evaluation, or a residual
QUIET = 0.02  # an unseen change (Frobenius norm over sharpness) that is always let pass, and
LOUD = 2.0  # times the usual one, an evaluation and for RECALL evaluations; more is followed
RECALL = 4
KEPT = 10  # pairs beyond the wanted that the model keeps, where it has room for twice as many


SLACK = 6  # rows beyond the kept ones with which an evaluation may begin: rotating costs
BESIDES = 7  # vectors: probe, its image before and now, a product and what was multiplied, gradient


def default_memory(n: int, k: int) -> int:
    """Vectors of n that a tracker holds: 16 for k = 1 from n = 1e6 on, up to 64 for small n."""
    return max(min(4 * 10**6 // n, 64), 16) + 4 * (k - 1)


@dataclass(frozen=True, slots=True)
class Eigenpairs:
    """values (k,) descending, vectors (k, n) as rows, residuals ||H v - lambda v|| (k,).

    `errors`: estimated eigenvalue errors (k,); `converged` (k,): within the tolerance asked and
    with the search for larger eigenvalues finished. Values and residuals are of the products
    themselves, in coordinates of an orthonormal basis, float64.
    """

    values: Tensor
    vectors: Tensor
    residuals: Tensor
    errors: Tensor
    converged: Tensor
    products: int


class TopSolver:
    """The k largest eigenpairs, again and again while the operator changes slowly.

    rows: vectors (n,) that the model may hold; two more are the probe and its image.
    """

    def __init__(
        self,
        n: int,
        k: int,
        dtype: torch.dtype,
        device: torch.device,
        generator: torch.Generator,
        rows: int = 57,
    ) -> None:
        self.n, self.k, self.kept = n, k, max(min(rows // 2 + 1, KEPT + k), 3 * k)
        self.model = SecantModel(n, rows, dtype, device)
        self.generator = generator
        self.like = torch.zeros(0, dtype=dtype, device=device)
        self.probe: tuple[Tensor, Tensor] | None = None  # z and what H z is expected to be
        self.trend = Trend()
        self.usual = 0.0  # change of the probe's image that is not explained, over the sharpness
        self.age = 1  # evaluations since the image that is expected was multiplied

    def solve(self, products: Products, tolerance: float, floor: float, limit: int) -> Eigenpairs:
        """One evaluation; `products(V)` is H V by rows, `floor` the roundoff of an eigenvalue."""
        return Search(self, products, tolerance, floor, limit).run()

    def state(self) -> dict[str, Tensor]:
        """What the next evaluation depends on."""
        state = {f"model_{name}": value for name, value in self.model.state().items()}
        state |= {f"trend_{name}": value for name, value in self.trend.state().items()}
        state["generator"] = self.generator.get_state()
        state["usual"] = torch.tensor(self.usual, dtype=torch.float64, device="cpu")
        state["age"] = torch.tensor(self.age, device="cpu")
        if self.probe is not None:
            state["probe"], state["probe_image"] = (vector.cpu() for vector in self.probe)
        return state

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take up `state()` again."""
        self.model.restore(_part(state, "model_"))
        self.trend.restore(_part(state, "trend_"))
        self.generator.set_state(state["generator"].cpu())
        self.usual, self.age = float(state["usual"]), int(state["age"])
        self.probe = None
        if "probe" in state:
            self.probe = (state["probe"].to(self.like), state["probe_image"].to(self.like))

    def noise(self) -> Tensor:
        """A random unit vector (n,)."""
        kind = self.like.dtype
        draw = torch.randn(self.n, generator=self.generator, dtype=kind, device="cpu")
        draw = draw.to(self.like.device)
        return draw.div_(norm(draw))


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
        self.spent = 0
        self.least = 0  # products to be spent at least
        self.weighed = False  # whether the probe's image has been looked at
        self.probe: tuple[Tensor, Tensor] | None = None  # for the next evaluation

    def run(self) -> Eigenpairs:
        """Multiply until nothing is left to improve or to look for."""
        self._begin()
        finished = False
        while not finished and self.spent < self.limit and len(self.measured) < self.solver.n:
            self._make_room(1)
            direction = self._promising()
            if direction is None and not self.weighed:
                direction = self._unexplained()
            if direction is None:
                finished = True
            elif self.spent < self.limit:
                self._measure(direction)
        return self._result(finished or len(self.measured) >= self.solver.n)

    def _begin(self) -> None:
        """Multiply the vectors expected at the top; noise where nothing is expected."""
        self.model.before = self.model.small
        if self.model.rank > self.solver.kept + SLACK:
            self._restart()
        self._make_room(self.k + 2)
        if self.solver.probe is None:
            return self._begin_cold()
        guess = self.solver.trend.guess()
        expected, vectors = (part[: self.k] for part in self.model.eigen())
        for direction in vectors if guess is None else self.model.padded(guess):
            outside = self.measured.outside(direction)
            if outside is not None:
                self._measure(outside)
        values, _, residuals = self.measured.ritz(self.k)
        drift = float((values - expected[: len(values)]).abs().max())
        self._doubt(drift)
        if max(drift, float(residuals[0].norm())) > ABRUPT * float(values.abs().max()):
            self.least = self.spent + COLD
            noise = self._noise()
            if noise is not None:
                self._measure(noise)
        return None

    def _begin_cold(self) -> None:
        """Multiply the probe itself."""
        self.least, self.weighed = COLD, True
        probe = self.solver.noise()
        coordinates = self.model.express(probe.clone())
        image = self._multiply(probe)
        self.probe = probe, image.clone()
        self.measured.add(coordinates / coordinates.norm(), image)

    def _measure(self, direction: Tensor) -> None:
        self.measured.add(direction, self._multiply(self.model.vector(direction)))
        values = self.measured.ritz(len(self.measured))[0]
        lowest = float(values[: self.k][-1])
        self.model.low = min(self.model.low, float(values[-1]))
        self.model.unknown = lowest - (1 - UNKNOWN) * abs(lowest)

    def _multiply(self, vector: Tensor) -> Tensor:
        self.spent += 1
        return self.products(vector[None])[0]

    def _doubt(self, rise: float) -> None:
        """Hope for `rise` more along all that has not been measured."""
        s, _ = self.measured.coordinates()
        rest = torch.eye(self.model.rank, dtype=s.dtype, device="cpu") - s.T @ s
        self.model.doubt = self.model.doubt + rise * rest

    def _make_room(self, rows: int) -> None:
        """Before the model grows."""
        if not self.model.room(rows):
            self._restart()

    def _restart(self) -> None:
        """Let the model forget all but its top, what was measured of it, and where it was."""
        last, model = self.solver.trend.last, self.model
        others = model.small[:0] if last is None else model.padded(last)
        pairs = self.measured.pairs(self.k, others, self.solver.kept, 10 * model.roundoff)
        first = torch.cat([pairs, others])
        turned = model.restart(first, self.solver.kept)
        self.solver.trend.turn(turned)
        self.measured.take(pairs @ turned)

    def _errors(self) -> tuple[Tensor, Tensor]:
        """Estimated errors of the wanted Ritz values, and which would pass."""
        values = self.measured.ritz(self.k)[0]
        promises = (self.model.hopeful()[0][: len(values)] - values).clamp_min(0.0)
        allowed = self.tolerance * values.abs() + self.floor * self.measured.scale()
        return promises / CAUTION, allowed

    def _promising(self) -> Tensor | None:
        """The hopeful model's eigenvector for the first wanted pair that is not accurate enough."""
        errors, allowed = self._errors()
        bad = (errors > allowed).nonzero()
        first = int(bad[0]) if len(bad) else len(errors)
        if first == self.k and self.spent >= self.least:
            return None
        for vector in self.model.hopeful()[1][first % self.k :]:
            direction = self.measured.outside(vector)
            if direction is not None:
                return direction
        return self._noise()

    def _noise(self) -> Tensor | None:
        self._make_room(2)
        return self.measured.outside(self.model.express(self.solver.noise()))

    def _unexplained(self) -> Tensor | None:
        """The change of the probe's image that products have not shown since, if it is loud.

        What is let pass is kept: small changes add up until they are followed.
        """
        self._make_room(2)
        self.weighed, model = True, self.model
        probe, expected = self.solver.probe  # type: ignore[misc]
        image = self._multiply(probe)
        change = model.vector((model.small - model.before) @ model.inside(probe))
        change.neg_().add_(image).sub_(expected)
        measured = self.measured.coordinates()[0] @ model.inside(change)
        left = float(change.square().sum()) - float(measured.square().sum())
        scale = max(float(self.measured.ritz(self.k)[0].abs().max()), 1e-300)
        seen = (max(left, 0.0) * self.solver.n) ** 0.5 / scale
        age, usual = self.solver.age, self.solver.usual
        quiet = seen <= max(QUIET, LOUD * usual * min(age, RECALL))
        self.solver.age, self.solver.usual = (
            (age + 1 if quiet else 1),
            (seen if age == 1 else usual),
        )
        self.probe = probe, image.sub_(change) if quiet else image
        return None if quiet else self.measured.outside(model.express(change))

    def _result(self, finished: bool) -> Eigenpairs:
        """What was found; the solver is left as the next evaluation needs it."""
        values, vectors, residuals = self.measured.ritz(self.k)
        errors, allowed = self._errors()
        self.solver.trend.learn(self.model.eigen()[1][: self.k])  # improved by what was left over
        if finished and self.probe is not None:  # else what the probe saw is left to be seen again
            self.solver.probe = self.probe
        self.model.doubt = self.model.doubt + DOUBT * float(values.abs().max()) * torch.eye(
            self.model.rank, dtype=torch.float64, device="cpu"
        )
        good = (errors <= allowed) & finished
        found = self.model.vector(vectors)
        sizes = residuals.norm(dim=1)
        return Eigenpairs(values, found, sizes, torch.minimum(errors, sizes), good, self.spent)
