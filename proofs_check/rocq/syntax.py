"""Statements and polynomials in Rocq's syntax, over its real numbers."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from math import lcm
from typing import Any

from flint import fmpq

from proofs_check.certificates.formula import Poly, Relation, read

SIGNS = {"==": "=", "!=": "<>", ">": ">", ">=": ">=", "<": "<", "<=": "<="}
ARITHMETIC: dict[type, str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
RESERVED = {"as", "at", "cofix", "else", "end", "exists", "fix", "for", "forall", "fun", "if", "in",
            "let", "match", "return", "then", "using", "where", "with", "Prop", "Set", "Type",
            "R", "R0", "R1", "INR", "IZR"}  # fmt: skip


@dataclass(frozen=True)
class Atom:
    """A comparison: as polynomials, and its two sides as Rocq writes them."""

    relation: Relation
    left: str
    right: str

    def text(self) -> str:
        return f"{self.left} {SIGNS[self.relation.sign]} {self.right}"

    def negated(self) -> Atom:
        return Atom(self.relation.negated(), self.left, self.right)


@dataclass(frozen=True)
class Group:
    """All (`every`) or one of the parts."""

    every: bool
    parts: tuple[Tree, ...]

    def text(self) -> str:
        joint = " /\\ " if self.every else " \\/ "
        return joint.join(f"({part.text()})" for part in self.parts)

    def negated(self) -> Group:
        return Group(not self.every, tuple(part.negated() for part in self.parts))


Tree = Atom | Group


def tree(text: str, ring: Any) -> Tree:
    """A formula of a statement, `not` pushed inwards."""
    return _tree(ast.parse(text, mode="eval").body, ring)


def _tree(node: ast.expr, ring: Any) -> Tree:
    if isinstance(node, ast.BoolOp):
        parts = tuple(_tree(part, ring) for part in node.values)
        return Group(isinstance(node.op, ast.And), parts)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return _tree(node.operand, ring).negated()
    if isinstance(node, ast.Compare):
        relation = read(ast.unparse(node), ring)
        assert isinstance(relation, Relation)
        return Atom(relation, term(node.left), term(node.comparators[0]))
    raise ValueError(f"not a formula of comparisons: {ast.unparse(node)}")


def term(node: ast.expr) -> str:
    """Numbers, names, + - * / and whole powers."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Name):
        return name(node.id)
    if isinstance(node, ast.UnaryOp):
        return f"(- {term(node.operand)})"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        base, size = term(node.left), node.right
        if isinstance(size, ast.UnaryOp):
            return f"(/ ({base} ^ {ast.unparse(size.operand)}))"
        return f"({base} ^ {ast.unparse(size)})"
    if isinstance(node, ast.BinOp):
        return f"({term(node.left)} {ARITHMETIC[type(node.op)]} {term(node.right)})"
    raise ValueError(f"not a polynomial or a quotient: {ast.unparse(node)}")


def name(identifier: str) -> str:
    """A variable's name: a trailing quote where Rocq reserves it."""
    return f"{identifier}'" if identifier in RESERVED else identifier


def whole(poly: Poly) -> tuple[Poly, int]:
    """(d poly, d) with the least d > 0 that makes every coefficient a whole number."""
    sizes = [int(size.q) for size in poly.to_dict().values()]
    least = lcm(*sizes) if sizes else 1
    return fmpq(least) * poly, least


def polynomial(poly: Poly, names: tuple[str, ...]) -> str:
    """A polynomial with whole coefficients."""
    parts = []
    for powers, size in poly.to_dict().items():
        factors = [f"{name(x)} ^ {p}" if p > 1 else name(x)
                   for x, p in zip(names, powers, strict=True) if p]  # fmt: skip
        number = int(size.p)
        shown = str(abs(number))
        product = " * ".join(factors if factors and abs(number) == 1 else [shown, *factors])
        parts.append((number < 0, product))
    if not parts:
        return "0"
    first = ("- " if parts[0][0] else "") + parts[0][1]
    return "(" + first + "".join((" - " if s else " + ") + text for s, text in parts[1:]) + ")"
