"""Find opposing groups from evidence recorded in training: a precise rule, no pictures needed.

`find_opposing_groups` has the whole algorithm in its docstring.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import gammaincc

from linmodel.errors import real, refuse

EDGE = 0.1  # share of a set that may lie on either side of its jump
REFERENCE = 20  # at least so many samples below the jump estimate the bulk's own tail
FIRST_GROUP = 2  # least members of each side
FEWEST = 27  # so that four members are at most 15% of the data
NEEDED = ("loss", "slope", "response", "checkpoint_step")
Array = NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """One way to look at the samples, and the set that stands out in it."""

    name: str
    chosen: NDArray[np.bool_]
    sign: NDArray[np.float64]  # side of every sample: +1 or -1
    log_jump: float
    log_p: float


@dataclass(frozen=True)
class OpposingPair:
    """Two groups that respond alike along a direction along which their losses slope oppositely.

    plus, minus  indices of the samples whose loss rises and falls along the best view's direction
    score        the jump: factor by which the members exceed all others in the best view
    p_value      probability of such a jump in the bulk's own tail, all views and cuts allowed for
    votes        (N,) share of the pair's views in which a sample stands out
    antiphase    correlation of the two groups' loss changes over the steps (-1: perfect antiphase);
                 NaN for fewer than 4 steps
    views        names of the views that agree, best first
    """

    plus: NDArray[np.int64]
    minus: NDArray[np.int64]
    score: float
    p_value: float
    votes: NDArray[np.float64]
    antiphase: float
    views: tuple[str, ...]

    @property
    def members(self) -> NDArray[np.int64]:
        """Both groups together, ascending."""
        return np.sort(np.concatenate([self.plus, self.minus]))


def find_opposing_groups(
    evidence: xr.Dataset,
    *,
    largest_fraction: float = 0.15,
    jump: float = 1.65,
    level: float = 0.01,
    minority: float = 0.15,
) -> list[OpposingPair]:
    """Pairs of opposing groups in `evidence` (from `observe`), best first; [] where there are none.

    Views. For each checkpoint and each top eigenvector u of the loss Hessian there: size
    a_i = ||J_i u||, how far sample i's outputs move along u, whatever its label and however well
    it is fitted; side: the sign of its slope g_i.u. For each stretch between two checkpoints: the
    leading right singular vector v of the loss changes (steps x samples, each step's mean taken
    off); size |v_i|, side: the sign of v_i.

    In each view:
      1. Sort by size, descending. For each cut m from 4 to largest_fraction N: the jump
         J(m) = a_(ceil 0.9 m) / a_(floor(1.1 m) + 1): a tenth of the set may lie on either side.
      2. Keep the cuts whose smaller side has at least `minority` of the m samples, and 2; of
         these the one of largest J.
      3. Null: the tail above the cut goes on as below it. Below, over max(20, 2 m) ranks, log a has
         mean excess xi (Hill's estimate); then log J is xi sum_k E_k / k over the ranks jumped (E_k
         exponential), gamma distributed with the same mean and variance to good approximation.
         p = P(log J or more), times the number of cuts and views.
      4. The view counts if J >= jump and p <= level. The floor on J is there because classes make
         small but real jumps: without planted groups none above 1.52 was seen.

    Views whose chosen sets overlap with the best view's (intersection over union >= 1/2) are one
    signal. Members: samples chosen in at least half of its views. Side: the sign summed over
    the views, each turned to agree with the best one. Both sides need 2 members. Then the same on
    the views left over, for the samples left over.

    `antiphase`, a measurement and no condition: the correlation over the steps of the two
    sides' mean loss changes, each less the mean change of all other samples.

    Raises InvalidInput: not a Dataset of `observe`, fewer than 27 samples, numbers out of range.
    """
    _check(evidence)
    largest = real("largest_fraction", largest_fraction, above=0)
    if largest > 0.5:
        refuse("largest_fraction", largest, "a number in (0, 0.5]")
    least = np.log(real("jump", jump, above=1))
    level = real("level", level, above=0)
    minority = real("minority", minority, low=0)
    sights = _sights(evidence)
    cuts = np.arange(4, max(4, int(largest * evidence.sizes["sample"])) + 1)
    log_level = np.log(level / (len(cuts) * len(sights)))
    views = [_stand_out(name, size, sign, cuts, minority) for name, size, sign in sights]
    kept = [v for v in views if v and v.log_jump >= least and v.log_p <= log_level]
    kept.sort(key=lambda view: -view.log_jump)
    pairs: list[OpposingPair] = []
    free = np.ones(evidence.sizes["sample"], dtype=bool)
    while kept:
        signal = [view for view in kept if _overlap(view.chosen, kept[0].chosen) >= 0.5]
        kept = [view for view in kept if all(view is not other for other in signal)]
        pair = _pair(evidence, signal, free, len(cuts) * len(sights))
        if pair is not None:
            free[pair.members] = False
            pairs.append(pair)
    return pairs


def _check(evidence: xr.Dataset) -> None:
    missing = [name for name in NEEDED if name not in getattr(evidence, "variables", ())]
    if missing:
        refuse("evidence", f"without {', '.join(missing)}", "a Dataset of realnet.observe")
    if evidence.sizes["sample"] < FEWEST:
        refuse("number of samples", evidence.sizes["sample"], f"at least {FEWEST}")


def _sights(evidence: xr.Dataset) -> list[tuple[str, Array, Array]]:
    """(name, size, side) of every view."""
    found = []
    steps = evidence.checkpoint_step.values
    response, slope = evidence.response.values, evidence.slope.values
    for i, step in enumerate(steps):
        for j in range(evidence.sizes["direction"]):
            name = f"eigenvector {j + 1} at step {step}"
            found.append((name, response[i, j], np.where(slope[i, j] < 0, -1.0, 1.0)))
    changes = loss_changes(evidence)
    for begin, end in pairwise(steps):
        window = changes[begin:end]
        if len(window) and np.isfinite(window).all():
            centred = window - window.mean(axis=1, keepdims=True)
            leading = np.linalg.svd(centred, full_matrices=False)[2][0]
            sign = np.where(leading < 0, -1.0, 1.0)
            found.append((f"loss changes of steps {begin} to {end}", np.abs(leading), sign))
    return found


def loss_changes(evidence: xr.Dataset) -> Array:
    """One-step changes of the samples' losses, (steps, N), float64."""
    return np.diff(evidence.loss.values.astype(np.float64), axis=0)


def _stand_out(name: str, size: Array, sign: Array, cuts: NDArray, minority: float) -> View | None:
    """The cut of largest jump whose two sides are both there; None if there is none."""
    order = np.argsort(-size, kind="stable")
    log_size = np.log(np.maximum(size[order], np.finfo(float).tiny))
    inner = np.ceil((1 - EDGE) * cuts).astype(int)
    outer = np.floor((1 + EDGE) * cuts).astype(int) + 1
    plus = np.cumsum(sign[order] > 0)[cuts - 1]
    smaller = np.minimum(plus, cuts - plus)
    jumps = log_size[inner - 1] - log_size[outer - 1]
    jumps[smaller < np.maximum(FIRST_GROUP, minority * cuts)] = -np.inf
    best = int(np.argmax(jumps))
    if not jumps[best] > 0:
        return None
    chosen = np.zeros(len(size), dtype=bool)
    chosen[order[: cuts[best]]] = True
    log_p = _tail_log_p(log_size, inner[best], outer[best], jumps[best])
    return View(name, chosen, sign, float(jumps[best]), log_p)


def _tail_log_p(log_size: Array, inner: int, outer: int, jump: float) -> float:
    """log P(a jump as large between ranks inner and outer) if the bulk's tail went on (step 3)."""
    last = min(outer + max(REFERENCE, 2 * outer), len(log_size))
    excess = log_size[outer - 1 : last - 1].mean() - log_size[last - 1]
    ranks = np.arange(inner, outer)
    mean, variance = (1 / ranks).sum(), (1 / ranks**2).sum()
    scaled = jump / max(excess, 1e-9)
    p = gammaincc(mean**2 / variance, scaled * mean / variance)
    return float(np.log(max(p, np.finfo(float).tiny)))


def _overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return (one & other).sum() / (one | other).sum()


def _pair(
    evidence: xr.Dataset, signal: list[View], free: NDArray[np.bool_], tests: int
) -> OpposingPair | None:
    """Members by vote, sides by the sum of the turned signs; None if a side is empty."""
    best = signal[0]
    votes = np.mean([view.chosen for view in signal], axis=0)
    members = (votes >= 0.5) & free
    turned = [view.sign * np.sign((view.sign * best.sign)[members].sum()) for view in signal]
    total = np.sum(turned, axis=0)
    side = np.where(total == 0, best.sign, total)
    plus = np.flatnonzero(members & (side > 0))
    minus = np.flatnonzero(members & (side < 0))
    if min(len(plus), len(minus)) < FIRST_GROUP:
        return None
    return OpposingPair(
        plus=plus,
        minus=minus,
        score=float(np.exp(best.log_jump)),
        p_value=float(min(1.0, np.exp(best.log_p + np.log(tests)))),
        votes=votes,
        antiphase=antiphase(evidence, plus, minus),
        views=tuple(view.name for view in signal),
    )


def antiphase(evidence: xr.Dataset, plus: NDArray, minus: NDArray) -> float:
    """S11: correlation over the steps of the groups' mean loss changes, less the others' mean."""
    changes = loss_changes(evidence)
    others = np.ones(changes.shape[1], dtype=bool)
    others[plus] = others[minus] = False
    if len(changes) < 3 or not others.any():
        return float("nan")
    common = changes[:, others].mean(axis=1)
    first = changes[:, plus].mean(axis=1) - common
    second = changes[:, minus].mean(axis=1) - common
    if first.std() == 0 or second.std() == 0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])
