"""The largest stable step size, from what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scipy.optimize import brentq

from linmodel import thresholds
from linmodel.errors import refuse
from realnet.edges.evaluation import Edges
from realnet.edges.stepping import Rule, read


@dataclass(frozen=True, slots=True)
class Advice:
    """The step size at which the measured curvature equals the optimiser's threshold.

    step_size the optimiser's now; largest the largest stable one; by: the quantity it is from.
    Printed, it is a sentence. It holds here and now: curvature that rises makes it smaller.
    """

    step_size: float
    largest: float
    by: str
    value: float
    threshold: float

    @property
    def stable(self) -> bool:
        """Whether the step size is at most the largest stable one."""
        return self.step_size <= self.largest

    def __str__(self) -> str:
        side = "below" if self.stable else "beyond"
        return (
            f"{self.by} is {self.value:.4g}, {side} the optimiser's threshold {self.threshold:.4g} "
            f"at step size {self.step_size:.4g}: the largest stable step size is "
            f"{self.largest:.4g}."
        )


def advise(found: Edges, optimizer: Any) -> Advice:
    """From the quantity that is nearest to, or farthest beyond, its threshold.

    Thresholds are factor / eta, so the largest step is eta x threshold / value; with weight decay
    and SAM, where they are not, the root is found. All groups scale together.
    Raises InvalidInput where no quantity has a threshold.
    """
    stepping = read(optimizer)
    if not stepping.step_size > 0:
        refuse("the step size", stepping.step_size, "a number > 0: it is what is scaled")
    known = [
        (name, one.value, one.threshold)
        for name, one in found.values.items()
        if one.threshold is not None and one.threshold > 0
    ]
    if not known:
        refuse("quantities with a threshold", list(found), "at least one, such as 'sharpness'")
    name, value, threshold = max(known, key=lambda each: each[1] / each[2])
    if not value > 0:
        return Advice(stepping.step_size, float("inf"), name, value, threshold)
    rule = min(stepping.rules, key=lambda each: each.threshold)
    plain = stepping.step_size * threshold / value
    if name == "sharpness" and (rule.coupled or rule.rho):
        plain = _root(rule, value, stepping.step_size, threshold)
    return Advice(stepping.step_size, plain, name, value, threshold)


def _root(rule: Rule, value: float, eta: float, threshold: float) -> float:
    """eta' with threshold(eta') = value, the gradient's norm as it is."""
    base = rule.factor / rule.step_size
    rho = 0.0
    if rule.rho:  # lambda (1 + rho' lambda) = T gives rho' at the measured point
        rho = max(0.0, (base / threshold - 1) / threshold)

    def gap(other: float) -> float:
        level = rule.factor / other - (0.0 if rule.rho else rule.coupled)
        return (thresholds.sam(level, rho) if rho else level) - value

    low, high = eta * 1e-6, eta
    while gap(high) > 0 and high < 1e12 * eta:
        high *= 2
    return float(brentq(gap, low, high)) if gap(low) > 0 >= gap(high) else float("inf")
