"""Checks that carry nothing: a conclusion that is one of the hypotheses."""

from __future__ import annotations

from proofs_check.certificates.formula import (
    Junction,
    Node,
    Poly,
    Quotient,
    Relation,
    Statement,
    relations,
)


def idle(statement: Statement) -> str:
    """ "" or the part of the conclusion that a hypothesis says already (or more strongly).

    The two are compared as they stand, up to a number: to divide or multiply through by what is not
    a number is work.
    """
    given, then = statement.parsed
    if any(_constant(node) for node in (*given, then)):
        return "a hypothesis or the conclusion is a constant: true or false as it stands"
    have = [part for node in given for part in _joined(node)]
    for want in _joined(then):
        if any(_says(part, want) for part in have):
            return f"a part of the conclusion ({_shown(want)}) is one of the hypotheses"
    return ""


def _constant(node: Node) -> bool:
    """Does it compare numbers only, or nothing?"""
    parts = list(relations(node))
    return all(part.left.top.is_constant() and part.left.bottom.is_constant() for part in parts)


def _joined(node: Node) -> list[Relation]:
    """The comparisons that hold together where `node` does."""
    if isinstance(node, Relation):
        return [node]
    if isinstance(node, Junction) and node.every:
        return [part for inner in node.parts for part in _joined(inner)]
    return []


def _says(have: Relation, want: Relation) -> bool:
    """Is `want` the same as `have`, or weaker, up to a number?"""
    ratio = _ratio(have.left, want.left)
    if ratio is None:
        return False
    sign = have.sign if ratio > 0 else MIRRORED[have.sign]
    return want.sign in IMPLIED[sign]


MIRRORED = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "==": "==", "!=": "!="}
IMPLIED = {
    ">": (">", ">=", "!="),
    ">=": (">=",),
    "<": ("<", "<=", "!="),
    "<=": ("<=",),
    "==": ("==", ">=", "<="),
    "!=": ("!=",),
}


def _ratio(a: Quotient, b: Quotient):
    """The number r with a = r b as they stand, or None."""
    top, bottom = _multiple(a.top, b.top), _multiple(a.bottom, b.bottom)
    return None if top is None or bottom is None else top / bottom


def _multiple(a: Poly, b: Poly):
    if a.is_zero() or b.is_zero():
        return None
    ratio = a.leading_coefficient() / b.leading_coefficient()
    return ratio if a == ratio * b else None


def _shown(relation: Relation) -> str:
    bottom = "" if relation.left.bottom.is_one() else f" / ({relation.left.bottom})"
    return f"({relation.left.top}){bottom} {relation.sign} 0"
