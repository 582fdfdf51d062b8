"""Finding certificates: a linear program over products of constraints and squares (HiGHS).

The floating-point answer only says which terms are used; their coefficients are then solved for in
rational numbers, and what comes out is re-checked like any other certificate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

from proofs_check.certificates.cases import EQUAL, STRICT, Case, cases
from proofs_check.certificates.elimination import Elimination
from proofs_check.certificates.formula import Poly, Statement, polynomial
from proofs_check.certificates.recheck import (
    Certificate,
    Proof,
    recheck,
    recheck_case,
)

MOST_COLUMNS = 40_000
NEGLIGIBLE = 1e-9
SECONDS = 40.0
Powers = tuple[int, ...]


@dataclass(frozen=True)
class Search:
    """How far to look: factors in a product, degree above the constraints', kinds of squares."""

    factors: int
    extra: int
    squares: str  # "none", "monomials", "binomials"


LADDER = (
    Search(2, 0, "none"),
    Search(2, 0, "binomials"),
    Search(2, 1, "monomials"),
    Search(3, 2, "monomials"),
    Search(2, 2, "binomials"),
    Search(4, 3, "monomials"),
    Search(3, 3, "binomials"),
    Search(5, 4, "monomials"),
)


@dataclass(frozen=True)
class Column:
    """A candidate: a product of inequalities x factor^2, or (equation >= 0) equation x factor."""

    poly: Poly
    factor: Poly
    product: Powers = ()
    equation: int = -1
    strict: bool = False

    @property
    def signed(self) -> bool:
        """Must its coefficient be >= 0?"""
        return self.equation < 0


def find(
    statement: Statement, squares: Sequence[str] = (), ladder: Iterable[Search] = LADDER
) -> Certificate | None:
    """A certificate of the statement, or None where the search ends without one.

    squares  polynomials whose squares to try beside those of the ladder (a hint, never trusted)
    """
    hints = [polynomial(text, statement.ring) for text in squares]
    steps = tuple(ladder)
    proofs = []
    for case in cases(statement):
        proof = next(filter(None, (_try(case, statement, hints, step) for step in steps)), None)
        if proof is None:
            return None
        proofs.append(proof)
    found = Certificate(statement, tuple(proofs))
    return None if recheck(found) else found


def _try(case: Case, statement: Statement, hints: list[Poly], search: Search) -> Proof | None:
    plan = Elimination.of(case, statement.ring)
    columns = _candidates(plan, statement, hints, search)
    if columns is None:
        return None
    chosen = _support(columns, plan)
    if chosen is None:
        return None
    sizes = _exact(chosen)
    if sizes is None:
        return None
    pairs = list(zip(chosen, sizes, strict=True))
    proof = plan.restored(
        [(c.product, c.factor, size) for c, size in pairs if c.signed and size != 0],
        [(c.equation, size * c.factor) for c, size in pairs if not c.signed],
    )
    return proof if not recheck_case(case, proof, statement.ring) else None


def _candidates(
    plan: Elimination, statement: Statement, hints: list[Poly], search: Search
) -> list[Column] | None:
    """Products of inequalities times squares, and equations times monomials, up to a degree."""
    ring, parts = statement.ring, plan.case.constraints
    unequal = [i for i, part in enumerate(parts) if part.kind != EQUAL]
    polys = plan.reduced
    highest = max([p.total_degree() for p in polys] + [2 * h.total_degree() for h in hints]) + max(
        search.extra, 0
    )
    used = _used(polys, ring)
    squares = list(_squares(ring, used, search.squares, highest)) + [plan.put(h) for h in hints]
    columns: list[Column] = []
    for product in _products(unequal, polys, search.factors, highest):
        value = ring.constant(1)
        for i in product:
            value = value * polys[i]
        room = highest - value.total_degree()
        strict = all(parts[i].kind == STRICT for i in product)
        for square in [ring.constant(1), *squares]:
            if 2 * square.total_degree() > room:
                continue
            alone = strict and square.is_constant()
            columns.append(Column(value * square**2, square, product, strict=alone))
            if len(columns) > MOST_COLUMNS:
                return None
    for i in plan.remaining:
        for monomial in _monomials(ring, used, highest - polys[i].total_degree()):
            columns.append(Column(polys[i] * monomial, monomial, equation=i))
    return columns if len(columns) <= MOST_COLUMNS else None


def _products(
    numbers: list[int], polys: Sequence[Poly], factors: int, highest: int
) -> Iterator[Powers]:
    degree = {i: polys[i].total_degree() for i in numbers}
    for size in range(factors + 1):
        for product in combinations_with_replacement(numbers, size):
            if sum(degree[i] for i in product) <= highest:
                yield product


def _used(polys: Sequence[Poly], ring: Any) -> list[int]:
    """The variables that are left."""
    size = len(ring.names())
    powers = [power for poly in polys for power in poly.to_dict()]
    return [i for i in range(size) if any(power[i] for power in powers)]


def _monomials(ring: Any, used: list[int], degree: int) -> Iterator[Poly]:
    gens = ring.gens()
    for size in range(max(degree, -1) + 1):
        for chosen in combinations_with_replacement(used, size):
            value = ring.constant(1)
            for i in chosen:
                value = value * gens[i]
            yield value


def _squares(ring: Any, used: list[int], kind: str, highest: int) -> Iterator[Poly]:
    if kind == "none":
        return
    monomials = list(_monomials(ring, used, highest // 2))
    yield from monomials[1:]
    if kind == "binomials":
        for a, b in combinations(monomials, 2):
            yield a + b
            yield a - b


def _support(columns: list[Column], plan: Elimination) -> list[Column] | None:
    """The columns that a vertex of the linear program uses, or None where it has no solution."""
    rows: dict[Powers, int] = {}
    entries: list[tuple[int, int, float]] = []
    for j, column in enumerate(columns):
        for powers, size in column.poly.to_dict().items():
            entries.append((rows.setdefault(powers, len(rows)), j, float(size)))
    strict = [j for j, column in enumerate(columns) if column.strict]
    entries += [(len(rows), j, 1.0) for j in strict]
    at, to, size = zip(*entries, strict=True)
    matrix = csr_matrix((size, (at, to)), shape=(len(rows) + 1, len(columns)))
    right = np.zeros(len(rows) + 1)
    right[-1] = 1.0
    ends = [(0, None) if column.signed else (None, None) for column in columns]
    price = [1.0 if column.signed else 0.0 for column in columns]
    found = linprog(price, A_eq=matrix, b_eq=right, bounds=ends, method="highs-ds",
                    options={"time_limit": SECONDS})  # fmt: skip
    if found.status != 0:
        return None
    return [c for c, size in zip(columns, found.x, strict=True) if abs(size) > NEGLIGIBLE]


def _exact(chosen: list[Column]) -> list[fmpq] | None:
    """Rational coefficients with which the columns add up to 0 and the strict ones to 1."""
    rows: dict[Powers, list[fmpq]] = {}
    for j, column in enumerate(chosen):
        for powers, size in column.poly.to_dict().items():
            rows.setdefault(powers, [fmpq(0)] * (len(chosen) + 1))[j] = size
    unit = [fmpq(int(column.strict)) for column in chosen] + [fmpq(1)]
    table = [*rows.values(), unit]
    reduced, rank = fmpq_mat(len(table), len(unit), [x for row in table for x in row]).rref()
    sizes = [fmpq(0)] * len(chosen)
    for i in range(rank):
        lead = next(j for j in range(len(unit)) if reduced[i, j] != 0)
        if lead == len(chosen):
            return None
        sizes[lead] = reduced[i, len(chosen)]
    bad = any(s < 0 for s, c in zip(sizes, chosen, strict=True) if c.signed)
    return None if bad else sizes
