"""From a check's sympy formulas to the plain text that certificates are about."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence

import sympy as sp

from proofs_check.certificates.formula import Statement

SIGNS: dict[type, str] = {
    sp.GreaterThan: ">=",
    sp.StrictGreaterThan: ">",
    sp.LessThan: "<=",
    sp.StrictLessThan: "<",
    sp.Equality: "==",
    sp.Unequality: "!=",
}


def statement(given: Sequence[sp.Basic], then: sp.Basic) -> Statement:
    """The plain text of `given` implies `then`.

    Raises ValueError where two symbols would get one name, TypeError for what is no polynomial
    formula.
    """
    symbols = set().union(*(part.free_symbols for part in (*given, then)))
    names = {symbol: plain(str(symbol)) for symbol in symbols}
    if len(set(names.values())) != len(names):
        raise ValueError(f"two different symbols share a name: {sorted(map(str, names))}")
    return Statement(tuple(_text(part, names) for part in given), _text(then, names))


def plain(name: str) -> str:
    """`name` as an identifier: b.b -> b_b, lambda -> lambda_."""
    word = re.sub(r"\W", "_", name)
    return word + "_" if keyword.iskeyword(word) else word


def _text(formula: sp.Basic, names: dict[sp.Basic, str]) -> str:
    if formula in (sp.true, sp.false):
        return str(formula == sp.true)
    if isinstance(formula, sp.And | sp.Or):
        joint = " and " if isinstance(formula, sp.And) else " or "
        parts = sorted((_text(part, names) for part in formula.args), key=lambda s: (len(s), s))
        return joint.join(f"({part})" for part in parts)
    if isinstance(formula, sp.Not):
        return f"not ({_text(formula.args[0], names)})"
    if type(formula) in SIGNS:
        left, right = (_term(side, names) for side in formula.args)
        return f"{left} {SIGNS[type(formula)]} {right}"
    raise TypeError(f"{formula} is not a formula of polynomials")


def _term(term: sp.Basic, names: dict[sp.Basic, str]) -> str:
    if not _rational(term):
        raise TypeError(f"{term} is neither a polynomial nor a quotient of polynomials")
    return sp.sstr(term.xreplace({s: sp.Symbol(name) for s, name in names.items()}))


def _rational(term: sp.Basic) -> bool:
    """Is it made of symbols, rational numbers, +, x and whole powers only?"""
    if isinstance(term, sp.Symbol | sp.Rational):
        return True
    if isinstance(term, sp.Pow):
        return bool(term.exp.is_Integer) and _rational(term.base)
    return isinstance(term, sp.Add | sp.Mul) and all(_rational(part) for part in term.args)
