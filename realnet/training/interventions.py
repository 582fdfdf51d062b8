"""Interventions: change the data (groups removed, backgrounds randomised) or the step.

Data: `remove`, `remove_random`, `randomise_background`; label smoothing is `TrainConfig`'s own.
Steps: StableMax cross-entropy and the perpGrad projection (Prieto et al. 2025, "Grokking at the
Edge of Numerical Stability"), and weight decay.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from linmodel.errors import integer, real, refuse
from realnet.data.images import ImageData, standardise


def remove(data: ImageData, chosen: NDArray[np.bool_], why: str) -> ImageData:
    """`data` without the samples `chosen` (N,) bool. Pixels are not standardised again.

    Raises InvalidInput: `chosen` of another shape, or nothing left of all classes but one.
    """
    if chosen.shape != data.labels.shape or chosen.dtype != bool:
        refuse("chosen", (chosen.shape, str(chosen.dtype)), f"bool of shape {data.labels.shape}")
    keep = ~chosen
    return replace(
        data,
        images=data.images[keep],
        labels=data.labels[keep],
        provenance=data.provenance | {"intervention": why, "removed": int(chosen.sum())},
        members={name: mask[keep] for name, mask in data.members.items()},
    )


def remove_random(data: ImageData, count: int, seed: int) -> ImageData:
    """The control of `remove`: `count` samples drawn from all, members or not, of any class.

    Raises InvalidInput where there are not that many.
    """
    count = integer("count", count, low=0)
    if count >= len(data):
        refuse("count", count, f"fewer than the {len(data)} samples")
    generator = np.random.default_rng([integer("seed", seed, low=0), 2])
    chosen = np.zeros(len(data), dtype=bool)
    chosen[generator.choice(len(data), count, replace=False)] = True
    return remove(data, chosen, "as many random samples removed")


def randomise_background(
    data: ImageData, plain: ImageData, group: NDArray[np.bool_], rho: float, seed: int
) -> ImageData:
    """On a fraction rho of `group`, the shared background becomes one of its own random hue.

    `plain` is the same data planted with next to no magnitude: the difference of raw pixels is
    what was planted. A new hue is drawn for each chosen sample on the sphere of root mean square 1
    over the channels, so that the background keeps its strength and loses only what it shares.
    rho = 0 changes nothing. Raises InvalidInput: rho outside [0, 1], data that do not match.
    """
    rho = real("rho", rho, low=0.0)
    if rho > 1:
        refuse("rho", rho, "a number in [0, 1]")
    if plain.images.shape != data.images.shape or (plain.labels != data.labels).any():
        refuse("plain", plain.images.shape, f"the same samples as data, {data.images.shape}")
    generator = np.random.default_rng([integer("seed", seed, low=0), 3])
    members = np.flatnonzero(group)
    chosen = generator.permutation(members)[: round(rho * len(members))]
    raw, ordinary = _raw(data), _raw(plain)
    planted = raw[chosen] - ordinary[chosen]
    strength = np.sqrt((planted**2).mean(axis=1, keepdims=True))
    hue = generator.standard_normal((len(chosen), raw.shape[1], 1, 1))
    hue /= np.sqrt((hue**2).mean(axis=1, keepdims=True))
    raw[chosen] = ordinary[chosen] + strength * hue
    images, scale = standardise(raw)
    noted = {"intervention": "background randomised", "rho": rho, "randomised": len(chosen)}
    return replace(data, images=images, provenance=data.provenance | scale | noted)


def _raw(data: ImageData) -> NDArray[np.float64]:
    """Pixels before standardisation."""
    sd, mean = (np.asarray(data.provenance[key])[:, None, None] for key in ("sd", "mean"))
    return data.images.astype(np.float64) * sd + mean


def stablemax_loss(outputs: Tensor, labels: Tensor) -> Tensor:
    """Losses -log(s(f_y) / sum_c s(f_c)) of single samples, (N,), or (N, T) for text.

    s(x) = x + 1 for x >= 0, 1 / (1 - x) below: it grows like x and not like e^x, so that no
    difference of logits is lost in rounding. Computed as log s(f_y) - log sum, finite for all f.
    """
    log_s = torch.where(
        outputs >= 0, outputs.clamp_min(0).log1p(), -(-outputs.clamp_max(0)).log1p()
    )
    chosen = log_s.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    return log_s.logsumexp(-1) - chosen


def perp_gradient(gradient: Tensor, weights: Tensor) -> Tensor:
    """g - (g.w / w.w) w: the gradient less its component along the weights; g where w = 0.

    Both of one shape; applied to the flat vector of all parameters. The step then cannot lower
    the loss by scaling the weights alone.
    """
    square = weights.square().sum()
    return gradient - (gradient * weights).sum() / square.clamp_min(1e-30) * weights
