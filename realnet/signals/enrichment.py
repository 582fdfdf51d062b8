"""What is the signal? How each side differs from all samples, and one sentence about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linmodel.errors import integer, refuse
from realnet.signals.permutations import differences, holm

Array = NDArray[np.float64]
CLASS = "class "
LEVEL = 0.01
NAMED = 3  # features named in the sentence


@dataclass(frozen=True)
class Enrichment:
    """One side in one feature: mean of its members less the mean of all, in standard deviations.

    share  for a class: the share of the side's members that it holds; else NaN
    p      against random members (two-sided), Holm over all sides and features
    """

    side: str
    feature: str
    difference: float
    share: float
    p: float


def enrichment(
    plus: NDArray,
    minus: NDArray,
    features: Mapping[str, Array],
    labels: NDArray,
    class_names: Sequence[str] | None = None,
    *,
    draws: int = 9999,
    seed: int = 0,
) -> list[Enrichment]:
    """Both sides (indices) in every feature (N,) and every class, smallest p first.

    Raises InvalidInput: an empty side, or a feature of another length.
    """
    draws = integer("draws", draws, low=99)
    if not len(plus) or not len(minus):
        refuse("sides", (len(plus), len(minus)), "at least one sample on each")
    kinds = np.unique(labels)
    named = {
        CLASS + (str(kind) if class_names is None else str(class_names[kind])): labels == kind
        for kind in kinds
    }
    columns = {
        name: np.asarray(values, dtype=float) for name, values in {**features, **named}.items()
    }
    for name, values in columns.items():
        if values.shape != np.shape(labels):
            refuse(f"feature {name!r}", values.shape, f"one number a sample, {np.shape(labels)}")
    columns = {name: values for name, values in columns.items() if np.ptp(values) > 0}
    names = list(columns)
    table = np.column_stack([(v - v.mean()) / v.std() for v in columns.values()])
    generator = np.random.default_rng(integer("seed", seed, low=0))
    rows, raw = [], []
    for side, members in (("plus", plus), ("minus", minus)):
        value, p = differences(members, table, draws, generator)
        raw += p.tolist()
        for name, difference in zip(names, value, strict=True):
            share = columns[name][members].mean() if name.startswith(CLASS) else np.nan
            rows.append((side, name, float(difference), float(share)))
    adjusted = holm(np.array(raw))
    found = [Enrichment(*row, float(p)) for row, p in zip(rows, adjusted, strict=True)]
    return sorted(found, key=lambda one: (one.p, -abs(one.difference)))


def sentence(rows: Sequence[Enrichment], plus: int, minus: int) -> str:
    """One sentence: the classes of each side, and what both sides share."""
    sides = [_classes(rows, "plus", plus), _classes(rows, "minus", minus)]
    return f"{sides[0]} against {sides[1]}; {_shared(rows)}."


def _classes(rows: Sequence[Enrichment], side: str, size: int) -> str:
    own = [one for one in rows if one.side == side and one.feature.startswith(CLASS)]
    largest = sorted(own, key=lambda one: -one.share)[:2]
    shown = [f"{one.feature.removeprefix(CLASS)} {one.share:.0%}" for one in largest if one.share]
    return f"{size} samples ({', '.join(shown)})"


def _shared(rows: Sequence[Enrichment]) -> str:
    """Features in which both sides are off the same way, at least one of them at the level."""
    by_side = {
        side: {one.feature: one for one in rows if one.side == side} for side in ("plus", "minus")
    }
    alike = []
    for name, one in by_side["plus"].items():
        other = by_side["minus"][name]
        same = one.difference * other.difference > 0
        if same and not name.startswith(CLASS) and min(one.p, other.p) <= LEVEL:
            alike.append((min(abs(one.difference), abs(other.difference)), name, one, other))
    parts = [
        f"{'more' if one.difference > 0 else 'less'} {name}"
        f" ({one.difference:+.1f} and {other.difference:+.1f} sd)"
        for _, name, one, other in sorted(alike, key=lambda row: -row[0])[:NAMED]
    ]
    if not parts:
        return "no single feature that both sides share stands out"
    return "both sides: " + ", ".join(parts)
