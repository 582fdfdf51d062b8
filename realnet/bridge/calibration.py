"""Observed edges of many networks, and the quantiles of the rules' errors on them.

The table (data_files/edges.nc, made by data_files/build_edges.py) holds, for each network and
seed, the curves of two small runs and the edges of larger step sizes: when they were reached, or
that they were not, and how long that was watched. Rows with fresh = 1 were trained after the rule
was frozen: they are scored and never calibrated on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from typing import NamedTuple

import numpy as np
import xarray as xr

from linmodel.arguments import typed
from linmodel.errors import InvalidInput, real, refuse
from linmodel.problem import Array
from linmodel.store import load
from realnet.bridge.conformal import Quantiles, beyond, tolerance
from realnet.bridge.curve import FEWEST_READ, LEAST_RISE, Curve, rise
from realnet.bridge.local import edge_times
from realnet.bridge.pair import Pair, pair_of
from realnet.bridge.status import EARLIEST

TABLE = "edges.nc"
# Shares of a small curve, in time, from which the rest of it is forecast, and levels of that rest.
PREFIXES, LEVELS = (0.25, 0.35, 0.5, 0.7), (0.1, 0.25, 0.5, 0.75, 1.0)
# Beyond it the table has too few networks for a quantile.
HIGHEST_LEVEL = 0.95


@dataclass(frozen=True)
class Case:
    """One network and seed: the small curve, the second's, and what larger step sizes did.

    step_sizes, edges, watched  (m,): edge time (NaN: not reached) and the last time looked at
    """

    network: str
    seed: int
    fresh: bool
    small: Curve
    second: Curve
    step_sizes: Array
    edges: Array
    watched: Array

    @property
    def pair(self) -> Pair:
        """The lag of the two runs."""
        return pair_of(self.small, self.second)


class Scores(NamedTuple):
    """Errors of the rules on one case, (n,), (m,), (m,): see `Quantiles`."""

    network: str
    far: Array
    late: Array
    spread: Array


@cache
def table() -> xr.Dataset:
    """The committed table."""
    with as_file(files("realnet") / "data_files" / TABLE) as path:
        return load(path)


def cases(data: xr.Dataset) -> list[Case]:
    """The rows of a table."""
    found = []
    for i in range(data.sizes["run"]):
        row = data.isel(run=i)
        step_sizes = row.larger_step_size.values
        known = np.isfinite(step_sizes)
        found.append(
            Case(
                str(row.network.item()),
                int(row.seed),
                bool(row.fresh),
                _curve(row, "small"),
                _curve(row, "second"),
                step_sizes[known],
                row.edge_time.values[known],
                row.watched.values[known],
            )
        )
    return found


@cache
def known_cases() -> tuple[Case, ...]:
    """The committed table's rows that the quantiles are made from."""
    return tuple(case for case in cases(table()) if not case.fresh)


@cache
def known_scores() -> tuple[Scores, ...]:
    """Their errors."""
    return tuple(map(scores_of, known_cases()))


@typed
def quantiles(level: float) -> Quantiles:
    """Of the committed table. Raises InvalidInput for a level outside (0, 0.95]."""
    level = real("level", level, above=0)
    if level > HIGHEST_LEVEL:
        refuse(
            "level", level, f"at most {HIGHEST_LEVEL}", "The calibration knows no more networks."
        )
    return _quantiles(level)


@cache
def _quantiles(level: float) -> Quantiles:
    return quantiles_of(known_scores(), level)


def quantiles_of(known: Iterable[Scores], level: float) -> Quantiles:
    """Conformal quantiles of these errors over networks (see `Quantiles`)."""
    groups: dict[str, list[Scores]] = {}
    for one in known:
        groups.setdefault(one.network, []).append(one)
    far, late, spread = (
        conformal([np.concatenate([one[part] for one in own]) for own in groups.values()], level)
        for part in (1, 2, 3)
    )
    return Quantiles(far, late, spread)


def scores_of(case: Case) -> Scores:
    """The errors of one case: of its curve's prefixes, and of its edges."""
    return Scores(case.network, prefix_scores(case.small), *edge_scores(case))


def conformal(groups: list[Array], share: float) -> float:
    """Below it a score of a new group lies with probability `share` (or more): the quantile where
    each of the n groups with scores weighs 1/(n + 1), in equal parts, and infinity the rest; at
    most the largest score. (Lee, Barber and Willett, Distribution-free inference with hierarchical
    data, arXiv:2306.06342.)
    """
    groups = [scores for scores in groups if len(scores)]
    scores = np.concatenate(groups)
    weights = np.concatenate([np.full(len(own), 1 / len(own)) for own in groups])
    order = np.argsort(scores)
    below = np.cumsum(weights[order]) / (len(groups) + 1)
    # Sums of n equal parts are exact to 1e-12 only.
    place = int(np.searchsorted(below, share - 1e-12))
    return float(scores[order][min(place, len(scores) - 1)])


def prefix(curve: Curve, share: float) -> Curve:
    """The first `share` of a curve, in time."""
    end = curve.start + share * (curve.span - curve.start)
    return curve.first(int((curve.time <= end * (1 + 1e-12)).sum()))


def forecast_from(curve: Curve) -> bool:
    """Whether a forecast takes the curve: 8 points, a rise by 10% (as `curve.measured`)."""
    return len(curve.time) >= FEWEST_READ and rise(curve.sharpness)[0] >= LEAST_RISE


def prefix_scores(curve: Curve) -> Array:
    """|ln(true/predicted)| / ln(predicted/T) of the local exponential from those prefixes of the
    curve that a forecast takes, at levels that the rest of it rises to and that are forecast."""
    found = []
    for share in PREFIXES:
        part = prefix(curve, share)
        top, whole = part.sharpness.max(), curve.sharpness.max()
        if not forecast_from(part) or whole <= top:
            continue
        levels = top * (whole / top) ** np.array(LEVELS)
        true, _ = edge_times(curve, levels * (1 - 1e-9))
        predicted, inside = edge_times(part, levels)
        far = beyond(predicted, part)
        known = np.isfinite(predicted) & ~inside & (far > 0)
        ratio = (true - curve.start)[known] / (predicted - curve.start)[known]
        found.append(np.abs(np.log(ratio)) / far[known])
    return np.concatenate([np.empty(0), *found])


def edge_scores(case: Case) -> tuple[Array, Array]:
    """Of edges inside the curve: edge/reading - 1, and two runs' error over its `tolerance`."""
    levels = 2 / case.step_sizes
    read, inside = edge_times(case.small, levels)
    try:
        lag = case.pair.lag(case.step_sizes, levels)
    except InvalidInput:  # no pair: as a forecast would refuse it
        lag = np.full(len(levels), np.nan)
    begin = case.small.start
    known = inside & np.isfinite(case.edges) & (case.edges - begin >= EARLIEST * case.step_sizes)
    known &= case.small.sharpness[0] < levels
    late = (case.edges - begin) / (read - begin) - 1
    error = np.abs(case.edges - read - lag) / tolerance(read + lag, lag, case.small)
    return late[known], error[known & np.isfinite(lag)]


def _curve(row: xr.Dataset, name: str) -> Curve:
    time = row[f"{name}_time"].values.astype(float)
    known = np.isfinite(time)
    sharpness = row[f"{name}_sharpness"].values.astype(float)[known]
    return Curve(time[known], sharpness, known[known], float(row[f"{name}_step_size"]))
