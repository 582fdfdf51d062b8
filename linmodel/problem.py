"""The problem and the state: what every other function takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linmodel.errors import LARGEST, integer, one_of, real, refuse

SUPPORTS = ("isotropic", "aligned")
Array = NDArray[np.floating]
# Size of a state from which descent never returns: its cubic map squares what it has every step.
# It leaves room in float64 for loss (fourth powers) and Adam, which squares a cubic gradient.
ESCAPE = 1e30


@dataclass(frozen=True)
class OpposingSignals:
    """The two-layer linear model of opposing signals (Rosenfeld & Risteski 2024, section 3.3).

    Network f(x, x_o) = c (b.x + b_o.x_o) with x in R^d1 of covariance I and x_o in R^d2 symmetric
    of covariance alpha P; target y = beta.x + g(x_o), g even; loss 1/2 E (f - y)^2.

    alpha             magnitude of the opposing signal: top eigenvalue of its covariance, >= 0
    beta_norm         B = ||beta||, strength of the signal, >= 0
    k                 pervasiveness d2 / d1, a real number > 0 (samplers round k d1)
    d1                number of signal coordinates, >= 1
    support           "isotropic" (P = I, rank d2) or "aligned" (P = 1 1^T / d2, rank 1)
    outlier_fraction  p in (0, 1]: share of samples that carry the aligned opposing signal

    Raises InvalidInput, naming the value and the range.
    """

    alpha: float
    beta_norm: float
    k: float = 1.0
    d1: int = 100
    support: str = "isotropic"
    outlier_fraction: float = 0.05

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "alpha", real("alpha", self.alpha, low=0))
        put(self, "beta_norm", real("beta_norm", self.beta_norm, low=0))
        put(self, "k", real("k", self.k, above=0))
        put(self, "d1", integer("d1", self.d1, low=1))
        put(self, "outlier_fraction", real("outlier_fraction", self.outlier_fraction, above=0))
        if self.k * self.d1 > LARGEST:
            refuse("k", self.k, f"a number with k d1 below 2^63 (d1 is {self.d1})")
        if self.outlier_fraction > 1:
            refuse("outlier_fraction", self.outlier_fraction, "a number in (0, 1]")
        one_of("support", self.support, SUPPORTS)

    @property
    def d2(self) -> int:
        """Number of opposing coordinates: k d1 rounded, at least 1."""
        return max(1, round(self.k * self.d1))

    @property
    def rank(self) -> int:
        """Rank of the opposing covariance: d2 (isotropic) or 1 (aligned)."""
        return self.d2 if self.support == "isotropic" else 1

    @property
    def outlier_size(self) -> float:
        """a = sqrt(alpha / p): length of an outlier's opposing part (aligned support, M9)."""
        return float(np.sqrt(self.alpha / self.outlier_fraction))

    def as_dict(self) -> dict[str, Any]:
        """The fields by name, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class State:
    """The reduced state (c, epsilon, n, o): floats, or arrays of one broadcast shape.

    c        second-layer weight
    epsilon  b along beta / ||beta||
    n        the rest of b, along its initial direction
    o        P b_o, along its initial direction (aligned: along 1/sqrt(d2), sign kept)

    Raises InvalidInput when a value is not a finite real number or the shapes do not broadcast.
    """

    c: ArrayLike
    epsilon: ArrayLike
    n: ArrayLike
    o: ArrayLike

    def __post_init__(self) -> None:
        for name in ("c", "epsilon", "n", "o"):
            object.__setattr__(self, name, _finite(name, getattr(self, name)))
        try:
            np.broadcast_shapes(*(np.shape(value) for value in self))
        except ValueError:
            shapes = [np.shape(value) for value in self]
            refuse("state", shapes, "c, epsilon, n, o of shapes that broadcast together")

    def __iter__(self) -> Iterator[Any]:
        return iter((self.c, self.epsilon, self.n, self.o))

    @property
    def shape(self) -> tuple[int, ...]:
        """Common shape of the batch; () for a single state."""
        return np.broadcast_shapes(*(np.shape(value) for value in self))

    @property
    def kappa(self) -> float | Array:
        """M6: c^2 - epsilon^2 - n^2 - o^2, conserved by the flow."""
        c, epsilon, n, o = (np.asarray(value) for value in self)
        # (c - o)(c + o): the two largest terms cancel without losing digits.
        return ((c - o) * (c + o) - epsilon**2 - n**2)[()]

    def as_dict(self) -> dict[str, Any]:
        """The four values by name, ready for JSON."""
        return {
            name: np.asarray(getattr(self, name)).tolist() for name in ("c", "epsilon", "n", "o")
        }


def single(state: State) -> State:
    """`state` if it is one state; InvalidInput if it is a batch."""
    if state.shape != ():
        refuse(
            "state", f"a batch of shape {state.shape}", "one state", "Loop, or use linmodel.sweep."
        )
    return state


def _finite(name: str, value: ArrayLike) -> float | Array:
    allowed = "finite real numbers"
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError, OverflowError):
        refuse(f"state component {name}", value, allowed)
    if not np.isfinite(array).all():
        refuse(f"state component {name}", value, allowed)
    return float(array) if array.ndim == 0 else array
