"""Critical sharpness: the step size at which the next update stops lowering the loss."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.optimize import brentq

from linmodel.errors import real
from realnet.edges.point import Point
from realnet.edges.quantity import Measured

DOUBLINGS = 40  # of the step size, before the loss is said never to rise


@dataclass(frozen=True)
class Critical:
    """2 / eta_c, eta_c = least eta > 0 with L(theta - eta u) > L(theta), u the next update.

    Line search by forward passes, begun at the last eta_c; f(eta) = (L(theta - eta u) - L) / eta
    begins at -g^T u and is a straight line for a quadratic loss, so few passes find its root (5 or
    6 warm). Threshold: 2/eta, whatever the optimiser. A quadratic's value is u^T H u / g^T u.
    tolerance: relative, of eta_c.

    Losses and one gradient are all that is needed: product="difference" goes too, half precision
    does not, in which steps are lost to rounding.
    inf where u does not descend (g^T u <= 0), 0 where the loss does not rise along u.
    """

    tolerance: float = 0.01
    name = "critical"
    definition = "2 / eta_c, eta_c the least step size at which the next update raises the loss"
    unit = "1 / time"
    source = "Kalra et al. 2026, arXiv 2601.16979"

    def __post_init__(self) -> None:
        real("tolerance", self.tolerance, above=0.0)

    def measure(self, point: Point) -> Measured:
        """more: eta_c, passes."""
        before = point.spent["passes"]
        eta = self._critical_step(point)
        value = math.inf if eta == 0 else 2 / eta
        threshold = None
        if point.optimizer is not None:
            threshold = 2 / point.stepping.step_size if point.stepping.step_size else math.inf
        more = {"eta_c": eta, "passes": float(point.spent["passes"] - before)}
        return Measured(value, threshold, more=more)

    def _critical_step(self, point: Point) -> float:
        update, loss = point.update, point.loss
        slope = -float(point.gradient.double() @ update.double())
        if not slope < 0:
            return 0.0
        seen = {0.0: slope}

        def rise(eta: float) -> float:
            if eta not in seen:
                moved = point.loss_at(-eta * update)
                seen[eta] = (moved - loss) / eta if math.isfinite(moved) else math.inf
            return seen[eta]

        high = point.memory.get(self.name) or self._guess(point)
        high *= 1 + 2 * self.tolerance
        low = 0.0
        for _ in range(DOUBLINGS):
            if rise(high) > 0:
                break
            low, high = high, self._next(seen, high)
        else:
            return math.inf
        while not math.isfinite(rise(high)):
            middle = (low + high) / 2
            low, high = (middle, high) if rise(middle) <= 0 else (low, middle)
        if low == 0.0:  # the last eta_c brackets from below too, where little has changed
            below = high / (1 + 2 * self.tolerance) ** 2
            low, high = (below, high) if rise(below) <= 0 else (0.0, below)
        eta = float(brentq(rise, low, high, xtol=0.1 * self.tolerance * high, rtol=self.tolerance))
        point.memory[self.name] = eta
        return eta

    @staticmethod
    def _guess(point: Point) -> float:
        """The optimiser's step size, else the step that would lower the loss to zero."""
        if point.optimizer is not None and point.stepping.step_size:
            return point.stepping.step_size
        return abs(point.loss) / float(point.gradient.norm()) ** 2 or 1.0

    @staticmethod
    def _next(seen: dict[float, float], high: float) -> float:
        """Where the line through the start and the last point is zero, twice to 8 times as far."""
        rise = (seen[high] - seen[0.0]) / high
        root = -seen[0.0] / rise * 1.02 if rise > 0 else math.inf
        return min(max(2 * high, root), 8 * high)
