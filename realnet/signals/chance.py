"""Two groups' swings against random groups of the same sizes and classes (S11).

With one dominant direction any two groups swing in phase or in antiphase, whatever they are: a
correlation near -1 alone says nothing. What tells opposing groups apart is how large their swings
are, and that is set against chance here beside the correlation.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from linmodel.errors import integer, refuse
from realnet.signals.antiphase import rank_correlation
from realnet.signals.loadings import swing_matrix

Array = NDArray[np.float64]


class AgainstChance(NamedTuple):
    """Swings of two groups, and of random groups of the same sizes and classes.

    antiphase      rank correlation over the steps of the groups' mean swings
    antiphase_low  1% quantile of it among random groups: at or below, it would be remarkable
    swing          root mean square over steps and groups of the groups' mean swings
    swing_ratio    swing / its median among random groups
    swing_p        share of random groups (and this one) that swing as far
    """

    antiphase: float
    antiphase_low: float
    swing: float
    swing_ratio: float
    swing_p: float


def against_chance(
    losses: Array,
    labels: NDArray,
    plus: NDArray,
    minus: NDArray,
    *,
    draws: int = 999,
    seed: int = 0,
) -> AgainstChance:
    """The groups `plus` and `minus` (indices) in `losses` (T, N), T >= 5.

    Random groups: members dealt out anew among the samples of each member's class. Raises
    InvalidInput for fewer than 5 steps or an empty group.
    """
    if len(losses) < 5 or not len(plus) or not len(minus):
        refuse(
            "steps and sizes of the groups",
            (len(losses), len(plus), len(minus)),
            "at least 5 steps, and a sample in each",
        )
    generator = np.random.default_rng(integer("seed", seed, low=0))
    swings = swing_matrix(losses)
    members = np.concatenate([plus, minus])
    drawn = [
        _measured(swings, *np.split(_dealt(members, labels, generator), [len(plus)]))
        for _ in range(integer("draws", draws, low=99))
    ]
    phases, sizes = np.array(drawn).T
    phase, size = _measured(swings, plus, minus)
    return AgainstChance(
        phase,
        float(np.nanquantile(phases, 0.01)) if np.isfinite(phases).any() else float("nan"),
        size,
        size / max(float(np.median(sizes)), np.finfo(float).tiny),
        float((1 + (sizes >= size).sum()) / (1 + len(sizes))),
    )


def _dealt(members: NDArray, labels: NDArray, generator: np.random.Generator) -> NDArray:
    """As many samples of each class, drawn without replacement, in the members' places."""
    found = np.empty_like(members)
    for label in np.unique(labels[members]):
        places = np.flatnonzero(labels[members] == label)
        found[places] = generator.choice(np.flatnonzero(labels == label), len(places), False)
    return found


def _measured(swings: Array, plus: NDArray, minus: NDArray) -> tuple[float, float]:
    both = np.stack([swings[:, plus].mean(axis=1), swings[:, minus].mean(axis=1)])
    return rank_correlation(both), float(np.sqrt((both**2).mean()))
