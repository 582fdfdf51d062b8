"""Workload W of the sweep benchmark, its reference, and the reduced form that peers are handed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from linmodel.formulas import sharpness
from linmodel.problem import Array

TARGET_ERROR = 1e-8


@dataclass(frozen=True)
class Workload:
    """Cells of W: arrays of shape (cells,), and 200 times in units of `span` = 3 ln(100 B)/B."""

    alpha: Array
    strength: Array
    k: Array
    grid: Array

    @property
    def cells(self) -> int:
        return len(self.alpha)

    @property
    def span(self) -> Array:
        return 3 * np.log(100 * self.strength) / self.strength

    @property
    def start(self) -> tuple[float, float, Array, Array]:
        """c0, epsilon0, n0^2, o0^2."""
        return 1.0, 0.1, 1 / (1 + self.k), self.k / (1 + self.k)

    def first(self, cells: int) -> Workload:
        """The first `cells` cells (they are in random order)."""
        return Workload(self.alpha[:cells], self.strength[:cells], self.k[:cells], self.grid)

    def sharpness(self, epsilon: Array, tau: Array) -> Array:
        """(cells, times) sharpness from epsilon and intrinsic time, both of that shape (M7, H1)."""
        c0, e0, n2, o2 = self.start
        n2 = n2[:, None] * np.exp(-2 * tau)
        o2 = o2[:, None] * np.exp(-2 * self.alpha[:, None] * tau)
        kappa = c0**2 - e0**2 - 1.0
        c = np.sqrt(kappa + epsilon**2 + n2 + o2)
        out = np.empty_like(epsilon)
        for low in range(0, self.cells, 500):
            at = slice(low, low + 500)
            column = self.alpha[at, None], self.strength[at, None]
            out[at] = sharpness(*column, c[at], epsilon[at], np.sqrt(n2[at]), np.sqrt(o2[at]))
        return out

    def parameters(self) -> Array:
        """(cells, 6): alpha, B, kappa, n0^2, o0^2, T, the constants of the reduced form."""
        c0, e0, n2, o2 = self.start
        kappa = np.full(self.cells, c0**2 - e0**2 - 1.0)
        return np.stack([self.alpha, self.strength, kappa, n2, o2, self.span], axis=1)


def workload(cells: int, seed: int) -> Workload:
    """alpha in [10, 1e5], B in [2, 200], k in [.5, 50], log-uniform; 200 times, 1e-6 T to T."""
    rng = np.random.default_rng(seed)
    alpha, strength, k = (
        np.exp(rng.uniform(np.log(low), np.log(high), cells))
        for low, high in ((10, 1e5), (2, 200), (0.5, 50))
    )
    return Workload(alpha, strength, k, np.geomspace(1e-6, 1, 200))


def reduced_rate(y, p):
    """d(epsilon, tau)/ds, s = t/T, for one cell: the reduced form, with any array or number type.

    epsilon' = T c (B - c epsilon), tau' = T c^2, c^2 = kappa + epsilon^2 + n0^2 e^(-2 tau)
    + o0^2 e^(-2 alpha tau).
    """
    epsilon, tau = y
    alpha, strength, kappa, n2, o2, span, exp, sqrt = p
    c2 = kappa + epsilon * epsilon + n2 * exp(-2 * tau) + o2 * exp(-2 * alpha * tau)
    c = sqrt(c2)
    return span * c * (strength - c * epsilon), span * c2


def mpmath_sharpness(work: Workload, cell: int, at: list[int], digits: int = 30) -> Array:
    """Sharpness of one cell at the times numbered `at`, by mpmath's Taylor integrator."""
    import mpmath

    with mpmath.workdps(digits):
        values = [mpmath.mpf(float(value)) for value in work.parameters()[cell]]
        given = (*values, mpmath.exp, mpmath.sqrt)
        start = [mpmath.mpf("0.1"), mpmath.mpf(0)]
        # kappa = 1 - epsilon0^2 - 1 exactly.
        given = (*values[:2], -(start[0] ** 2), *values[3:6], mpmath.exp, mpmath.sqrt)
        solution = mpmath.odefun(lambda _s, y: list(reduced_rate(y, given)), 0, start)
        found = [[float(value) for value in solution(float(work.grid[place]))] for place in at]
    epsilon, tau = np.array(found).T[:, None, :]
    one = Workload(*(values[cell : cell + 1] for values in (work.alpha, work.strength, work.k)), at)  # type: ignore[arg-type]
    return one.sharpness(epsilon, tau)[0]
