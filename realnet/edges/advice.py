"""The largest stable step size, from what was measured."""

from __future__ import annotations

import math
from dataclasses import dataclass

from linmodel.errors import refuse
from realnet.edges.evaluation import Edges
from realnet.edges.stepping import SHARPNESS, Stepping

PLAIN = ("critical", "update")  # their thresholds are a number over eta, whatever the decay


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


def compared(found: Edges) -> list[tuple[str, float, float]]:
    """(name, value, threshold) of what can be compared: both known, the value finite."""
    return [
        (name, one.value, one.threshold)
        for name, one in found.values.items()
        if one.threshold is not None and one.threshold > 0 and math.isfinite(one.value)
    ]


def advise(found: Edges, stepping: Stepping) -> Advice:
    """From the quantity that is nearest to, or farthest beyond, its threshold.

    All groups scale together, by s: a threshold factor / eta becomes factor / (s eta), the decay
    and SAM's rho / |gradient| stay. Raises InvalidInput where no quantity has a threshold.
    """
    if not stepping.step_size > 0:
        refuse("the step size", stepping.step_size, "a number > 0: it is what is scaled")
    known = compared(found)
    if not known:
        refuse("quantities with a threshold", list(found), "at least one, such as 'sharpness'")
    name, value, threshold = max(known, key=lambda each: each[1] / each[2])
    largest = stepping.step_size * _scale(name, value, threshold, stepping)
    return Advice(stepping.step_size, largest, name, value, threshold)


def _scale(name: str, value: float, threshold: float, stepping: Stepping) -> float:
    """s > 0 at which the value is the threshold; inf where it is for none."""
    rules = stepping.rules
    if name == "preconditioned":  # factor / (s eta) - the decoupled decay's part
        base = rules[0].factor / stepping.step_size
        return _quotient(base, value + base - threshold)
    if name in PLAIN or stepping.sees != SHARPNESS:
        return _quotient(threshold, value)
    if any(rule.rho for rule in rules):  # lambda (1 + rho' lambda) = T gives rho' as measured
        rule = min(rules, key=lambda each: each.threshold)
        rho = max(0.0, (rule.threshold / threshold - 1) / threshold)
        base = rule.factor / rule.step_size
        return _quotient(base, value * (1 + rho * value) + rule.coupled)
    moving = [rule for rule in rules if rule.step_size]
    return min(_quotient(rule.factor / rule.step_size, value + rule.coupled) for rule in moving)


def _quotient(base: float, seen: float) -> float:
    return base / seen if seen > 0 else math.inf
