"""Certificates: identities that prove a statement, re-checked by exact expansion.

For each case of a statement (`cases`) a certificate is an identity

    sum_k coef_k (product of inequalities)_k (square_k)^2 + sum_j poly_j (equation_j) = 0

with every coef_k > 0 and one term at least that is a product of strict inequalities alone. Where
all the constraints hold its left side is positive: so they never hold together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flint import fmpq

from proofs_check.certificates.cases import EQUAL, STRICT, Case, cases
from proofs_check.certificates.formula import Poly, Statement, polynomial


@dataclass(frozen=True)
class Term:
    """coef x product of the constraints with these numbers x square^2."""

    coef: str
    product: tuple[int, ...]
    square: str = "1"


@dataclass(frozen=True)
class Multiplier:
    """poly x the left side of the equation with this number."""

    equation: int
    poly: str


@dataclass(frozen=True)
class Proof:
    """One case's identity."""

    terms: tuple[Term, ...]
    multipliers: tuple[Multiplier, ...] = ()


@dataclass(frozen=True)
class Certificate:
    """A statement with one proof for each of its cases, in their order."""

    statement: Statement
    proofs: tuple[Proof, ...]

    def __len__(self) -> int:
        """How many terms all its identities have."""
        return sum(len(proof.terms) + len(proof.multipliers) for proof in self.proofs)

    def as_dict(self) -> dict[str, Any]:
        """As stored: given, then, and a proof per case."""
        proofs = [
            {
                "terms": [[t.coef, list(t.product), t.square] for t in proof.terms],
                "multipliers": [[m.equation, m.poly] for m in proof.multipliers],
            }
            for proof in self.proofs
        ]
        given = list(self.statement.given)
        return {"given": given, "then": self.statement.then, "proofs": proofs}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Certificate:
        """From what `as_dict` gave. Raises KeyError, TypeError or ValueError for anything else."""
        given = tuple(_word(text) for text in stored["given"])
        proofs = tuple(
            Proof(
                tuple(Term(_word(c), tuple(map(int, p)), _word(s)) for c, p, s in proof["terms"]),
                tuple(Multiplier(int(j), _word(p)) for j, p in proof["multipliers"]),
            )
            for proof in stored["proofs"]
        )
        return cls(Statement(given, _word(stored["then"])), proofs)


def _word(text: object) -> str:
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is not text")
    return text


def recheck(certificate: Certificate) -> str:
    """ "" where the certificate proves its statement, else what is wrong with it."""
    found = cases(certificate.statement)
    if len(found) != len(certificate.proofs):
        return f"{len(certificate.proofs)} proofs for {len(found)} cases"
    for case, proof in zip(found, certificate.proofs, strict=True):
        wrong = recheck_case(case, proof, certificate.statement.ring)
        if wrong:
            return f"{case.label}: {wrong}"
    return ""


def recheck_case(case: Case, proof: Proof, ring: Any) -> str:
    """ "" where the identity holds and its left side is positive, else what is wrong."""
    total, strict = ring.constant(0), False
    for term in proof.terms:
        coef = _rational(term.coef)
        if not coef > 0:
            return f"coefficient {term.coef} is not positive"
        parts = [_at(case, i) for i in term.product]
        if any(part is None or part.kind == EQUAL for part in parts):
            return f"term {term.product} does not multiply inequalities of the statement"
        square = polynomial(term.square, ring)
        value = coef * square**2
        for part in parts:
            value = value * part.poly
        total = total + value
        alone = square.is_constant() and not square.is_zero()
        strict = strict or (alone and all(part.kind == STRICT for part in parts))
    for multiplier in proof.multipliers:
        part = _at(case, multiplier.equation)
        if part is None or part.kind != EQUAL:
            return f"multiplier {multiplier.equation} is of no equation of the statement"
        total = total + polynomial(multiplier.poly, ring) * part.poly
    if not strict:
        return "no term is strictly positive"
    return "" if total.is_zero() else f"the terms do not cancel: {shown(total)} is left"


def _rational(text: str) -> fmpq:
    top, _, bottom = text.partition("/")
    return fmpq(int(top), int(bottom or "1"))


def _at(case: Case, index: int):
    return case.constraints[index] if 0 <= index < len(case.constraints) else None


def shown(poly: Poly) -> str:
    """A polynomial as text that `formula.polynomial` reads."""
    return str(poly).replace("^", "**")
