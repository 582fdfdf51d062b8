"""Optimisers of NumPy parameter vectors, written to agree with torch.optim step by step.

Each is a frozen dataclass with `start(theta) -> memory` and
`step(theta, slope, memory) -> (theta, memory)`; `slope(theta)` is the gradient on the step's batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from linmodel.errors import real, refuse
from linmodel.problem import Array

Slope = Callable[[Array], Array]
Memory = tuple[Array, ...]


@dataclass(frozen=True)
class Optimiser:
    """Step size eta > 0, and what every optimiser can do. Raises InvalidInput."""

    step_size: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "step_size", real("step_size", self.step_size, above=0))

    def start(self, theta: Array) -> Memory:
        """What the optimiser remembers before the first step."""
        return ()

    def step(self, theta: Array, slope: Slope, memory: Memory) -> tuple[Array, Memory]:
        """One step from theta."""
        raise NotImplementedError

    def as_dict(self) -> dict[str, Any]:
        """Name and settings, ready for JSON."""
        return {"name": type(self).__name__, **asdict(self)}


@dataclass(frozen=True)
class GradientDescent(Optimiser):
    """theta - eta g. With mini-batches this is SGD (torch.optim.SGD)."""

    def step(self, theta: Array, slope: Slope, memory: Memory) -> tuple[Array, Memory]:
        return theta - self.step_size * slope(theta), memory


@dataclass(frozen=True)
class _Momentum(Optimiser):
    """Momentum m in [0, 1); remembers the speed v."""

    momentum: float = 0.9

    def __post_init__(self) -> None:
        super().__post_init__()
        _share("momentum", self.momentum)

    def start(self, theta: Array) -> Memory:
        return (np.zeros_like(theta),)


@dataclass(frozen=True)
class HeavyBall(_Momentum):
    """v+ = m v + g, theta+ = theta - eta v+ (torch.optim.SGD with momentum m in [0, 1)).

    Linearly stable up to curvature 2 (1 + m) / eta.
    """

    def step(self, theta: Array, slope: Slope, memory: Memory) -> tuple[Array, Memory]:
        speed = self.momentum * memory[0] + slope(theta)
        return theta - self.step_size * speed, (speed,)


@dataclass(frozen=True)
class Nesterov(_Momentum):
    """v+ = m v + g, theta+ = theta - eta (g + m v+) (torch.optim.SGD with nesterov=True)."""

    def step(self, theta: Array, slope: Slope, memory: Memory) -> tuple[Array, Memory]:
        gradient = slope(theta)
        speed = self.momentum * memory[0] + gradient
        return theta - self.step_size * (gradient + self.momentum * speed), (speed,)


@dataclass(frozen=True)
class Adam(Optimiser):
    """m+ = b1 m + (1 - b1) g, v+ = b2 v + (1 - b2) g^2; theta - eta m^ / (sqrt(v^) + tiny).

    m^ = m+ / (1 - b1^t), v^ = v+ / (1 - b2^t), elementwise (torch.optim.Adam).
    """

    beta1: float = 0.9
    beta2: float = 0.999
    tiny: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        _share("beta1", self.beta1)
        _share("beta2", self.beta2)
        real("tiny", self.tiny, above=0)

    def start(self, theta: Array) -> Memory:
        return np.zeros_like(theta), np.zeros_like(theta), np.zeros(1)

    def step(self, theta: Array, slope: Slope, memory: Memory) -> tuple[Array, Memory]:
        gradient, count = slope(theta), memory[2] + 1
        mean = self.beta1 * memory[0] + (1 - self.beta1) * gradient
        square = self.beta2 * memory[1] + (1 - self.beta2) * gradient**2
        scale = np.sqrt(square / (1 - self.beta2**count)) + self.tiny
        move = mean / (1 - self.beta1**count) / scale
        return theta - self.step_size * move, (mean, square, count)


@dataclass(frozen=True)
class _Ascent(Optimiser):
    """Radius r >= 0 of the step uphill."""

    radius: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        real("radius", self.radius, low=0)


@dataclass(frozen=True)
class SharpnessAware(_Ascent):
    """SAM: theta - eta grad L(theta + r g / |g|), g the gradient at theta, same batch twice."""

    def step(self, theta: Array, slope: Slope, memory: Memory) -> tuple[Array, Memory]:
        gradient = slope(theta)
        length = float(np.linalg.norm(gradient))
        uphill = theta + self.radius * gradient / length if length > 0 else theta
        return theta - self.step_size * slope(uphill), memory


@dataclass(frozen=True)
class PlainSharpnessAware(_Ascent):
    """SAM without normalisation: theta - eta grad L(theta + r g), g the gradient at theta."""

    def step(self, theta: Array, slope: Slope, memory: Memory) -> tuple[Array, Memory]:
        return theta - self.step_size * slope(theta + self.radius * slope(theta)), memory


@dataclass(frozen=True)
class Clipped(Optimiser):
    """theta - eta g min(1, max_norm / |g|): gradient clipping by the whole vector's norm.

    (torch.nn.utils.clip_grad_norm_ adds 1e-6 to |g|.)
    """

    max_norm: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        real("max_norm", self.max_norm, above=0)

    def step(self, theta: Array, slope: Slope, memory: Memory) -> tuple[Array, Memory]:
        gradient = slope(theta)
        share = min(1.0, self.max_norm / (float(np.linalg.norm(gradient)) + 1e-6))
        return theta - self.step_size * share * gradient, memory


def _share(name: str, value: float) -> None:
    if real(name, value, low=0) >= 1:
        refuse(name, value, "a number in [0, 1)")
