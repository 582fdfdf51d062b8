"""What a quantity is: a number at a point of training, with its definition, threshold and source.

@dataclass(frozen=True)
class GradientNorm:
    name, unit, source = "gradient_norm", "1 / sqrt(time)", "Cauchy 1847"
    definition = "|gradient|"
    def measure(self, point): return Measured(float(point.gradient.norm()))

tracker.evaluate(which=["top", GradientNorm()])
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from torch import Tensor

if TYPE_CHECKING:
    from realnet.edges.point import Point


@dataclass(frozen=True, slots=True)
class Measured:
    """A quantity at one point.

    threshold  the optimiser's own, of this quantity; None where there is none or it is not known
    low, high  95% interval where the value is an average over draws; None where it is not
    converged  within the tolerance, or the interval as narrow as asked
    more       what else was found: eigenvalues, vectors, numbers of draws
    missed     bound on the probability that a larger eigenvalue was missed; None: not asked
    step       where products were differences of gradients, their step; None: they were not
    doubt      by how much these may put the value off, where there are several the most of them
    """

    value: float
    threshold: float | None = None
    low: float | None = None
    high: float | None = None
    converged: bool = True
    more: Mapping[str, float | Tensor] = field(default_factory=dict)
    missed: float | None = None
    step: float | None = None
    doubt: float | None = None

    @property
    def ratio(self) -> float | None:
        """value / threshold: 1 is the edge."""
        return None if self.threshold is None else self.value / self.threshold


class Quantity(Protocol):
    """`name` is its key in results and history; definition, unit and source are printed with it."""

    @property
    def name(self) -> str: ...
    @property
    def definition(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def source(self) -> str: ...

    def measure(self, point: Point) -> Measured:
        """The quantity at the point. Raises InvalidInput for what the point does not have."""
