"""Interventions on the data, by arm: groups removed, backgrounds randomised. Needs no torch.

A new arm is a function (samples, Case) -> Samples and its entry in ARMS. What was watched stays
watched: the original members, whatever the arm did to them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from linmodel.errors import integer, real, refuse
from realnet.data.images import standardise
from realnet.data.samples import Samples

# Next to no magnitude: plants the same members on the same ordinary backgrounds.
FAINT = 1e-9


@dataclass(frozen=True)
class Case:
    """What an arm may need beside the samples.

    rho    share of the members that it changes
    again  dials -> the same samples loaded with these dials instead
    """

    seed: int
    rho: float
    again: Callable[..., Samples]


def opposing(samples: Samples) -> NDArray[np.bool_]:
    """The planted members (N,). Raises InvalidInput for data without planted groups."""
    if "opposing" not in samples.members:
        refuse("arm", f"on data {samples.name}", "untouched, for data without planted groups")
    return samples.members["opposing"]


def remove(samples: Samples, chosen: NDArray[np.bool_], why: str) -> Samples:
    """`samples` without those `chosen` (N,) bool. Pixels are not standardised again.

    Raises InvalidInput: `chosen` of another shape, or nothing left of all classes but one.
    """
    if chosen.shape != (len(samples),) or chosen.dtype != bool:
        refuse("chosen", (chosen.shape, str(chosen.dtype)), f"bool of shape ({len(samples)},)")
    keep = ~chosen
    return replace(
        samples,
        inputs=samples.inputs[keep],
        labels=samples.labels[keep],
        provenance=samples.provenance | {"intervention": why, "removed": int(chosen.sum())},
        members={name: mask[keep] for name, mask in samples.members.items()},
    )


def remove_random(samples: Samples, count: int, seed: int) -> Samples:
    """The control of `remove`: `count` samples drawn from all, members or not, of any class.

    Raises InvalidInput where there are not that many.
    """
    count = integer("count", count, low=0)
    if count >= len(samples):
        refuse("count", count, f"fewer than the {len(samples)} samples")
    generator = np.random.default_rng([integer("seed", seed, low=0), 2])
    chosen = np.zeros(len(samples), dtype=bool)
    chosen[generator.choice(len(samples), count, replace=False)] = True
    return remove(samples, chosen, "as many random samples removed")


def randomise_background(
    samples: Samples, plain: Samples, group: NDArray[np.bool_], rho: float, seed: int
) -> Samples:
    """On a fraction rho of `group`, the shared background becomes one of its own random hue.

    `plain` is the same data planted with next to no magnitude: the difference of raw pixels is
    what was planted. A new hue is drawn for each chosen sample on the sphere of root mean square 1
    over the channels, so that the background keeps its strength and loses only what it shares.
    rho = 0 changes nothing. Raises InvalidInput: rho outside [0, 1], data that do not match.
    """
    rho = real("rho", rho, low=0.0)
    if rho > 1:
        refuse("rho", rho, "a number in [0, 1]")
    if plain.inputs.shape != samples.inputs.shape or (plain.labels != samples.labels).any():
        refuse("plain", plain.inputs.shape, f"the same samples as data, {samples.inputs.shape}")
    generator = np.random.default_rng([integer("seed", seed, low=0), 3])
    members = np.flatnonzero(group)
    chosen = generator.permutation(members)[: round(rho * len(members))]
    raw, ordinary = raw_pixels(samples), raw_pixels(plain)
    planted = raw[chosen] - ordinary[chosen]
    strength = np.sqrt((planted**2).mean(axis=1, keepdims=True))
    hue = generator.standard_normal((len(chosen), raw.shape[1], 1, 1))
    hue /= np.sqrt((hue**2).mean(axis=1, keepdims=True))
    raw[chosen] = ordinary[chosen] + strength * hue
    images, scale = standardise(raw)
    noted = {"intervention": "background randomised", "rho": rho, "randomised": len(chosen)}
    return replace(samples, inputs=images, provenance=samples.provenance | scale | noted)


def raw_pixels(samples: Samples) -> NDArray[np.float64]:
    """Pixels (N, C, H, W) before standardisation."""
    sd, mean = (np.asarray(samples.provenance[key])[:, None, None] for key in ("sd", "mean"))
    return samples.inputs.astype(np.float64) * sd + mean


def _untouched(samples: Samples, _case: Case) -> Samples:
    return samples


def _removed(samples: Samples, _case: Case) -> Samples:
    return remove(samples, opposing(samples), "opposing groups removed")


def _random(samples: Samples, case: Case) -> Samples:
    return remove_random(samples, int(opposing(samples).sum()), case.seed)


def _background(samples: Samples, case: Case) -> Samples:
    group = opposing(samples)
    return randomise_background(samples, case.again(magnitude=FAINT), group, case.rho, case.seed)


def _agreed(samples: Samples, _case: Case) -> Samples:
    """All planted members get the smallest of their labels: one background, one target."""
    group = opposing(samples)
    labels = samples.labels.copy()
    labels[group] = labels[group].min(initial=samples.n_classes - 1)
    noted = {"intervention": "members of one label", "relabelled": int(group.sum())}
    return replace(samples, labels=labels, provenance=samples.provenance | noted)


ARMS: dict[str, Callable[[Samples, Case], Samples]] = {
    "untouched": _untouched,
    "removed": _removed,
    "random": _random,
    "background": _background,
    "agreed": _agreed,
}
