"""Equations linear in a variable: used to eliminate it before the search, put back after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from proofs_check.certificates.cases import EQUAL, Case
from proofs_check.certificates.formula import Poly
from proofs_check.certificates.recheck import Multiplier, Proof, Term, shown


@dataclass(frozen=True)
class Elimination:
    """reduced    every constraint's polynomial after the substitutions
    solved     (number of the equation, variable, its value), in order
    remaining  numbers of the equations that were not solved
    """

    case: Case
    ring: Any
    reduced: tuple[Poly, ...]
    solved: tuple[tuple[int, int, Poly], ...]
    remaining: tuple[int, ...]

    @classmethod
    def of(cls, case: Case, ring: Any) -> Elimination:
        """Solve every equation that is a v + rest = 0 with a number a and a rest without v."""
        polys = [part.poly for part in case.constraints]
        equations = [i for i, part in enumerate(case.constraints) if part.kind == EQUAL]
        solved = []
        for i in list(equations):
            variable = _linear(polys[i])
            if variable is None:
                continue
            value = _value(polys[i], variable, ring)
            polys = [_put(poly, variable, value, ring) if j != i else poly
                     for j, poly in enumerate(polys)]  # fmt: skip
            solved.append((i, variable, value))
            equations.remove(i)
        return cls(case, ring, tuple(polys), tuple(solved), tuple(equations))

    def put(self, poly: Poly) -> Poly:
        """`poly` after all the substitutions."""
        for _, variable, value in self.solved:
            poly = _put(poly, variable, value, self.ring)
        return poly

    def restored(
        self,
        terms: Sequence[tuple[tuple[int, ...], Poly, Any]],
        multipliers: Sequence[tuple[int, Poly]],
    ) -> Proof:
        """The identity in the constraints as they stand: terms, with multipliers of all equations.

        terms        (product, square, coefficient) each
        multipliers  (number of a remaining equation, polynomial) each
        """
        total = self.ring.constant(0)
        factor = {i: self.ring.constant(0) for i, _, _ in self.solved} | dict.fromkeys(
            self.remaining, self.ring.constant(0)
        )
        for product, square, size in terms:
            value = size * square**2
            for i in product:
                value = value * self.case.constraints[i].poly
            total = total + value
        for i, poly in multipliers:
            factor[i] = factor[i] + poly
            total = total + poly * self.case.constraints[i].poly
        for i, poly in self._quotients(total).items():
            factor[i] = factor[i] - poly
        shown_terms = tuple(Term(str(size), product, shown(s)) for product, s, size in terms)
        rest = tuple(Multiplier(i, shown(p)) for i, p in factor.items() if not p.is_zero())
        return Proof(shown_terms, rest)

    def _quotients(self, total: Poly) -> dict[int, Poly]:
        """total = sum of quotient_i x equation_i + total after the substitutions."""
        found: dict[int, Poly] = {}
        originals = {i: self.case.constraints[i].poly for i, _, _ in self.solved}
        for at, (i, variable, value) in enumerate(self.solved):
            smaller = _put(total, variable, value, self.ring)
            equation = originals[i]
            for _, earlier, its_value in self.solved[:at]:
                equation = _put(equation, earlier, its_value, self.ring)
            quotient = (total - smaller) / equation  # exact: flint raises where it is not
            found[i] = found.get(i, self.ring.constant(0)) + quotient
            # equation = originals[i] - (what earlier equations took): put that back, recursively
            for j, part in self._taken(originals[i], at).items():
                found[j] = found.get(j, self.ring.constant(0)) - quotient * part
            total = smaller
        return found

    def _taken(self, poly: Poly, upto: int) -> dict[int, Poly]:
        """poly - poly after the first `upto` substitutions, as a combination of equations."""
        whole = Elimination(self.case, self.ring, self.reduced, self.solved[:upto], self.remaining)
        return whole._quotients(poly) if upto else {}


def _linear(poly: Poly) -> int | None:
    """A variable that stands alone in one term, with a number before it, and nowhere else."""
    found = poly.to_dict()
    for powers in found:
        if sum(powers) == 1:
            at = powers.index(1)
            if sum(1 for other in found if other[at]) == 1:
                return at
    return None


def _value(poly: Poly, variable: int, ring: Any) -> Poly:
    unit = tuple(int(i == variable) for i in range(len(ring.names())))
    size = poly.to_dict()[unit]
    return ring.gen(variable) - poly / size


def _put(poly: Poly, variable: int, value: Poly, ring: Any) -> Poly:
    values = list(ring.gens())
    values[variable] = value
    return poly.compose(*values, ctx=ring)
