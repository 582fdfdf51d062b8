"""One evaluation of the top of a slowly changing operator: what to multiply next, and when to end.

The rules are in module `eigensolver`, whose TopSolver keeps what is between evaluations.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from realnet.curvature.assurance import MISSED, Lanczos, ceiling
from realnet.curvature.evaluated import Eigenpairs
from realnet.curvature.measured import Measured
from realnet.curvature.probe import LOUD, Change
from realnet.curvature.remembered import Kept
from realnet.curvature.trend import Trend

Products = Callable[[Tensor], Tensor]
UNKNOWN = 0.5  # of the lowest wanted value is hoped for along what has never been measured
DOUBT = 0.01  # of it, an evaluation, by which what was not measured may have risen
CAUTION = 0.25  # of the tolerance is what the hopeful model may promise at the end
TEMPLE = 0.5  # of the bound |r|^2 over the gap; where eigenvalues crowd the model hopes for less
COLD = 24  # products of an evaluation that knows nothing; with 10 it settled on the second
ASKED = 48  # products, after an abrupt change, to bound the probability of a miss
ABRUPT = 0.5  # of the top: a change since the last evaluation, a residual, or what has risen
LOST = 2.0  # times what is left of the top: a drop to a third, which no exchange of places is
CALM = 0.02  # of the top: by more, up to LOOKS products tell a change from an exchange of places
LOOKS = 2
FADING = 0.8  # of a drift is feared in the next evaluation as well
SHARE = 0.5  # of the tolerance is asked of the estimates: they are not bounds
FORGOTTEN = 1e-6  # of what the model holds: below, its roundoff is all that it has to tell
SLACK = 6  # rows beyond the kept ones with which an evaluation may begin: rotating costs


class Search:
    """What has been measured in this evaluation, and what is to be multiplied next."""

    def __init__(
        self,
        solver: Kept,
        products: Products,
        tolerance: float,
        floor: float,
        limit: int,
        abrupt: bool,
    ) -> None:
        self.solver, self.model, self.products = solver, solver.model, products
        self.measured = Measured(solver.model)
        self.tolerance, self.floor = tolerance, floor
        self.k, self.limit = solver.k, limit
        self.spent = 0
        self.least = 0  # products to be spent at least
        self.weighed = False  # whether the probe's image has been looked at
        self.abrupt = abrupt  # whether the operator is another one than at the last evaluation
        self.missed, self.asked = math.nan, 0  # bound on a miss; products spent on it
        self.probe: tuple[Tensor, Tensor] | None = None  # for the next evaluation

    def run(self) -> Eigenpairs:
        """Multiply until nothing is left to improve or to look for."""
        self._begin()
        finished = self._search()
        while finished and (self.abrupt or self.solver.sure) and self._open():
            self._assure()
            if self.missed <= MISSED or (self.asked >= ASKED and not self.solver.sure):
                break
            finished = self._search()
        return self._result(finished)

    def _open(self) -> bool:
        """Whether there is something left to multiply, and products to do it with."""
        return self.spent < self.limit and len(self.measured) < self.solver.n

    def _search(self) -> bool:
        """Multiply what is hoped for, until nothing is; whether that point was reached."""
        while self._open():
            self._make_room(1)
            direction = self._promising()
            if direction is None and self.weighed:
                return True
            if direction is None:
                self._weigh()
            else:
                self._measure(direction)
        return len(self.measured) >= self.solver.n

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
        drift = before = self._drift(expected)
        for _ in range(LOOKS):
            if not CALM < drift <= LOST or not self._open():
                break
            self._make_room(1)
            direction = self._hoped(0)
            if direction is not None:
                self._measure(direction)
            drift = self._drift(expected)
        values, _, residuals = self.measured.ritz(self.k)
        size = max(float(values.abs().max()), 1e-300)
        if size < FORGOTTEN * float(self.model.before.norm()) and self._open():
            return self._forget()
        self.solver.drift = max(min(drift, 1.0), FADING * self.solver.drift)
        self._doubt(max(drift, self.solver.drift) * size)
        if self.abrupt or before > LOST or max(drift, float(residuals[0].norm()) / size) > ABRUPT:
            self.least, self.abrupt = self.spent + COLD, True
            noise = self._noise() if self._open() else None
            if noise is not None:
                self._measure(noise)
        return None

    def _forget(self) -> None:
        """Begin anew where the top is gone, to zero or nearly: nothing left of it is known."""
        self.model.forget()
        self.solver.trend, self.solver.drift = Trend(), 0.0
        self.measured, self.abrupt = Measured(self.model), True
        self._begin_cold()

    def _drift(self, expected: Tensor) -> float:
        """By how much the Ritz values differ from the expected ones, over the largest of them."""
        values = self.measured.ritz(self.k)[0]
        size = max(float(values.abs().max()), 1e-300)
        return float((values - expected[: len(values)]).abs().max()) / size

    def _assure(self) -> None:
        """Bound the probability of a miss; ends early where there is something larger to follow."""
        values, vectors, residuals = self.measured.ritz(self.k)
        gram = residuals @ residuals.T
        lanczos = Lanczos(self.model.vector(vectors), self.solver.noise())
        self.missed = 1.0
        while lanczos.current is not None and self._open():
            self.asked += 1
            self._make_room(2)
            direction = self.model.express(lanczos.current.clone())
            image = self._multiply(lanczos.current)
            lanczos.step(image)
            self.measured.add_outside(direction, image)
            del image
            now, allowed = self.measured.ritz(self.k)[0], self._errors()[1] / SHARE
            level = ceiling(values, gram, now, allowed)
            self.missed = min(self.missed, lanczos.missed(level))
            if self.missed <= MISSED or lanczos.top() > level:
                break
            if self.asked >= ASKED and not self.solver.sure:
                break

    def _begin_cold(self) -> None:
        """Multiply the probe itself."""
        self.least, self.weighed = self.spent + COLD, True
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
        x, y = pairs.chunk(2)
        first = torch.cat([x, y / max(self.measured.scale(), 1e-300), others])
        turned = model.restart(first, self.solver.kept)
        self.solver.trend.turn(turned)
        self.measured.take(pairs @ turned)

    def _errors(self) -> tuple[Tensor, Tensor]:
        """Estimated errors of the wanted Ritz values, and which would pass."""
        values, _, residuals = self.measured.ritz(self.k)
        hoped, sizes = self.model.hopeful()[0], residuals.norm(dim=1)
        errors = (hoped[: len(values)] - values).clamp_min(0.0) / CAUTION
        if len(hoped) > self.k:
            gaps = (values - hoped[self.k]).clamp_min(1e-300)
            errors = errors.maximum(TEMPLE * sizes.minimum(sizes.square() / gaps))
        allowed = self.tolerance * values.abs() + self.floor * self.measured.scale()
        return errors, allowed

    def _promising(self) -> Tensor | None:
        """The hopeful model's eigenvector for the first wanted pair that is not accurate enough."""
        errors, allowed = self._errors()
        bad = (errors > allowed).nonzero()
        first = int(bad[0]) if len(bad) else len(errors)
        if first == self.k and self.spent >= self.least:
            return None
        return self._hoped(first % self.k)

    def _hoped(self, first: int) -> Tensor | None:
        """Of the hopeful model's eigenvectors from `first` on, what has not been measured."""
        for vector in self.model.hopeful()[1][first:]:
            direction = self.measured.outside(vector)
            if direction is not None:
                return direction
        return self._noise()

    def _noise(self) -> Tensor | None:
        self._make_room(2)
        return self.measured.outside(self.model.express(self.solver.noise()))

    def _weigh(self) -> None:
        """Multiply the probe, and where its image has changed loudly, known or unknown.

        What is let pass is kept: small changes add up until they are followed.
        """
        self._make_room(3)
        self.weighed, model, solver = True, self.model, self.solver
        probe, expected = solver.probe  # type: ignore[misc]
        image, inside = self._multiply(probe), model.inside(probe)
        self.measured.compare(inside, model.inside(image))
        change = model.vector((model.small - model.before) @ inside)
        change.neg_().add_(image).sub_(expected)
        lowest = float(self.measured.ritz(self.k)[0][-1])
        allowed = max(float(self._errors()[1][-1]), 1e-300)
        seen = Change(model, self.measured, change, lowest + allowed, allowed)
        known = seen.known > LOUD or solver.known.broken(seen.known)
        new = solver.unknown.broken(seen.unknown)
        unknown = seen.unknown > LOUD or new
        solver.known.learn(seen.known, known)
        solver.unknown.learn(seen.unknown, unknown)
        self.probe, held = (probe, image), model.inside(change)
        if not known:
            model.remove(held, image)
        if not unknown:
            model.remove(held, change)
            image.sub_(change)
        towards = seen.inside()
        beyond = seen.outside() if unknown else None
        del seen, change, image  # vectors of n that the products to come need not lie beside
        if beyond is not None:
            self._follow(beyond, new)
        if known:
            self._follow(towards, False)

    def _follow(self, direction: Tensor, new: bool) -> None:
        """Multiply where the probe's image has changed; something that comes up there is abrupt."""
        outside = self.measured.outside(direction)
        if outside is None or not self._open():
            return
        before = float(self.measured.ritz(1)[0][0])
        self._measure(outside)
        top = float(self.measured.ritz(1)[0][0])
        risen = new and self.measured.last() > (1 - ABRUPT) * abs(top)
        self.abrupt |= risen or top - before > ABRUPT * abs(before)

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
        if len(self.measured) >= self.solver.n:
            self.missed = 0.0
        sure = not (self.abrupt or self.solver.sure) or self.missed <= MISSED
        good = (errors <= allowed) & finished & sure
        found = self.model.vector(vectors)
        sizes = residuals.norm(dim=1)
        errors, rounding = torch.minimum(errors, sizes), self.model.roundoff * self.measured.scale()
        off = max(self.measured.asymmetry - rounding, 0.0)
        return Eigenpairs(values, found, sizes, errors, good, self.spent, self.missed, off)
