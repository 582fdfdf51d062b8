"""A statement as cases, each a list of polynomial constraints that must contradict each other."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from proofs_check.certificates.formula import (
    Junction,
    Node,
    Poly,
    Quotient,
    Relation,
    Statement,
    relations,
)

STRICT, WEAK, EQUAL = ">", ">=", "=="


@dataclass(frozen=True)
class Constraint:
    """poly > 0, poly >= 0 or poly == 0."""

    poly: Poly
    kind: str


@dataclass(frozen=True)
class Case:
    """Constraints that no real point may satisfy together; `label` says which part it is."""

    label: str
    constraints: tuple[Constraint, ...]


def cases(statement: Statement) -> list[Case]:
    """The statement holds if and only if no case has a real solution.

    First the hypotheses with the negated conclusion, one case for every way to satisfy their
    alternatives; then, for each factor of a divisor, the hypotheses with that factor = 0: division
    by what may be zero is never allowed.
    """
    given, then = statement.parsed
    known = positive(given)
    found = [
        Case(f"case {i}", tuple(_constraint(part, known) for part in parts))
        for i, parts in enumerate(_alternatives([*given, _split(then.negated())]), 1)
    ]
    whole = [node for node in given if not any(r.left.divisors for r in relations(node))]
    for factor in divisors([*given, then], known):
        zero = Constraint(factor, EQUAL)
        for i, parts in enumerate(_alternatives(whole), 1):
            rest = tuple(_constraint(part, known) for part in parts)
            found.append(Case(f"divisor {factor} = 0, case {i}", (*rest, zero)))
    return found


def _split(node: Node) -> Node:
    """p != 0 as p > 0 or p < 0: of lower degree than p^2 > 0."""
    if isinstance(node, Junction):
        return Junction(node.every, tuple(_split(part) for part in node.parts))
    if node.sign != "!=":
        return node
    return Junction(False, (Relation(">", node.left), Relation("<", node.left)))


def positive(given: list[Node]) -> list[Poly]:
    """Polynomials that a hypothesis says, as it stands, to be > 0."""
    found = []
    for node in given:
        if isinstance(node, Relation) and node.sign in "<>" and node.left.bottom.is_one():
            found.append(node.left.top if node.sign == ">" else -node.left.top)
    return found


def divisors(nodes: list[Node], known: list[Poly]) -> list[Poly]:
    """Irreducible factors of all divisors that no hypothesis says to be positive."""
    found: list[Poly] = []
    for node in nodes:
        for relation in relations(node):
            for divisor in relation.left.divisors:
                for factor, _ in divisor.factor()[1]:
                    if factor not in found and sign_of(factor, known) == 0:
                        found.append(factor)
    return found


def _alternatives(nodes: list[Node]) -> list[tuple[Relation, ...]]:
    """Disjunctive normal form of all of `nodes` together."""
    parts = [_ways(node) for node in nodes]
    return [tuple(r for way in choice for r in way) for choice in product(*parts)]


def _ways(node: Node) -> list[tuple[Relation, ...]]:
    if isinstance(node, Relation):
        return [(node,)]
    if node.every:
        return _alternatives(list(node.parts))
    return [way for part in node.parts for way in _ways(part)]


def _constraint(relation: Relation, known: list[Poly]) -> Constraint:
    """Multiplied out: by factors known to be positive, and by squares of the others."""
    poly = _cleared(relation.left, known)
    match relation.sign:
        case "==":
            return Constraint(poly, EQUAL)
        case "!=":
            return Constraint(poly**2, STRICT)
        case "<" | "<=":
            return Constraint(-poly, STRICT if relation.sign == "<" else WEAK)
    return Constraint(poly, STRICT if relation.sign == ">" else WEAK)


def _cleared(quotient: Quotient, known: list[Poly]) -> Poly:
    """top x bottom, without the even powers and the factors whose sign is known."""
    size, factors = quotient.bottom.factor()
    poly = quotient.top if size > 0 else -quotient.top
    for factor, exponent in factors:
        if exponent % 2:
            sign = sign_of(factor, known)
            poly = poly * factor if sign == 0 else sign * poly
    return poly


def sign_of(factor: Poly, known: list[Poly]) -> int:
    """1 or -1 where factor or -factor is, up to a positive number, among `known`; else 0."""
    for poly in known:
        if poly.is_constant():
            continue
        ratio = poly.leading_coefficient() / factor.leading_coefficient()
        if poly == ratio * factor:
            return 1 if ratio > 0 else -1
    return 0
