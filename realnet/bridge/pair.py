"""Two short runs from one start see what one curve cannot: how descent lags behind the flow.

Descent at step size eta reaches a level of sharpness later than at eta0 (S1: they differ by
O(eta)).
With t_L(run) the first rise through the level L, and r = eta1/eta0,
    d(L) = t_L(second) - t_L(small)  on 40 log-spaced levels that both reach, running median of 5,
    lag(eta) = d(2/eta) (eta - eta0) / (eta1 - eta0),  d constant outside of its levels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from linmodel.errors import refuse
from linmodel.problem import Array
from realnet.bridge.curve import Curve, rise_times

LEVELS, MEDIAN, FEWEST_LEVELS = 40, 5, 5
LEAST_RATIO = 1.2
# The two curves' first values may differ by this, relatively: a tracker's tolerance and more.
START = 0.02


@dataclass(frozen=True)
class Pair:
    """d(L) on `levels`, both (m,), and the step sizes eta0 and eta1 = r eta0."""

    levels: Array
    delay: Array
    step_size: float
    second_step_size: float

    def lag(self, step_sizes: Array, edges: Array) -> Array:
        """How much later than the small run each step size reaches its own edge, 2/eta, (n,)."""
        late = np.interp(np.log(edges), np.log(self.levels), self.delay)
        return late * (step_sizes - self.step_size) / (self.second_step_size - self.step_size)


def pair_of(small: Curve, second: Curve) -> Pair:
    """The delay between two runs, each up to its own edge.

    Raises InvalidInput: a step size that is not known, r < 1.2, another start, no levels in common.
    """
    eta0, eta1 = _step_sizes(small, second)
    _same_start(small, second)
    low = max(curve.sharpness.min() for curve in (small, second))
    high = min(curve.sharpness.max() for curve in (small, second))
    levels = np.geomspace(low, max(low, high), LEVELS + 2)[1:-1]
    delay = rise_times(second, levels) - rise_times(small, levels)
    both = np.isfinite(delay)
    if both.sum() < FEWEST_LEVELS:
        refuse(
            "second run",
            f"a curve that rises through {int(both.sum())} of {LEVELS} levels with the small one",
            f"at least {FEWEST_LEVELS} in common",
            "Train it longer, or take a smaller step size for it.",
        )
    around = sliding_window_view(np.pad(delay[both], MEDIAN // 2, "edge"), MEDIAN)
    return Pair(levels[both], np.median(around, axis=1), eta0, eta1)


def _step_sizes(small: Curve, second: Curve) -> tuple[float, float]:
    for curve, name, option in (
        (small, "small", "--of-step-size"),
        (second, "second", "--second-step-size"),
    ):
        if curve.step_size is None:
            refuse(
                f"step size of the {name} run",
                None,
                "a number > 0",
                f"The file does not say it: give {option}, or attribute step_size.",
            )
    eta0, eta1 = float(small.step_size or math.nan), float(second.step_size or math.nan)
    if eta1 < LEAST_RATIO * eta0:
        refuse(
            "second run's step size",
            eta1,
            f"at least {LEAST_RATIO} times the small run's {eta0:g}",
            "About twice is best: a smaller ratio measures no lag.",
        )
    if second.sharpness[0] >= 2 / eta1:
        refuse(
            "second run",
            f"sharpness {second.sharpness[0]:.4g} at its start",
            f"below its own 2/eta = {2 / eta1:.4g}",
            "Take a smaller step size for it.",
        )
    return eta0, eta1


def _same_start(small: Curve, second: Curve) -> None:
    at = max(small.start, second.start)
    first = [float(np.interp(at, each.time, each.sharpness)) for each in (small, second)]
    if abs(math.log(first[1] / first[0])) > START or small.span < at or second.span < at:
        refuse(
            "second run",
            f"sharpness {first[1]:.4g} at time {at:.4g}",
            f"the small run's {first[0]:.4g}, to {START:.0%}: both must share their start",
            "Train both from the same weights (the same seed) on the same data.",
        )
