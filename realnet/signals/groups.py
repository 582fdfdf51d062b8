"""Find opposing groups from evidence recorded in training: a precise rule, no pictures needed.

`find_opposing_groups` has the whole algorithm in its docstring.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import betainc

from linmodel.arguments import typed
from linmodel.errors import real, refuse
from realnet.signals.antiphase import antiphase
from realnet.signals.layout import check, record_index

EDGE = 0.1  # share of a set that may lie on either side of its jump
REFERENCE = 20  # at least so many samples below the jump estimate the bulk's own tail
FIRST_CUT = 2  # one sample on each side
ALIKE = 0.5  # sets that share so much of what they hold are one signal
SELDOM = 1 / 3  # least share of a signal's observations in which a member stands out
FEWEST = 27  # samples, to have a tail below the jump
NEEDED = ("loss", "slope", "response", "checkpoint_step")
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Candidate:
    """An observation and the set of samples that stands out in it."""

    name: str
    slopes: Array  # (rows, N): what tells the sides apart there
    responses: Array  # (rows, N): what they are divided by
    chosen: NDArray[np.bool_]
    log_jump: float
    log_p: float


class Observation(NamedTuple):
    """The samples along one direction: sizes and signed slopes; slopes and responses beside it."""

    name: str
    size: Array
    slope: Array
    slopes: Array
    responses: Array


@dataclass(frozen=True)
class OpposingPair:
    """Two groups that respond alike along a direction along which their losses slope oppositely.

    plus, minus  indices of the samples whose loss rises and falls along the best direction
    score        the jump: factor by which the members exceed all others in the best observation
    p_value      probability of such a jump in the bulk's own tail, all observations and cuts
                 allowed for
    votes        (N,) share of the pair's observations in which a sample stands out
    antiphase    rank correlation of the groups' loss swings over the steps (-1: perfect antiphase)
    observations names of those that agree, best first
    """

    plus: NDArray[np.int64]
    minus: NDArray[np.int64]
    score: float
    p_value: float
    votes: NDArray[np.float64]
    antiphase: float
    observations: tuple[str, ...]

    @property
    def members(self) -> NDArray[np.int64]:
        """Both groups together, ascending."""
        return np.sort(np.concatenate([self.plus, self.minus]))


@typed
def find_opposing_groups(
    evidence: xr.Dataset,
    *,
    largest_fraction: float = 0.15,
    jump: float = 1.65,
    level: float = 0.01,
    minority: float = 0.15,
) -> list[OpposingPair]:
    """Pairs of opposing groups in `evidence` (`Evidence.dataset()`), best first; [] where none are.

    Observations. For each checkpoint and each top eigenvector u of the loss Hessian there: size
    a_i = ||J_i u||, how far sample i's outputs move along u, whatever its label and however well
    it is fitted; side: the sign of its slope g_i.u. For each stretch between two checkpoints: the
    leading right singular vector v of the loss changes (steps x samples, each step's mean taken
    off); size |v_i|, side: the sign of v_i.

    In each observation:
      1. Sort by size, descending. For each cut m from 2 to largest_fraction N: the jump
         J(m) = a_(ceil 0.9 m) / a_(floor(1.1 m) + 1): a tenth of the set may lie on either side.
      2. Keep the cuts whose smaller side has at least `minority` of the m samples, and 1.
      3. Null: the tail above the cut goes on as below it, a power law of unknown exponent 1/xi.
         Then log J is xi sum_k E_k / k over the ranks jumped (E_k exponential), close to a gamma
         law of the same mean and variance, and the summed excess of log a over the n = max(20, 2 m)
         ranks below (Hill's estimate) is xi Gamma(n): their ratio has a beta-prime law whatever
         xi. p = P(log J or more by it), times the number of cuts and observations.
      4. Of the cuts with J >= jump and p <= level, the one of largest J; without one the
         observation is left out. Its set ends at the steepest fall between J's two ranks. The
         floor on J is there because classes make small but real jumps: up to about 1.6 without
         planted groups.

    The observation of smallest p leads. Those whose sets overlap with its set (intersection over
    union >= 1/2) are one signal with it; those that mostly lie inside its set say nothing new and
    are left out. Members: samples in the sets of at least a third of the signal's observations.
    Sides: the matrix of the members' slopes over responses (directions at these checkpoints x
    members; for stretches the loss changes over each step's sd), each row less its mean and
    weighted by the members' mean response over that of all samples; the sign of its leading right
    singular vector.
    Both sides need a member, and mean slopes of opposite sign along a direction. Then the same on
    the observations left over, for the samples left over.

    `antiphase`, a measurement and no condition: the rank correlation over the steps of the second
    differences of the two sides' mean losses, each less the mean loss of all other samples.

    Raises InvalidInput: not evidence, fewer than 27 samples, numbers out of range.
    """
    _check(evidence)
    largest = real("largest_fraction", largest_fraction, above=0)
    if largest > 0.5:
        refuse("largest_fraction", largest, "a number in (0, 0.5]")
    least = np.log(real("jump", jump, above=1))
    level = real("level", level, above=0)
    minority = real("minority", minority, low=0)
    observations = _observations(evidence)
    most = max(FIRST_CUT, int(largest * evidence.sizes["sample"]))
    cuts = np.arange(FIRST_CUT, most + 1)
    tests = len(cuts) * len(observations)
    found = (
        _stand_out(seen, cuts, minority, least, np.log(level / tests)) for seen in observations
    )
    candidates = sorted((one for one in found if one), key=lambda v: (v.log_p, -v.log_jump))
    pairs: list[OpposingPair] = []
    free = np.ones(evidence.sizes["sample"], dtype=bool)
    while candidates:
        first = candidates[0].chosen
        signal = [one for one in candidates if _overlap(one.chosen, first) >= ALIKE]
        candidates = [one for one in candidates if _inside(one.chosen, first) < ALIKE]
        candidates = [one for one in candidates if all(one is not other for other in signal)]
        pair = _pair(evidence, signal, free, tests)
        if pair is not None:
            free[pair.members] = False
            pairs.append(pair)
    return pairs


def _check(evidence: xr.Dataset) -> None:
    check(evidence, NEEDED)
    if evidence.sizes["sample"] < FEWEST:
        refuse("number of samples", evidence.sizes["sample"], f"at least {FEWEST}")


def _observations(evidence: xr.Dataset) -> list[Observation]:
    """Every observation, before anything is chosen in it."""
    found = []
    steps = evidence.checkpoint_step.values
    response, slope = evidence.response.values, evidence.slope.values
    for i, step in enumerate(steps):
        for j in range(evidence.sizes["direction"]):
            name = f"eigenvector {j + 1} at step {step}"
            found.append(Observation(name, response[i, j], slope[i, j], slope[i], response[i]))
    changes = loss_changes(evidence)
    records = record_index(evidence)
    for (first, last), (begin, end) in zip(pairwise(records), pairwise(steps), strict=True):
        window = changes[first:last]
        if len(window):
            centred = window - window.mean(axis=1, keepdims=True)
            leading = np.linalg.svd(centred, full_matrices=False)[2][0]
            name = f"loss changes of steps {begin} to {end}"
            spread = np.repeat(centred.std(axis=1, keepdims=True), centred.shape[1], axis=1)
            found.append(Observation(name, np.abs(leading), leading, centred, spread))
    return found


@typed
def loss_changes(evidence: xr.Dataset) -> Array:
    """One-step changes of the samples' losses, (steps, N), float64."""
    return np.diff(evidence.loss.values.astype(np.float64), axis=0)


def _stand_out(
    seen: Observation, cuts: NDArray, minority: float, least: float, log_level: float
) -> Candidate | None:
    """The cut of largest log jump >= least and log p <= log_level; None if there is none."""
    order = np.argsort(-seen.size, kind="stable")
    log_size = np.log(np.maximum(seen.size[order], np.finfo(float).tiny))
    inner = np.ceil((1 - EDGE) * cuts).astype(int)
    outer = np.floor((1 + EDGE) * cuts).astype(int) + 1
    plus = np.cumsum(seen.slope[order] > 0)[cuts - 1]
    smaller = np.minimum(plus, cuts - plus)
    jumps = log_size[inner - 1] - log_size[outer - 1]
    jumps[smaller < np.maximum(1, minority * cuts)] = -np.inf
    for best in np.argsort(-jumps, kind="stable"):
        if jumps[best] < least:
            return None
        log_p = _tail_log_p(log_size, inner[best], outer[best], jumps[best])
        if log_p <= log_level:
            break
    else:
        return None
    first, last = inner[best], outer[best]
    steepest = first + int(np.argmax(log_size[first - 1 : last - 1] - log_size[first:last]))
    chosen = np.zeros(len(order), dtype=bool)
    chosen[order[:steepest]] = True
    return Candidate(seen.name, seen.slopes, seen.responses, chosen, float(jumps[best]), log_p)


def _tail_log_p(log_size: Array, inner: int, outer: int, jump: float) -> float:
    """log P(a jump as large between ranks inner and outer) if the bulk's tail went on (step 3)."""
    last = min(outer + max(REFERENCE, 2 * outer), len(log_size))
    excess = float((log_size[outer - 1 : last - 1] - log_size[last - 1]).sum())
    ranks = np.arange(inner, outer)
    mean, variance = float((1 / ranks).sum()), float((1 / ranks**2).sum())
    scaled = jump * mean / variance
    share = max(excess, 1e-9) / (scaled + max(excess, 1e-9))
    p = betainc(last - outer, mean**2 / variance, share)
    return float(np.log(max(p, np.finfo(float).tiny)))


def _overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return (one & other).sum() / (one | other).sum()


def _inside(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Share of `one` that lies in `other`."""
    return (one & other).sum() / one.sum()


def _pair(
    evidence: xr.Dataset, signal: list[Candidate], free: NDArray[np.bool_], tests: int
) -> OpposingPair | None:
    """Members by vote, sides by their slopes; None if a side is empty or nothing is opposite."""
    best = signal[0]
    votes = np.mean([one.chosen for one in signal], axis=0)
    members = np.flatnonzero((votes >= SELDOM) & free)
    if len(members) < FIRST_CUT:
        return None
    slopes = np.concatenate([one.slopes for one in signal])
    responses = np.concatenate([one.responses for one in signal])
    plus, minus = _sides(slopes, responses, members)
    if not len(plus) or not len(minus):
        return None
    return OpposingPair(
        plus=plus,
        minus=minus,
        score=float(np.exp(best.log_jump)),
        p_value=float(min(1.0, np.exp(best.log_p + np.log(tests)))),
        votes=votes,
        antiphase=antiphase(*group_losses(evidence, plus, minus)),
        observations=tuple(one.name for one in signal),
    )


def _sides(
    slopes: Array, responses: Array, members: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Members split where their slopes (rows: directions) differ most; none if none is opposite."""
    size = np.maximum(responses, np.finfo(float).tiny)
    excess = size[:, members].mean(axis=1) / size.mean(axis=1)
    own = excess[:, None] * slopes[:, members] / size[:, members]
    leading = np.linalg.svd(own - own.mean(axis=1, keepdims=True), full_matrices=False)[2][0]
    upper = leading > 0
    nobody = members[:0]
    if upper.all() or not upper.any():
        return nobody, nobody
    means = np.stack([own[:, upper].mean(axis=1), own[:, ~upper].mean(axis=1)])
    opposite = -means.prod(axis=0)
    row = int(np.argmax(opposite))
    if opposite[row] <= 0:
        return nobody, nobody
    plus = upper if means[0, row] > 0 else ~upper
    return members[plus], members[~plus]


def group_losses(evidence: xr.Dataset, plus: NDArray, minus: NDArray) -> tuple[Array, Array, Array]:
    """Mean losses of the two groups and of all other samples, (steps,) each."""
    loss = evidence.loss.values.astype(np.float64)
    others = np.ones(loss.shape[1], dtype=bool)
    others[plus] = others[minus] = False
    return loss[:, plus].mean(axis=1), loss[:, minus].mean(axis=1), loss[:, others].mean(axis=1)
