"""Reading a formula that a user wrote: names, numbers, + - * / **, comparisons, a few functions.

Parsed from Python's syntax tree into sympy; nothing is ever executed.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import sympy as sp
from flint import arb

from linmodel.errors import refuse

ARITHMETIC: dict[type, Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
COMPARISONS = {
    ast.Gt: sp.Gt,
    ast.GtE: sp.Ge,
    ast.Lt: sp.Lt,
    ast.LtE: sp.Le,
    ast.Eq: sp.Eq,
}
FUNCTIONS = {"exp": sp.exp, "log": sp.log, "sqrt": sp.sqrt, "min": sp.Min, "max": sp.Max}
UNREAL = (sp.I, sp.zoo, sp.nan, sp.oo, -sp.oo)
ALLOWED = "one comparison (< <= > >= ==) of + - * / **, numbers, known names, exp log sqrt min max"
# Beyond these a formula is a mistake or an attack, and reading or checking it may never end.
LONGEST, DEEPEST = 2000, 60
LARGEST_EXPONENT, LARGEST_BITS = 64, 4096
NUMBER = re.compile(r"[^eE]{1,200}([eE][+-]?\d{1,3})?")


def number(name: str, value: object) -> sp.Rational:
    """An exact number from 2, 0.5 or "1/3", its exponent below 1000. Raises InvalidInput."""
    text = str(value)
    if not NUMBER.fullmatch(text):
        refuse(name, text, 'a number such as 2, 0.5 or "1/3"')
    try:
        exact = Fraction(text)
    except (ValueError, ZeroDivisionError):
        refuse(name, value, 'a number such as 2, 0.5 or "1/3"')
    return sp.Rational(exact.numerator, exact.denominator)


def relation(text: object, names: Mapping[str, Any]) -> Any:
    """The comparison `text` as a sympy relation in `names`. Raises InvalidInput.

    At most 2,000 characters, 60 levels of nesting, exponents up to 64 and numbers of 4,096 bits.
    """
    if len(str(text)) > LONGEST:
        refuse("formula's length", len(str(text)), f"at most {LONGEST} characters")
    try:
        tree = ast.parse(str(text), mode="eval").body
        deep = _depth(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        refuse("formula", text, ALLOWED)
    if deep > DEEPEST:
        refuse("formula's nesting", deep, f"at most {DEEPEST} levels")
    if not (isinstance(tree, ast.Compare) and len(tree.ops) == 1):
        refuse("formula", text, ALLOWED)
    compare = COMPARISONS.get(type(tree.ops[0]))
    if compare is None:
        refuse("formula", text, ALLOWED)
    left, right = (_term(part, names, str(text)) for part in (tree.left, tree.comparators[0]))
    for side in (left, right):
        if side.is_extended_real is False or side.has(*UNREAL):
            refuse("formula", text, "real numbers on both sides", f"{side} is not one.")
    return compare(left, right)


def _term(node: ast.expr, names: Mapping[str, Any], text: str) -> Any:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return number("number", node.value)
    if isinstance(node, ast.Name):
        if node.id not in names:
            refuse(f"name in {text!r}", node.id, f"one of {', '.join(names)}")
        return names[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_term(node.operand, names, text)
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        left, right = _term(node.left, names, text), _term(node.right, names, text)
        return _combined(type(node.op), left, right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        function = FUNCTIONS.get(node.func.id)
        if function is not None:
            single = node.func.id not in ("min", "max")
            if not node.args or (single and len(node.args) != 1):
                refuse(f"arguments of {node.func.id} in {text!r}", len(node.args), "one")
            return function(*(_term(part, names, text) for part in node.args))
    refuse("formula", text, ALLOWED)


def _depth(node: ast.AST) -> int:
    """Levels of a sum written out as a chain count as one: only true nesting is deep."""
    depth, level = 0, [node]
    while level and depth <= DEEPEST:
        depth += 1
        level = [child for one in level for child in ast.iter_child_nodes(_beyond_chain(one))]
    return depth


def _beyond_chain(node: ast.AST) -> ast.AST:
    """All operands of a chain a + b - c (or a * b / c) as children of one node."""
    if not isinstance(node, ast.BinOp) or isinstance(node.op, ast.Pow):
        return node
    operands: list[ast.expr] = []
    rest: ast.expr = node
    while isinstance(rest, ast.BinOp) and not isinstance(rest.op, ast.Pow):
        operands.append(rest.right)
        rest = rest.left
    return ast.Tuple([rest, *operands], ast.Load())


def _combined(kind: type, left: Any, right: Any) -> Any:
    """left (op) right, its exponents and numbers bounded. Raises InvalidInput."""
    if kind is ast.Pow and right.is_Rational and max(abs(right.p), right.q) > LARGEST_EXPONENT:
        refuse(
            "exponent", _shown(right), f"whole or a fraction of numbers up to {LARGEST_EXPONENT}"
        )
    if kind is ast.Div and right == 0:
        refuse("divisor in the formula", 0, "not 0")
    found = ARITHMETIC[kind](left, right)
    powers = [power.exp for power in found.atoms(sp.Pow) if power.exp.is_Rational]
    if any(max(abs(exponent.p), exponent.q) > LARGEST_EXPONENT for exponent in powers):
        refuse("exponent", "one that multiplies out to more", f"at most {LARGEST_EXPONENT}")
    if any(max(one.p.bit_length(), one.q.bit_length()) > LARGEST_BITS
           for one in found.atoms(sp.Rational)):  # fmt: skip
        refuse("number", "one that works out to more", f"at most {LARGEST_BITS} bits")
    return found


def _shown(value: sp.Rational) -> str:
    size = max(value.p.bit_length(), value.q.bit_length())
    return str(value) if size < LARGEST_EXPONENT else f"a number of {size} bits"


def enclose(expression: sp.Basic, values: Mapping[str, arb]) -> arb:
    """An Arb interval of a parsed expression, given intervals of its names."""
    if isinstance(expression, sp.Symbol):
        return values[str(expression)]
    if isinstance(expression, sp.Rational):
        return arb(int(expression.p)) / int(expression.q)
    if expression is sp.E:
        return arb(1).exp()
    parts = [enclose(part, values) for part in expression.args]
    if isinstance(expression, sp.Pow) and expression.exp.is_Integer:
        return parts[0] ** int(expression.exp)
    kinds = {
        sp.Add: sum,
        sp.Mul: lambda xs: _fold(operator.mul, xs),
        sp.Pow: lambda xs: xs[0] ** xs[1],
        sp.exp: lambda xs: xs[0].exp(),
        sp.log: lambda xs: xs[0].log(),
        sp.Max: lambda xs: _fold(lambda a, b: a.max(b), xs),
        sp.Min: lambda xs: _fold(lambda a, b: a.min(b), xs),
    }
    for kind, combine in kinds.items():
        if isinstance(expression, kind):
            return combine(parts)
    raise TypeError(f"cannot enclose {expression}")


def _fold(combine, parts):
    total = parts[0]
    for part in parts[1:]:
        total = combine(total, part)
    return total
