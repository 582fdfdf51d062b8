"""The rules by which an edge is forecast, one row each: two runs, one run, the toy, its rivals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from linmodel.errors import InvalidInput
from linmodel.problem import Array
from realnet.bridge.curve import Curve, checked, rise_time, until_the_fall
from realnet.bridge.fitting import fit
from realnet.bridge.lag import descent_lags
from realnet.bridge.local import edge_times
from realnet.bridge.pair import Pair
from realnet.bridge.rivals import Description, describe, describes, toy_description
from realnet.bridge.searching import Search
from realnet.bridge.status import EARLIEST, HORIZON, NONE, statuses

TWO_RUNS, ONE_RUN, READING, TOY, DESCENT = (
    "two runs",
    "local exponential",
    "reading",
    "toy",
    "toy descent",
)
FITTED = ("power law", "logistic", "exponential")
RULES = (TWO_RUNS, ONE_RUN, READING, TOY, DESCENT, *FITTED)
GRID = 2000


@dataclass(frozen=True)
class Question:
    """The small run, its curve to its own edge, a pair or None, and the levels of the step sizes.

    early  (m,) which edges come before any rule can see them
    """

    small: xr.Dataset
    curve: Curve
    pair: Pair | None
    etas: Array
    levels: Array
    seed: int
    searched: Search

    @property
    def fitted(self) -> Curve | None:
        """The part of the curve that descriptions are fitted to; None where it is too short."""
        try:
            return checked(until_the_fall(self.curve))
        except InvalidInput:
            return None

    @property
    def end(self) -> float:
        """Last time at which a crossing counts."""
        return self.curve.start + HORIZON * (self.curve.span - self.curve.start)

    def answer(
        self, times: Array, inside: np.ndarray, limit: float = np.nan, lag: Array | None = None
    ) -> Answer:
        """Times with their statuses; those too early or too late are NaN, infinite: `LATER`."""
        begun = self.curve.sharpness[0] >= self.levels
        with np.errstate(invalid="ignore"):
            early = begun | ((times - self.curve.start) / self.etas < EARLIEST)
        status = statuses(times, inside, early, self.end)
        known = ~early & ((times <= self.end) | np.isinf(times))
        return Answer(np.where(known, times, np.nan), status, limit, lag)


@dataclass(frozen=True)
class Answer:
    """Edge times (m,), NaN without one, infinite for LATER; statuses; late sharpness; the lag."""

    times: Array
    status: np.ndarray
    limit: float = np.nan
    lag: Array | None = None


def answers(question: Question) -> dict[str, Answer]:
    """Every rule's answer."""
    found = _read(question) | _toys(question)
    fitted = question.fitted
    for name in FITTED:
        if fitted is None:
            found[name] = _nothing(question)
        else:
            found[name] = _described(question, describe(name, fitted), fitted)
    return {name: found[name] for name in RULES}


def _read(question: Question) -> dict[str, Answer]:
    """The curve itself: read, carried on, and with the lag of two runs."""
    curve, levels = question.curve, question.levels
    times, inside = edge_times(curve, levels)
    found = {ONE_RUN: question.answer(times, inside)}
    read = found[ONE_RUN]
    beyond = levels > curve.sharpness.max()
    found[READING] = Answer(
        np.where(inside, read.times, np.nan), np.where(beyond, NONE, read.status)
    )
    found[TWO_RUNS] = _nothing(question)
    if question.pair is not None:
        lag = question.pair.lag(question.etas, levels)
        found[TWO_RUNS] = question.answer(times + lag, inside, lag=lag)
    return found


def _toys(question: Question) -> dict[str, Answer]:
    """The toy's flow with both scales free; and, with one, the flow later by descent's lag."""
    found = {TOY: _nothing(question), DESCENT: _nothing(question)}
    for scales, name in ((2, TOY), (1, DESCENT)):
        try:
            result = fit(
                question.small, scales=scales, seed=question.seed, searched=question.searched
            )
        except InvalidInput:
            return found
        if result.status not in ("ok", "systematic"):
            continue
        toy = toy_description(result.values, result.curve, True, result.best.point)
        lag = None
        if name == DESCENT:
            edges, _ = _crossings(question, toy)
            lag = descent_lags(result.values, edges, question.etas, question.curve.step_size)
        found[name] = _described(question, toy, result.curve, lag)
    return found


def _described(
    question: Question, found: Description, fitted: Curve, lag: Array | None = None
) -> Answer:
    if not found.converged or not describes(found, fitted):
        return _nothing(question)
    times, inside = _crossings(question, found)
    answer = question.answer(times if lag is None else times + lag, inside, found.limit)
    if lag is not None:
        lost = np.isfinite(times) & ~np.isfinite(lag)
        return Answer(answer.times, np.where(lost, NONE, answer.status), found.limit, lag)
    return answer


def _crossings(question: Question, found: Description) -> tuple[Array, np.ndarray]:
    """First time at which the description rises through each level; which lie inside the curve."""
    start, span, end = question.curve.start, question.curve.span, question.end
    # Dense where the window is, then on to the horizon.
    grid = np.unique(np.concatenate([np.linspace(start, span, GRID), np.linspace(span, end, GRID)]))
    with np.errstate(all="ignore"):
        values = found.predict(grid)
    times = np.array([rise_time(grid, values, level) for level in question.levels])
    return times, times <= span


def _nothing(question: Question) -> Answer:
    count = len(question.levels)
    return Answer(np.full(count, np.nan), np.full(count, NONE, dtype=object))
