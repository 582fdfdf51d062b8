"""A statement as SMT-LIB text, for solvers that this package does not itself call.

Written from the plain text of the statement, not through z3's own printer, so that a fault of the
ledger's translation into z3 would show as a disagreement.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from proofs_check.certificates.formula import Statement

RELATIONS: dict[type, str] = {
    ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<=", ast.Eq: "=", ast.NotEq: "distinct"
}  # fmt: skip
ARITHMETIC: dict[type, str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
UNSAT, SAT = "unsat", "sat"


@dataclass(frozen=True)
class Query:
    """A question to a solver: `text` in SMT-LIB, and the answer that the ledger counts on."""

    name: str
    text: str
    expected: str


def queries(statement: Statement) -> Iterator[Query]:
    """All that has to be asked about a statement.

    The negation has no solution; the hypotheses have one; no divisor can be 0 where they hold.
    """
    trees = [ast.parse(text, mode="eval").body for text in statement.given]
    then = ast.parse(statement.then, mode="eval").body
    divisors = _divisors([*trees, then])
    given = [_formula(tree) for tree in trees]
    whole = [_formula(tree) for tree in trees if not _divisors([tree])]
    defined = [f"(not (= {divisor} 0.0))" for divisor in divisors]
    names = statement.names
    yield Query("", _text(names, [*given, *defined, f"(not {_formula(then)})"]), UNSAT)
    if given or defined:
        yield Query("hypotheses", _text(names, [*given, *defined]), SAT)
    for divisor in divisors:
        yield Query(f"divisor {divisor}", _text(names, [*whole, f"(= {divisor} 0.0)"]), UNSAT)


def _text(names: tuple[str, ...], asserted: list[str]) -> str:
    lines = ["(set-logic QF_NRA)"]
    lines += [f"(declare-fun |{name}| () Real)" for name in names]
    lines += [f"(assert {part})" for part in asserted]
    return "\n".join([*lines, "(check-sat)"]) + "\n"


def _divisors(trees: list[ast.expr]) -> list[str]:
    """Every divisor that is not a number, as terms."""
    found = [
        _term(node.right)
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and _named(node.right)
    ]
    found += [_term(node.left) for tree in trees for node in ast.walk(tree)
              if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow)
              and isinstance(node.right, ast.UnaryOp)]  # fmt: skip
    return list(dict.fromkeys(found))


def _named(tree: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) for node in ast.walk(tree))


def _formula(tree: ast.expr) -> str:
    if isinstance(tree, ast.BoolOp):
        join = "and" if isinstance(tree.op, ast.And) else "or"
        return f"({join} {' '.join(map(_formula, tree.values))})"
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not):
        return f"(not {_formula(tree.operand)})"
    if isinstance(tree, ast.Constant) and isinstance(tree.value, bool):
        return str(tree.value).lower()
    if isinstance(tree, ast.Compare) and len(tree.ops) == 1:
        sign = RELATIONS[type(tree.ops[0])]
        return f"({sign} {_term(tree.left)} {_term(tree.comparators[0])})"
    raise ValueError(f"not a formula: {ast.unparse(tree)}")


def _term(tree: ast.expr) -> str:
    if isinstance(tree, ast.Constant) and type(tree.value) is int:
        return f"{tree.value}.0"
    if isinstance(tree, ast.Name):
        return f"|{tree.id}|"
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        return f"(- {_term(tree.operand)})"
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Pow):
        return _power(tree)
    if isinstance(tree, ast.BinOp):
        return f"({ARITHMETIC[type(tree.op)]} {_term(tree.left)} {_term(tree.right)})"
    raise ValueError(f"not a polynomial or a quotient: {ast.unparse(tree)}")


def _power(tree: ast.BinOp) -> str:
    exponent, inverse = tree.right, isinstance(tree.right, ast.UnaryOp)
    if isinstance(exponent, ast.UnaryOp):
        exponent = exponent.operand
    if not (isinstance(exponent, ast.Constant) and type(exponent.value) is int):
        raise ValueError(f"not a whole exponent: {ast.unparse(tree)}")
    base, size = _term(tree.left), exponent.value
    product = base if size == 1 else f"(* {' '.join([base] * size)})"  # never one argument alone
    return f"(/ 1.0 {product})" if inverse else product
