"""Where each step's gradient comes from: the population, a sample, mini-batches, noisy labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from linmodel.data import Samples, draw
from linmodel.errors import integer, real, refuse
from linmodel.network.moments import Moments, population_moments, sample_moments
from linmodel.network.optimisers import Slope
from linmodel.problem import Array, OpposingSignals


@dataclass(frozen=True)
class Source:
    """The arguments of train_network, by their names. Raises InvalidInput."""

    problem: OpposingSignals
    samples: Samples | None = None
    batch_size: int | None = None
    label_noise: float = 0.0
    rng: np.random.Generator | None = None
    sampler: str | None = None
    covariance: ArrayLike | None = None
    beta: ArrayLike | None = None

    def __post_init__(self) -> None:
        real("label_noise", self.label_noise, low=0)
        if self.batch_size is not None:
            integer("batch_size", self.batch_size, low=1)
        if self.drawn and self.rng is None:
            refuse(
                "rng", None, "a seed or a Generator", "Batches and label noise are drawn from it."
            )
        if (self.covariance is not None) != (self.sampler == "covariance"):
            refuse("covariance", self.covariance, 'a matrix if and only if sampler="covariance"')
        if self.samples is not None:
            self._check_samples(self.samples)
        elif self.batch_size is None and self.label_noise > 0:
            refuse("label_noise", self.label_noise, "0 on the population", "Give batch_size.")

    def _check_samples(self, samples: Samples) -> None:
        shape = (samples.x.shape[1], samples.x_o.shape[1])
        if shape != (self.problem.d1, self.problem.d2):
            refuse("samples' widths", shape, f"({self.problem.d1}, {self.problem.d2})")
        if self.batch_size is not None and self.batch_size > len(samples.y):
            refuse("batch_size", self.batch_size, f"at most {len(samples.y)}, the sample's size")

    @property
    def drawn(self) -> bool:
        """Whether steps differ by chance."""
        return self.batch_size is not None or self.label_noise > 0

    def moments(self) -> Moments:
        """Of the sample where there is one, else of the population."""
        if self.samples is not None:
            return sample_moments(self.samples)
        return population_moments(
            self.problem, beta=self.beta, sampler=self.sampler, covariance=self.covariance
        )

    def next_slope(self, moments: Moments) -> Slope:
        """theta -> gradient on the next step's data."""
        if self.rng is None or not self.drawn:
            return moments.gradient
        batch = self._batch(self.rng)
        noise = self.label_noise * self.rng.standard_normal(len(batch.y))
        return batch_slope(np.hstack([batch.x, batch.x_o]), batch.y + noise)

    def _batch(self, rng: np.random.Generator) -> Samples:
        if self.samples is None:
            return draw(
                self.problem,
                self.batch_size or 1,
                rng,
                sampler=self.sampler,
                covariance=self.covariance,
                beta=self.beta,
            )
        if self.batch_size is None:
            return self.samples
        chosen = rng.choice(len(self.samples.y), self.batch_size, replace=False)
        return Samples(*(column[chosen] for column in self.samples))


def batch_slope(z: Array, y: Array) -> Slope:
    """theta -> gradient of the mean of 1/2 (c w.z - y)^2, theta = (c, w); z (N, d), y (N,)."""

    def slope(theta: Array) -> Array:
        c, w = theta[0], theta[1:]
        output = z @ w
        residual = c * output - y
        return np.concatenate([[output @ residual], c * (residual @ z)]) / len(y)

    return slope
