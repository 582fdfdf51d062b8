"""Which signals, which samples on which side, how strong against chance: crisp and graded in one.

The choice between the modes. Crisp pairs (`find_opposing_groups`) need a jump in the samples' sizes
and are taken first. Graded signals (`find_graded_signals`) need an edge, and features to be alike
in. A graded signal whose members are mostly those of a crisp pair, or the other way round, is that
pair and is not told again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from linmodel.arguments import typed
from linmodel.errors import InvalidInput
from realnet.signals.chance import AgainstChance, against_chance
from realnet.signals.enrichment import Enrichment, enrichment, sentence
from realnet.signals.features import components, image_features
from realnet.signals.graded import GradedSignal, find_graded_signals
from realnet.signals.groups import OpposingPair
from realnet.signals.layout import record_index
from realnet.signals.loadings import AROUND, swing_matrix
from realnet.signals.resampled import Interval, counts, member_share, ratio

SAME = 0.5  # share of the smaller set's members: two signals are one from there on


@dataclass(frozen=True)
class Answer:
    """One signal.

    mode            "crisp" (a jump) or "graded" (no jump; see the two finders)
    plus, minus     samples of each side, the strongest first
    p_value         against the finder's null; found: it is rejected
    energy_share    of the swings' energy around the look, explained by one course x loading
    curvature_share of the top eigenvalue there that the members carry
    effective_plus, effective_minus  (sum w)^2 / sum w^2 over a side, w squared loadings (crisp:
                    squared slopes)
    holds           what stands against its null (graded only)
    tests           name -> value, z and p against its null (graded only; see `find_graded_signals`)
    intervals       name -> its 95% interval (graded: see `GradedSignal`; crisp: both shares)
    chance          the groups' swings against random groups of the same sizes and classes (S11)
    enrichment      how each side differs from all samples; sentence: what the signal is
    """

    mode: str
    plus: tuple[int, ...]
    minus: tuple[int, ...]
    p_value: float
    found: bool
    energy_share: float
    curvature_share: float
    effective_plus: float
    effective_minus: float
    holds: tuple[str, ...]
    tests: dict[str, dict[str, float]]
    intervals: dict[str, Interval]
    chance: AgainstChance | None
    enrichment: tuple[Enrichment, ...]
    sentence: str

    def as_dict(self) -> dict[str, object]:
        """Plain numbers, words, lists and dictionaries, as JSON has them (NaN as None)."""
        found = asdict(self)
        found["chance"] = None if self.chance is None else self.chance._asdict()
        return {name: _plain(value) for name, value in found.items()}


@typed
def answers(
    evidence: xr.Dataset,
    pairs: Sequence[OpposingPair],
    images: NDArray | None = None,
    class_names: Sequence[str] | None = None,
    *,
    seed: int = 0,
) -> tuple[list[Answer], list[str]]:
    """All signals, those that beat their null first, and what could not be looked for, in words.

    images (N, C, H, W) as they were trained on; None for other samples: no graded search there.
    """
    looks = {} if images is None else image_features(images)
    notes, graded = [], []
    if images is None:
        notes.append("graded signals are looked for in images only: there are none")
    else:
        sets = {"looks": np.column_stack(list(looks.values())), "components": components(images)}
        try:
            graded = find_graded_signals(evidence, sets, seed=seed)
        except InvalidInput as reason:
            notes.append(f"no graded search: {reason}")
    found = [_crisp(evidence, pair, looks, class_names, seed) for pair in pairs]
    taken = [set(pair.members.tolist()) for pair in pairs]
    for signal in graded:
        members = {*signal.plus.tolist(), *signal.minus.tolist()}
        if all(len(members & own) < SAME * min(len(members), len(own)) for own in taken):
            found.append(_graded(evidence, signal, looks, class_names, seed))
    return sorted(found, key=lambda one: not one.found), notes


def _crisp(evidence, pair: OpposingPair, looks, class_names, seed: int) -> Answer:
    curvature = evidence.curvature.values
    shares = curvature[:, :, pair.members].sum(axis=-1) / curvature.sum(axis=-1)
    look, direction = np.unravel_index(np.nanargmax(shares), shares.shape)
    slopes = evidence.slope.values[look, direction]
    plus, minus = (side[np.argsort(-np.abs(slopes[side]))] for side in (pair.plus, pair.minus))
    begin, end = _around(evidence, int(look))
    swings = swing_matrix(evidence.loss.values[begin : end + 1])
    energy, by_step = _leading(swings)
    intervals = {
        "energy_share": ratio(counts(len(by_step), seed=seed), *by_step.T),
        "curvature_share": member_share(
            counts(curvature.shape[-1], seed=seed), curvature[look, direction], pair.members
        ),
    }
    described = _described(evidence, plus, minus, begin, end, looks, class_names, seed)
    return Answer(
        "crisp", tuple(plus.tolist()), tuple(minus.tolist()), pair.p_value, True,
        energy, float(shares[look, direction]), _effective(slopes[plus]), _effective(slopes[minus]),
        (), {}, intervals, *described,
    )  # fmt: skip


def _graded(evidence, signal: GradedSignal, looks, class_names, seed: int) -> Answer:
    described = _described(
        evidence, signal.plus, signal.minus, *signal.windows[0], looks, class_names, seed
    )
    return Answer(
        "graded", tuple(signal.plus.tolist()), tuple(signal.minus.tolist()), signal.p_value,
        signal.found, signal.energy_share, signal.curvature_share, signal.effective_plus,
        signal.effective_minus, signal.holds, _told(signal), dict(signal.intervals), *described,
    )  # fmt: skip


def _told(signal: GradedSignal) -> dict[str, dict[str, float]]:
    """Every test of a graded signal; persistence and dominance are numbers without a null."""
    tests = {f"alike in {name}": test for name, test in signal.alike.items()}
    tests |= {f"classes by {name}": test for name, test in signal.tied.items()}
    tests["two targets"] = signal.targets
    if signal.penultimate is not None:
        tests["alike in penultimate features"] = signal.penultimate
    return {name: test._asdict() for name, test in tests.items()} | {
        "concentration": {"value": signal.excess_kurtosis, "p": signal.concentration_p},
        "persistence": {"value": signal.persistence},
        "dominance": {"value": signal.dominance},
    }


def _described(
    evidence, plus, minus, begin: int, end: int, looks, class_names, seed: int
) -> tuple[AgainstChance | None, tuple[Enrichment, ...], str]:
    labels = evidence.label.values
    losses = evidence.loss.values[begin : end + 1]
    chance = against_chance(losses, labels, plus, minus, seed=seed) if len(losses) >= 5 else None
    rows = enrichment(plus, minus, looks, labels, class_names, seed=seed)
    return chance, tuple(rows), sentence(rows, len(plus), len(minus))


def _around(evidence: xr.Dataset, look: int) -> tuple[int, int]:
    record = int(record_index(evidence)[look])
    return max(record - AROUND, 0), min(record + AROUND, evidence.sizes["time"] - 1)


def _leading(swings: NDArray) -> tuple[float, NDArray]:
    """Energy share of the leading course x loading, and its and all energy of each step (T, 2)."""
    if not len(swings):
        return 0.0, np.full((1, 2), np.nan)
    values = np.linalg.svd(swings, full_matrices=False)[2][0]
    by_step = np.column_stack([(swings @ values) ** 2, (swings**2).sum(axis=1)])
    explained, total = by_step.sum(axis=0)
    return float(explained / max(total, np.finfo(float).tiny)), by_step


def _effective(slopes: NDArray) -> float:
    weights = slopes**2
    return float(weights.sum() ** 2 / max((weights**2).sum(), np.finfo(float).tiny))


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
