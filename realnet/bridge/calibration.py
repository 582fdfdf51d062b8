"""Observed edges of many networks, and the quantiles of the rules' errors on them.

The table (data_files/edges.nc, made by data_files/build_edges.py) holds, for each network and
seed, the curves of two small runs and the edges of larger step sizes: when they were reached, or
that they were not, and how long that was watched. Rows with fresh = 1 were trained after the rule
was frozen: they are scored and never calibrated on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from typing import NamedTuple

import numpy as np
import xarray as xr

from linmodel.arguments import typed
from linmodel.errors import real, refuse
from linmodel.problem import Array
from linmodel.store import load
from realnet.bridge.curve import Curve
from realnet.bridge.intervals import Quantiles, beyond, tolerance
from realnet.bridge.local import edge_times
from realnet.bridge.pair import Pair, pair_of
from realnet.bridge.status import EARLIEST

TABLE = "edges.nc"
# Shares of a small curve, in time, from which the rest of it is forecast, and levels of that rest.
PREFIXES, LEVELS = (0.25, 0.35, 0.5, 0.7), (0.25, 0.5, 0.75, 1.0)
# Fewest points of a prefix, as of a curve.
FEWEST = 8
# Beyond it the table has too few networks for a quantile.
HIGHEST_LEVEL = 0.98


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
    """Of the committed table. Raises InvalidInput for a level outside (0, 0.98]."""
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
    """Conformal quantiles of these errors (see `Quantiles`)."""
    far, late, spread = (np.concatenate(part) for part in zip(*known, strict=True))
    tail = (1 - level) / 2
    return Quantiles(
        -conformal(-far, 1 - tail), conformal(far, 1 - tail), conformal(late, level),
        conformal(spread, level),
    )  # fmt: skip


def scores_of(case: Case) -> Scores:
    """The errors of one case: of its curve's prefixes, and of its edges."""
    return Scores(prefix_scores(case.small), *edge_scores(case))


def conformal(scores: Array, share: float) -> float:
    """The ceil((n + 1) share)-th smallest score: a new one lies below with that probability."""
    ordered = np.sort(scores)
    return float(ordered[min(math.ceil((len(ordered) + 1) * share), len(ordered)) - 1])


def prefix(curve: Curve, share: float) -> Curve:
    """The first `share` of a curve, in time."""
    end = curve.start + share * (curve.span - curve.start)
    return curve.first(int((curve.time <= end * (1 + 1e-12)).sum()))


def prefix_scores(curve: Curve) -> Array:
    """ln(true/predicted) / ln(predicted/T) of the local exponential from prefixes of the curve, at
    levels that the rest of it rises to."""
    found = []
    for share in PREFIXES:
        part = prefix(curve, share)
        top, whole = part.sharpness.max(), curve.sharpness.max()
        if len(part.time) < FEWEST or whole <= top:
            continue
        levels = top * (whole / top) ** np.array(LEVELS)
        true, _ = edge_times(curve, levels * (1 - 1e-9))
        predicted, inside = edge_times(part, levels)
        far = beyond(predicted, part)
        known = np.isfinite(predicted) & ~inside & (far > 0)
        found.append(np.log((true - curve.start) / (predicted - curve.start))[known] / far[known])
    return np.concatenate([np.empty(0), *found])


def edge_scores(case: Case) -> tuple[Array, Array]:
    """Of edges inside the curve: edge/reading - 1, and two runs' error over its `tolerance`."""
    levels = 2 / case.step_sizes
    read, inside = edge_times(case.small, levels)
    lag = case.pair.lag(case.step_sizes, levels)
    begin = case.small.start
    known = inside & np.isfinite(case.edges) & (case.edges - begin >= EARLIEST * case.step_sizes)
    known &= case.small.sharpness[0] < levels
    late = (case.edges - begin) / (read - begin) - 1
    error = np.abs(case.edges - read - lag) / tolerance(read + lag, lag, case.small)
    return late[known], error[known]


def _curve(row: xr.Dataset, name: str) -> Curve:
    time = row[f"{name}_time"].values.astype(float)
    known = np.isfinite(time)
    sharpness = row[f"{name}_sharpness"].values.astype(float)[known]
    return Curve(time[known], sharpness, known[known], float(row[f"{name}_step_size"]))
