"""Steps by name: gd, sgd, momentum, nesterov, adam, sam, flow; clipping and step-size schedules.

A step is a plain function of flat vectors, so that its whole state is a few tensors in the
checkpoint. `gradient(point)` is the (mini-batch) mean gradient at the flat parameters `point`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from linmodel import thresholds
from realnet.config import TrainConfig

Gradient = Callable[[Tensor], Tensor]
State = dict[str, Tensor]


def step_size(config: TrainConfig, step: int) -> float:
    """eta at `step` (0-based): schedule times config.step_size, after `warmup` linear steps."""
    left = 1.0
    if config.warmup and step < config.warmup:
        left = (step + 1) / config.warmup
    done = min(1.0, max(0, step - config.warmup) / max(1, config.steps - config.warmup))
    if config.schedule == "linear-decay":
        left *= 1.0 - done
    elif config.schedule == "cosine":
        left *= 0.5 * (1.0 + math.cos(math.pi * done))
    return config.step_size * left


def threshold(config: TrainConfig, eta: float, gradient_norm: float) -> float:
    """Sharpness of the loss at which this optimiser turns unstable at step size eta (G1, G9, G10).

    NaN for adam, which sees the preconditioned Hessian, and for flow, which has none; inf at eta 0.
    The decay w adds w to the curvature; SAM's radius counts over the gradient's norm.
    """
    if config.optimiser in ("adam", "flow"):
        return math.nan
    if eta == 0:
        return math.inf
    if config.optimiser == "nesterov":
        level = thresholds.nesterov(eta, config.momentum)
    else:
        momentum = config.momentum if config.optimiser == "momentum" else 0.0
        level = thresholds.heavy_ball(eta, momentum)
    if config.optimiser == "sam":
        level = thresholds.sam(level, config.sam_radius / gradient_norm) if gradient_norm else 0.0
    return thresholds.coupled_decay(level, config.weight_decay)


def preconditioned_threshold(config: TrainConfig, eta: float) -> float:
    """Adam's, of the preconditioned sharpness: 2 (1 + b1)/((1 - b1) eta) (G9)."""
    return thresholds.adam(eta, config.momentum) if eta else math.inf


def preconditioner(config: TrainConfig, state: State) -> Tensor | None:
    """Adam's D (n,) as its last step had it, in eta D^-1 (mean); None before its first step."""
    if "second" not in state:
        return None
    count = int(state["count"])
    root = (state["second"] / (1 - config.beta2**count)).sqrt() + 1e-8
    return (1 - config.momentum**count) * root


def clipped(gradient: Tensor, largest: float | None) -> Tensor:
    """The gradient, shortened to norm `largest` where it is longer."""
    if largest is None:
        return gradient
    return gradient * torch.clamp(largest / gradient.norm().clamp_min(1e-30), max=1.0)


def advance(
    config: TrainConfig, state: State, point: Tensor, first: Tensor, gradient: Gradient, eta: float
) -> Tensor:
    """The next point. `first` is gradient(point), computed already; `state` is updated in place."""
    if config.optimiser == "flow":
        return _flow(point, first, gradient, eta, float(state.get("sharpness", torch.zeros(()))))
    if config.optimiser == "sam":
        ascent = config.sam_radius * first / first.norm().clamp_min(1e-30)
        first = gradient(point + ascent)
    slope = clipped(first, config.clip)
    if config.optimiser == "adam":
        return point - eta * _adam(config, state, slope)
    if config.optimiser in ("momentum", "nesterov"):
        buffer = _momentum(config, state, slope)
        ahead = config.optimiser == "nesterov"
        slope = slope + config.momentum * buffer if ahead else buffer
    return point - eta * slope


def _momentum(config: TrainConfig, state: State, slope: Tensor) -> Tensor:
    """m <- momentum m + g. Heavy ball steps by -eta m, Nesterov by -eta (g + momentum m)."""
    state["first"] = config.momentum * state.get("first", torch.zeros_like(slope)) + slope
    return state["first"]


def _adam(config: TrainConfig, state: State, slope: Tensor) -> Tensor:
    """Adam (Kingma and Ba 2015) with bias correction; beta1 is config.momentum, epsilon 1e-8."""
    zeros = torch.zeros_like(slope)
    count = state.get("count", torch.zeros((), dtype=torch.float64)) + 1
    beta1, beta2 = config.momentum, config.beta2
    state["first"] = beta1 * state.get("first", zeros) + (1 - beta1) * slope
    state["second"] = beta2 * state.get("second", zeros) + (1 - beta2) * slope.square()
    state["count"] = count
    mean = state["first"] / (1 - beta1 ** int(count))
    scale = (state["second"] / (1 - beta2 ** int(count))).sqrt() + 1e-8
    return mean / scale


def _flow(point: Tensor, first: Tensor, gradient: Gradient, eta: float, sharpness: float) -> Tensor:
    """Gradient flow over time eta: classical Runge-Kutta substeps no longer than 1 / sharpness."""
    count = max(1, math.ceil(eta * sharpness))
    h = eta / count
    for part in range(count):
        k1 = first if part == 0 else gradient(point)
        k2 = gradient(point - 0.5 * h * k1)
        k3 = gradient(point - 0.5 * h * k2)
        k4 = gradient(point - h * k3)
        point = point - (h / 6) * (k1 + 2 * k2 + 2 * k3 + k4)
    return point
