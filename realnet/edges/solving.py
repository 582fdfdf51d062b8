"""Top eigenpairs of an operator given by its products, warm from the last evaluation."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from linmodel.errors import integer, refuse
from realnet.curvature.eigensolver import BESIDES, TopSolver, default_memory
from realnet.curvature.evaluated import Eigenpairs
from realnet.curvature.jump import Jump
from realnet.curvature.lanczos import BESIDES as BESIDE
from realnet.curvature.lanczos import RestartedLanczos
from realnet.curvature.precision import full_precision
from realnet.curvature.search import SHARE
from realnet.curvature.symmetry import told
from realnet.edges.point import Point

ROUNDOFF = 4.0  # as in realnet.curvature.tracker


def largest(
    point: Point, name: str, products: Callable[[Tensor], Tensor], k: int, crowded: bool = False
) -> Eigenpairs:
    """The k algebraically largest eigenpairs; `name`: of the memory that starts the next warm.

    crowded  whether they are at the small, crowded end of the spectrum (module `lanczos`)
    """
    objective = point.objective
    k = min(integer("k", k, low=1), objective.n)
    if point.max_products <= k:
        refuse("max_products", point.max_products, f"more than k = {k}")
    key = objective.n, k, objective.dtype, objective.device
    known = point.memory.get(name)
    if known is None or known[0] != key:
        known = key, _solver(point, k, crowded), Jump()
        point.memory[name] = known
    floor = ROUNDOFF * torch.finfo(objective.dtype).eps
    with full_precision(objective.device):
        pairs = known[1].solve(
            products,
            SHARE * point.tolerance,
            floor,
            point.max_products,
            known[2].far(objective.params),
        )
    known[2].learn(objective.params)
    return told(pairs, point.tolerance)


def _solver(point: Point, k: int, crowded: bool) -> TopSolver | RestartedLanczos:
    objective, generator = point.objective, torch.Generator().manual_seed(point.seed)
    kind = objective.n, k, objective.dtype, objective.device
    memory = point.vectors or default_memory(objective.n, k)
    if crowded:
        return RestartedLanczos(*kind, generator, memory - k - BESIDE, point.sure)
    return TopSolver(*kind, generator, memory - BESIDES, point.sure)


def bound(missed: float) -> float | None:
    """The probability as `Measured` has it: None where it was not asked for."""
    return None if math.isnan(missed) else missed
