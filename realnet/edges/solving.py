"""Top eigenpairs of an operator given by its products, warm from the last evaluation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from linmodel.errors import integer, refuse
from realnet.curvature import eigensolver, lanczos
from realnet.curvature.eigensolver import TopSolver, default_memory
from realnet.curvature.evaluated import Eigenpairs
from realnet.curvature.jump import Jump
from realnet.curvature.lanczos import RestartedLanczos
from realnet.curvature.precision import full_precision
from realnet.curvature.search import SHARE
from realnet.curvature.symmetry import told
from realnet.edges.point import Point

ROUNDOFF = 4.0  # as in realnet.curvature.tracker


def largest(point: Point, name: str, products: Callable[[Tensor], Tensor], k: int) -> Eigenpairs:
    """The k algebraically largest eigenpairs; `name`: of the memory that starts the next warm."""
    with _warm(point, name, k, _top) as (solver, how):
        pairs = solver.solve(products, *how)
    return told(pairs, point.tolerance)


def smallest(point: Point, name: str, k: int, level: float = -math.inf) -> Eigenpairs:
    """The k algebraically smallest of the Hessian, as the largest of minus it (module `lanczos`).

    level  of values below, only that they are is asked
    """
    with _warm(point, name, k, _bottom) as (solver, how):
        pairs = solver.solve(lambda vectors: -point.products(vectors), *how, level)
    return told(pairs, point.tolerance)


@contextmanager
def _warm(
    point: Point, name: str, k: int, make: Callable[[Point, int, torch.Generator], Any]
) -> Iterator[tuple[Any, tuple[float, float, int, bool]]]:
    """The solver of before, or a new one, and what both kinds are asked."""
    objective = point.objective
    k = min(integer("k", k, low=1), objective.n)
    if point.max_products <= k:
        refuse("max_products", point.max_products, f"more than k = {k}")
    if point.vectors is not None and point.vectors < 4 * k + 11:
        allowed = f"at least 4 k + 11 = {4 * k + 11} vectors for k = {k}"
        refuse("memory", point.vectors, allowed, "Make the tracker with more, or ask for fewer.")
    key = objective.n, k, objective.dtype, objective.device
    known = point.memory.get(name)
    if known is None or known[0] != key:
        known = key, make(point, k, torch.Generator().manual_seed(point.seed)), Jump()
        point.memory[name] = known
    floor = ROUNDOFF * torch.finfo(objective.dtype).eps
    jumped = known[2].far(objective.params)
    with full_precision(objective.device):
        yield known[1], (SHARE * point.tolerance, floor, point.max_products, jumped)
    known[2].learn(objective.params)


def _top(point: Point, k: int, generator: torch.Generator) -> TopSolver:
    own, memory = point.objective, point.vectors or default_memory(point.objective.n, k)
    rows = memory - eigensolver.BESIDES
    return TopSolver(own.n, k, own.dtype, own.device, generator, rows, point.sure)


def _bottom(point: Point, k: int, generator: torch.Generator) -> RestartedLanczos:
    own, memory = point.objective, point.vectors or default_memory(point.objective.n, k)
    rows = memory - lanczos.BESIDES - k
    return RestartedLanczos(own.n, k, own.dtype, own.device, generator, rows, point.sure)


def bound(missed: float) -> float | None:
    """The probability as `Measured` has it: None where it was not asked for."""
    return None if math.isnan(missed) else missed
