"""Find graded opposing signals: no jump to cut at, but sides, strengths and tests against chance.

`find_graded_signals` has the whole rule in its docstring.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import chdtr, chdtrc, chdtri
from scipy.stats import kurtosis, kurtosistest

from linmodel.arguments import typed
from linmodel.errors import integer, real, refuse
from realnet.signals.features import standardised
from realnet.signals.layout import check
from realnet.signals.loadings import Array, Loading, loadings
from realnet.signals.membership import (
    HALF,
    averaged,
    dominance,
    matched_cells,
    members_of,
    together,
    weighed,
)
from realnet.signals.permutations import Tested, alike, holm, tied, two_targets
from realnet.signals.resampled import Interval, signal_intervals

FEWEST = 27
NEEDED = ("loss", "slope", "curvature", "eigenvalue", "label", "time", "checkpoint")
# Half of the energy of Gaussian loadings lies beyond this many sd, squared; the members' mean
# square is then so many times that of the others.
GAUSSIAN_CUT = chdtri(3, HALF)
GAUSSIAN_DOMINANCE = chdtr(1, GAUSSIAN_CUT) / chdtrc(1, GAUSSIAN_CUT)


@dataclass(frozen=True)
class GradedSignal:
    """One direction of the edge's oscillation, and what stands against chance in it.

    values           (N,) loadings: mean over its windows, unit norm
    plus, minus      the largest loadings of each sign, that hold half of that sign's energy
    windows          (begin, end) records where it was seen, the largest energy share first
    energy_share     of the swings' energy in its best window (see `realnet.signals.loadings`)
    slopes           correlation with the slopes along the top eigenvectors there
    effective_plus, effective_minus   (sum v^2)^2 / sum v^4 over the side: effective samples
    curvature_share  sum over members of u'H_i u / sum over all, u the top eigenvector there
    excess_kurtosis  of the loadings (0: Gaussian), concentration_p against Gaussian loadings
    alike            feature set -> test that the sides share the feature (class by class)
    tied             feature set -> test that the shared feature goes with the labels elsewhere
    targets          test that the sides' labels differ
    penultimate      test that the sides share penultimate features; None where none were recorded
    persistence      |correlation| of its first and last windows' loadings; NaN where seen once
    dominance        mean squared loading of members / of others of the same class and loss third
    p_value          the largest of: concentration; targets; alike and tied in one set, Holm over
                     all signals and sets
    found            p_value <= level
    holds            which of concentration, feature, classes, persistence, dominance hold
    intervals        name -> 95% interval, the signal as found: energy_share over the steps of its
                     best window; curvature_share, effective_plus, effective_minus, concentration,
                     "alike in SET", persistence, dominance over samples (`resampled`)
    """

    values: Array
    plus: NDArray[np.int64]
    minus: NDArray[np.int64]
    windows: tuple[tuple[int, int], ...]
    energy_share: float
    slopes: float
    effective_plus: float
    effective_minus: float
    curvature_share: float
    excess_kurtosis: float
    concentration_p: float
    alike: Mapping[str, Tested]
    tied: Mapping[str, Tested]
    targets: Tested
    penultimate: Tested | None
    persistence: float
    dominance: float
    p_value: float
    found: bool
    holds: tuple[str, ...]
    intervals: Mapping[str, Interval]


@typed
def find_graded_signals(
    evidence: xr.Dataset,
    features: Mapping[str, Array],
    *,
    level: float = 0.01,
    draws: int = 4999,
    seed: int = 0,
) -> list[GradedSignal]:
    """All graded signals in `evidence` (from `observe`), the least p-value first.

    1. Loadings: in each window at the edge, the leading singular pairs of the losses' half second
       differences that alternate, beat their null and agree with the top eigenvectors' slopes
       (`realnet.signals.loadings`).
    2. Signals: the loading of largest energy share leads; loadings with |correlation| >= 0.7
       with it are the same signal, averaged with signs aligned; then the same with those left.
    3. Sides: weights v_i^2 over the positive and over the negative loadings, each summing to 1.
       Members of a side: its largest loadings that hold half of its energy.
    4. Opposition alone is no discovery: at the edge both signs always exist. What has to be shown:
       concentration   the loadings' kurtosis exceeds a Gaussian's (D'Agostino's test)
       one feature     the sides are off the mean in the same way in a set of `features`, more than
                       their classes are (permutations within the classes; Holm over sets and
                       signals); two targets: their labels differ more than dealt at random
       classes         the feature goes with the labels: along the members' shared direction in the
                       same set, all other samples' scores vary between classes more than with
                       labels dealt at random
       A signal is found where all four have p <= level. The first three hold where labels are
       dealt out at random, too: samples of one look then have several labels, and the network that
       memorises them is pulled both ways along the look. That is opposition, but the labels have
       no part in it, and nothing says what the look stands for; so it is listed, and not found.
       Members are left out of the fourth test because their labels helped to choose them.
       Further, as grades, not conditions:
       persistence     seen in two windows or more
       dominance       its members' mean squared loading, over that of other samples of the same
                       class and third of the loss, exceeds what Gaussian loadings give (7.1)
       `penultimate` is told and decides nothing: slopes along u are large where the penultimate
       features are large along u's part of the last layer, so that both sides share them whatever
       the data are.

    features  name of a set -> (N, d), e.g. {"looks": ..., "components": ...}
    Raises InvalidInput: fewer than 27 samples, features of another length or none that vary, a run
    that never nears the edge (see `loadings`), numbers out of range.
    """
    level = real("level", level, above=0)
    draws = integer("draws", draws, low=99)
    check(evidence, NEEDED)
    if "step_size" not in evidence.attrs:
        refuse("evidence", "without step_size", "a Dataset of Evidence.dataset()")
    count = evidence.sizes["sample"]
    if count < FEWEST:
        refuse("number of samples", count, f"at least {FEWEST}")
    sets = {name: _checked(name, columns, count) for name, columns in features.items()}
    if not sets:
        refuse("features", "none", "at least one set of columns (N, d)")
    groups = together(loadings(evidence, seed))
    drafts = []
    for group in groups:
        values = averaged(group)
        drafts.append((group, values, _tests(evidence, group, values, sets, draws, seed)))
    own = [[test.p for test in tests.alike.values()] for _, _, tests in drafts]
    both = [[max(t.alike[name].p, t.tied[name].p) for name in sets] for _, _, t in drafts]
    found = [
        _signal(evidence, *draft, float(alone), float(p), level, sets, seed)
        for draft, alone, p in zip(drafts, _least(own), _least(both), strict=True)
    ]
    return sorted(found, key=lambda signal: (signal.p_value, -signal.energy_share))


class _Tests(NamedTuple):
    alike: Mapping[str, Tested]
    tied: Mapping[str, Tested]
    targets: Tested
    penultimate: Tested | None


def _tests(
    evidence: xr.Dataset,
    group: list[Loading],
    values: Array,
    sets: Mapping[str, Array],
    draws: int,
    seed: int,
) -> _Tests:
    sides, labels = weighed(values), evidence.label.values
    inner = None
    if "penultimate" in evidence:
        columns = standardised(evidence.penultimate.values[group[0].look])
        inner = alike(*sides, columns, labels, draws, seed) if columns.shape[1] else None
    return _Tests(
        {name: alike(*sides, x, labels, draws, seed) for name, x in sets.items()},
        {name: _tied(sides, x, labels, draws, seed) for name, x in sets.items()},
        two_targets(*sides, labels, draws, seed),
        inner,
    )


def _tied(
    sides: tuple[Array, Array], features: Array, labels: NDArray, draws: int, seed: int
) -> Tested:
    """Of the samples on no side, along the members' mean features, both sides weighted alike."""
    shared, others = np.zeros(features.shape[1]), np.ones(len(features), dtype=bool)
    for weights in sides:
        members = members_of(weights)
        shared += weights[members] @ features[members] / weights[members].sum()
        others[members] = False
    return tied(features[others] @ shared, labels[others], draws, seed)


def _least(p: list[list[float]]) -> Array:
    """The least p-value of each row, Holm over all."""
    return holm(np.array(p).ravel()).reshape(len(p), -1).min(axis=1) if p else np.zeros(0)


def _checked(name: str, columns: Array, count: int) -> Array:
    columns = np.asarray(columns, dtype=np.float64)
    if columns.ndim != 2 or len(columns) != count or not np.isfinite(columns).all():
        refuse(f"features {name!r}", columns.shape, f"finite numbers of shape ({count}, d)")
    found = standardised(columns)
    if not found.shape[1]:
        refuse(f"features {name!r}", "constant columns", "at least one column that varies")
    return found


def _signal(
    evidence: xr.Dataset,
    group: list[Loading],
    values: Array,
    tests: _Tests,
    alike_p: float,
    both_p: float,
    level: float,
    sets: Mapping[str, Array],
    seed: int,
) -> GradedSignal:
    plus, minus = weighed(values)
    sides = members_of(plus), members_of(minus)
    best = group[0]
    in_time = sorted(group, key=lambda loading: loading.begin)
    curvature = evidence.curvature.values[best.look, 0]
    members = np.concatenate(sides)
    concentration = float(kurtosistest(values, alternative="greater").pvalue)
    persistence = abs(in_time[0].values @ in_time[-1].values) if len(group) > 1 else float("nan")
    cell = matched_cells(evidence, best.begin)
    swing = dominance(values**2, cell, members)
    grades = {
        "concentration": concentration <= level,
        "feature": max(alike_p, tests.targets.p) <= level,
        "classes": both_p <= level,
        "persistence": len(group) > 1,
        "dominance": swing > GAUSSIAN_DOMINANCE,
    }
    p_value = max(concentration, both_p, tests.targets.p)
    return GradedSignal(
        values=values,
        plus=sides[0],
        minus=sides[1],
        windows=tuple((one.begin, one.end) for one in group),
        energy_share=best.energy,
        slopes=best.slopes,
        effective_plus=float(1 / (plus**2).sum()),
        effective_minus=float(1 / (minus**2).sum()),
        curvature_share=float(curvature[members].sum() / curvature.sum()),
        excess_kurtosis=float(kurtosis(values)),
        concentration_p=concentration,
        **tests._asdict(),
        persistence=float(persistence),
        dominance=swing,
        p_value=p_value,
        found=p_value <= level,
        holds=tuple(name for name, held in grades.items() if held),
        intervals=signal_intervals(
            values, (plus, minus), sets, curvature, members, cell, in_time, best.by_step, seed
        ),
    )
