"""Eigenpairs at the small, crowded end of a spectrum: thick-restart Lanczos, started warm.

The smallest eigenvalue of a network's Hessian is one of many a percent apart, a tenth to a
hundredth of the largest in size. There a secant model (module `secant`) loses what it remembers to
the large end, which every new direction meets; a Krylov space keeps the ends apart by itself.

1. The first product is with the last top vector and half of each of the next ones, so that one of
   them that has overtaken is in the space; with a random vector at first, and after a jump.
2. Each further one is with the residual of the Ritz pairs: of a Krylov space all are parallel.
3. Where the rows are full, two thirds of them stay: the top Ritz vectors and the residual (Wu and
   Simon 2000, SIAM J. Matrix Anal. Appl. 22), images with them.
4. An evaluation ends after LEAST products or more, when the bounds |r|^2 over the gap of Temple and
   Kato are within TIGHT of the tolerance. They are none where a larger eigenvalue is not in the
   space yet, which nothing tells but the bound of module `assurance` (`sure`, and after a jump);
   where that sees one, the search begins again from a random vector.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from realnet.curvature.assurance import MISSED, Lanczos, ceiling
from realnet.curvature.evaluated import Eigenpairs
from realnet.curvature.measured import Measured
from realnet.curvature.search import ASKED, Products
from realnet.curvature.secant import SecantModel, noise

NEXT = 3  # vectors beside the wanted that the first product is with
MIX = 0.5  # of each of them
LEAST = 24  # products: with 17 a runner-up, 1% above what was found, was still hidden
TIGHT = 0.3  # of the tolerance: a gap to an eigenvalue that the space does not hold yet is too wide
BESIDES = 4  # vectors: a product, what is multiplied, gradient, parameters; and k that are found


class RestartedLanczos:
    """The k largest eigenpairs, again and again; an operator's smallest are those of minus it.

    rows: vectors (n,) that are held, beside BESIDES; sure: bound the probability of a miss always.
    """

    def __init__(
        self,
        n: int,
        k: int,
        dtype: torch.dtype,
        device: torch.device,
        generator: torch.Generator,
        rows: int,
        sure: bool = False,
    ) -> None:
        self.n, self.k, self.sure, self.generator = n, k, sure, generator
        self.basis = SecantModel(n, rows, dtype, device)
        self.kept = 2 * rows // 3
        self.like = torch.zeros(0, dtype=dtype, device=device)
        self.tops: Tensor | None = None  # coordinates of the first Ritz vectors of the last search

    def solve(
        self,
        products: Products,
        tolerance: float,
        floor: float,
        limit: int,
        abrupt: bool = False,
        level: float = -math.inf,
    ) -> Eigenpairs:
        """One evaluation; `products(V)` is H V by rows, `floor` the roundoff of an eigenvalue.

        abrupt  whether the point has moved much farther than usual: the start is cold, and the
                probability of a miss is bounded
        level   of eigenvalues below, only that they are is asked
        """
        run = _Evaluation(self, products, tolerance, floor, limit, level)
        if abrupt:
            self.tops = None
        return run.run(abrupt or self.sure)

    def noise(self) -> Tensor:
        """A random unit vector (n,)."""
        return noise(self.n, self.like, self.generator)


class _Evaluation:
    def __init__(
        self,
        solver: RestartedLanczos,
        products: Products,
        tolerance: float,
        floor: float,
        limit: int,
        level: float,
    ) -> None:
        self.solver, self.basis, self.products = solver, solver.basis, products
        self.k, self.tolerance, self.floor, self.limit = solver.k, tolerance, floor, limit
        self.level = level
        self.measured = Measured(self.basis)
        self.spent, self.missed = 0, math.nan

    def run(self, bounded: bool) -> Eigenpairs:
        """Search, and where it is asked for ask as well whether something larger was missed."""
        self._begin()
        finished = self._search()
        while finished and bounded and self._open() and not self._asked():
            finished = False  # something larger was seen
            if self._open():
                self._begin()
                finished = self._search()
        return self._result(finished, bounded)

    def _open(self) -> bool:
        return self.spent < self.limit and len(self.measured) < self.solver.n

    def _begin(self) -> None:
        """The first product; the rows are free again but for what it is with."""
        tops, basis = self.solver.tops, self.basis
        self.solver.tops = None  # an evaluation that fails leaves a cold start
        asymmetry = self.measured.asymmetry
        if tops is None:
            basis.forget()
            direction = basis.express(self.solver.noise())
        else:
            weights = torch.full((len(tops),), MIX, dtype=torch.float64, device="cpu")
            weights[: self.k] = 1.0
            direction = basis.padded(weights @ tops)[None]
            direction = (direction @ basis.restart(direction / direction.norm(), 1))[0]
        self.measured = Measured(basis)
        self.measured.asymmetry = asymmetry
        self._measure(direction / direction.norm())

    def _search(self) -> bool:
        """Multiply residuals until they are small enough; whether that point was reached."""
        while self._open():
            errors, allowed = self._errors()
            if bool((errors <= allowed).all()) and self.spent >= LEAST:
                return True
            if not self.basis.room(2):
                self._restart()
            direction = self._next()
            if direction is None:
                return True
            self._measure(direction)
        errors, allowed = self._errors()
        small = bool((errors <= allowed).all()) and self.spent >= LEAST
        return len(self.measured) >= self.solver.n or small

    def _measure(self, direction: Tensor) -> None:
        self.spent += 1
        image = self.products(self.basis.vector(direction)[None])[0]
        self.measured.add(direction, image)

    def _next(self) -> Tensor | None:
        """The residual; noise where none is left of an invariant space; None where that is all."""
        residuals = self.measured.ritz(len(self.measured))[2]
        sizes = residuals.norm(dim=1)
        if float(sizes.max()) > self.basis.roundoff * self.measured.scale():
            direction = self.measured.outside(residuals[sizes.argmax()])
            if direction is not None:
                return direction
        return self.measured.outside(self.basis.express(self.solver.noise()))

    def _restart(self) -> None:
        """Keep the top Ritz pairs and the direction of their residuals."""
        count = min(self.solver.kept - 1, len(self.measured) - 1)
        values, vectors, residuals = self.measured.ritz(count)
        largest = residuals[residuals.norm(dim=1).argmax()][None]
        kept = torch.cat([vectors, largest / largest.norm().clamp_min(1e-300)])
        images = values[:, None] * vectors + residuals
        turned = self.basis.restart(kept, len(kept))
        self.measured.take(torch.cat([vectors, images]) @ turned)

    def _errors(self) -> tuple[Tensor, Tensor]:
        """Bounds on the errors of the wanted Ritz values, and which would pass."""
        values, _, residuals = self.measured.ritz(self.k + 1)
        wanted, sizes = values[: self.k], residuals.norm(dim=1)[: self.k]
        allowed = TIGHT * self.tolerance * wanted.abs() + self.floor * self.measured.scale()
        allowed = allowed.maximum(TIGHT * (self.level - wanted))
        if len(self.measured) >= self.solver.n:
            return torch.zeros_like(sizes), allowed
        if len(values) <= self.k:
            return torch.full_like(sizes, math.inf), allowed
        gaps = (wanted - values[self.k]).clamp_min(1e-300)
        return sizes.minimum(sizes.square() / gaps), allowed

    def _asked(self) -> bool:
        """Bound the probability of a miss; False where something larger is seen."""
        values, vectors, residuals = self.measured.ritz(self.k)
        allowed = self.tolerance * values.abs() + self.floor * self.measured.scale()
        allowed = allowed.maximum(self.level - values)
        level = ceiling(values, residuals @ residuals.T, values, allowed)
        lanczos = Lanczos(self.basis.vector(vectors), self.solver.noise())
        most = self.limit - self.spent if self.solver.sure else ASKED
        self.missed = 1.0
        for _ in range(min(most, self.limit - self.spent)):
            if lanczos.current is None:
                break
            self.spent += 1
            lanczos.step(self.products(lanczos.current[None])[0])
            self.missed = min(self.missed, lanczos.missed(level))
            if lanczos.top() > float((values + allowed)[-1]):
                return False
            if self.missed <= MISSED:
                break
        return True

    def _result(self, finished: bool, bounded: bool) -> Eigenpairs:
        values, vectors, residuals = self.measured.ritz(self.k)
        errors, allowed = self._errors()
        if len(self.measured) >= self.solver.n:
            self.missed = 0.0
        sure = not bounded or self.missed <= MISSED
        good = (errors <= allowed) & finished & sure
        self.solver.tops = self.measured.ritz(self.k + NEXT)[1]
        rounding = self.basis.roundoff * self.measured.scale()
        off = max(self.measured.asymmetry - rounding, 0.0)
        sizes, found = residuals.norm(dim=1), self.basis.vector(vectors)
        return Eigenpairs(
            values, found, sizes, torch.minimum(errors, sizes), good, self.spent, self.missed, off
        )
