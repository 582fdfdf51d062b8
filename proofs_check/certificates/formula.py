"""Formulas of polynomials and quotients, read from plain text into exact rational arithmetic.

Nothing here imports sympy or z3: a certificate is re-checked with python-flint alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flint import Ordering, fmpq, fmpq_mpoly_ctx

Poly = Any  # flint.fmpq_mpoly: its stubs do not help here
RELATIONS: dict[type, str] = {
    ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<=", ast.Eq: "==", ast.NotEq: "!="
}  # fmt: skip
OPPOSITE = {">": "<=", ">=": "<", "<": ">=", "<=": ">", "==": "!=", "!=": "=="}


@dataclass(frozen=True)
class Statement:
    """What a check claims: all of `given` imply `then`, for all real values of the names."""

    given: tuple[str, ...]
    then: str

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The variables, in alphabetical order."""
        trees = [ast.parse(text, mode="eval") for text in (*self.given, self.then)]
        found = {n.id for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Name)}
        return tuple(sorted(found))

    @cached_property
    def ring(self) -> Any:
        """The polynomials in these names over the rationals."""
        return fmpq_mpoly_ctx.get(self.names, Ordering.degrevlex)

    @cached_property
    def parsed(self) -> tuple[list[Node], Node]:
        """The formulas as trees."""
        return [read(text, self.ring) for text in self.given], read(self.then, self.ring)

    def same_as(self, other: Statement) -> bool:
        """Do both say the same, whatever the order of their terms?"""
        return self.names == other.names and self.parsed == other.parsed


@dataclass(frozen=True)
class Quotient:
    """top / bottom, and the polynomials that were divided by on the way."""

    top: Poly
    bottom: Poly
    divisors: tuple[Poly, ...] = ()


@dataclass(frozen=True)
class Relation:
    """`left` sign 0, `left` a quotient, sign one of > >= < <= == !=."""

    sign: str
    left: Quotient

    def negated(self) -> Relation:
        return Relation(OPPOSITE[self.sign], self.left)


@dataclass(frozen=True)
class Junction:
    """All (`every`) or at least one of the parts."""

    every: bool
    parts: tuple[Node, ...]

    def negated(self) -> Junction:
        return Junction(not self.every, tuple(part.negated() for part in self.parts))


Node = Relation | Junction
TRUE = Junction(True, ())


def read(text: str, ring: Any) -> Node:
    """Parse a formula; nothing is executed. Raises ValueError for anything but a formula."""
    return _node(ast.parse(text, mode="eval").body, ring)


def polynomial(text: str, ring: Any) -> Poly:
    """Parse a polynomial. Raises ValueError for anything else."""
    found = _quotient(ast.parse(text, mode="eval").body, ring)
    if not found.bottom.is_one():
        raise ValueError(f"{text} is not a polynomial")
    return found.top


def relations(node: Node) -> Iterable[Relation]:
    """Every comparison inside."""
    if isinstance(node, Relation):
        return [node]
    return [found for part in node.parts for found in relations(part)]


def _node(tree: ast.expr, ring: Any) -> Node:
    if isinstance(tree, ast.BoolOp):
        parts = tuple(_node(part, ring) for part in tree.values)
        return Junction(isinstance(tree.op, ast.And), parts)
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not):
        return _node(tree.operand, ring).negated()
    if isinstance(tree, ast.Constant) and isinstance(tree.value, bool):
        return TRUE if tree.value else TRUE.negated()
    if isinstance(tree, ast.Compare) and len(tree.ops) == 1 and type(tree.ops[0]) in RELATIONS:
        left, right = _quotient(tree.left, ring), _quotient(tree.comparators[0], ring)
        return Relation(RELATIONS[type(tree.ops[0])], _sum(left, right, -1))
    raise ValueError(f"not a formula: {ast.unparse(tree)}")


def _quotient(tree: ast.expr, ring: Any) -> Quotient:
    one = ring.constant(1)
    if isinstance(tree, ast.Constant) and type(tree.value) is int:
        return Quotient(ring.constant(tree.value), one)
    if isinstance(tree, ast.Name):
        return Quotient(ring.gen(ring.variable_to_index(tree.id)), one)
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        inner = _quotient(tree.operand, ring)
        return Quotient(-inner.top, inner.bottom, inner.divisors)
    if isinstance(tree, ast.BinOp):
        return _combined(tree, ring)
    raise ValueError(f"not a polynomial or a quotient: {ast.unparse(tree)}")


def _combined(tree: ast.BinOp, ring: Any) -> Quotient:
    left = _quotient(tree.left, ring)
    if isinstance(tree.op, ast.Pow):
        return _power(left, tree.right)
    right = _quotient(tree.right, ring)
    match tree.op:
        case ast.Add():
            return _sum(left, right, 1)
        case ast.Sub():
            return _sum(left, right, -1)
        case ast.Mult():
            both = left.divisors + right.divisors
            return Quotient(left.top * right.top, left.bottom * right.bottom, both)
        case ast.Div() if right.top.is_constant() and right.bottom.is_one():
            value = fmpq(1) / right.top.leading_coefficient()
            return Quotient(value * left.top, left.bottom, left.divisors)
        case ast.Div():
            both = (*left.divisors, *right.divisors, right.top)
            return Quotient(left.top * right.bottom, left.bottom * right.top, both)
    raise ValueError(f"not a polynomial or a quotient: {ast.unparse(tree)}")


def _sum(left: Quotient, right: Quotient, sign: int) -> Quotient:
    both = left.divisors + right.divisors
    if left.bottom == right.bottom:
        return Quotient(left.top + sign * right.top, left.bottom, both)
    top = left.top * right.bottom + sign * right.top * left.bottom
    return Quotient(top, left.bottom * right.bottom, both)


def _power(base: Quotient, exponent: ast.expr) -> Quotient:
    size, negative = exponent, False
    if isinstance(exponent, ast.UnaryOp) and isinstance(exponent.op, ast.USub):
        size, negative = exponent.operand, True
    if not (isinstance(size, ast.Constant) and type(size.value) is int):
        raise ValueError(f"not a whole exponent: {ast.unparse(exponent)}")
    top, bottom = base.top**size.value, base.bottom**size.value
    if negative:
        return Quotient(bottom, top, (*base.divisors, base.top))
    return Quotient(top, bottom, base.divisors)
