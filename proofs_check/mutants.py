"""Statements with one thing changed: what a check that is worth anything must refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import sympy as sp

from proofs_check.ledger import Check

Expression = Any
CALCULUS = (sp.Derivative, sp.Subs, sp.Integral)
STRICT: dict[type, type] = {sp.StrictGreaterThan: sp.GreaterThan, sp.StrictLessThan: sp.LessThan}
WEAK = {weak: strict for strict, weak in STRICT.items()}
MIRRORED = {
    sp.StrictGreaterThan: sp.StrictLessThan, sp.StrictLessThan: sp.StrictGreaterThan,
    sp.GreaterThan: sp.LessThan, sp.LessThan: sp.GreaterThan, sp.Equality: sp.Unequality,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A check of a statement with one edit.

    kind    number, sign, exponent, relation, hypothesis or model
    parts   the edited statement: sympy's expressions, and words
    check   would it pass?
    weaker  where given: does it only say less than the statement did?
    says    the parts as a sentence
    """

    kind: str
    parts: tuple[Any, ...]
    check: Check
    weaker: Check | None = None
    says: Callable[..., str] = "{}".format

    @property
    def shown(self) -> str:
        """The edited statement, to be read. It costs more than the edit: sympy sorts terms."""
        return self.says(*self.parts)

    @property
    def exact(self) -> tuple[str, ...]:
        """The edited statement with the assumptions of its symbols, which `shown` leaves out."""
        return tuple(
            part if isinstance(part, str) else sp.srepr(part, order="none") for part in self.parts
        )


def edits(expression: Expression) -> Iterator[tuple[str, Expression]]:
    """(kind, expression with one edit): a number moved by 1, a sign turned, an exponent raised."""
    if isinstance(expression, sp.MatrixBase):
        entries = list(expression.flat())
        for i, entry in enumerate(entries):
            for kind, new in edits(entry):
                changed = [*entries[:i], new, *entries[i + 1 :]]
                yield kind, sp.ImmutableMatrix(*expression.shape, changed)
        return
    if isinstance(expression, sp.Rational):
        yield "number", expression + 1
        yield "number", expression - 1
        return
    if isinstance(expression, sp.Add):
        for i, term in enumerate(expression.args):
            yield "sign", _with(expression, i, -term)
    inside: Sequence[Expression] = expression.args
    if isinstance(expression, sp.Pow):
        if expression.exp.is_Integer and expression.exp != -1:
            yield "exponent", expression.base ** (expression.exp + 1)
        inside = inside[:1] if expression.exp.is_Rational else inside
    elif isinstance(expression, CALCULUS):
        inside = inside[:1]
    for i, part in enumerate(inside):
        for kind, new in edits(part):
            yield kind, _with(expression, i, new)


def _with(expression: Expression, at: int, new: Expression) -> Expression:
    parts = list(expression.args)
    parts[at] = new
    return expression.func(*parts)


def of_sides(left: Any, right: Any, check: Callable[[Any, Any], Check]) -> Iterator[Mutant]:
    """Mutants of left = right; `check` makes the check of two sides."""
    sides = [
        side if isinstance(side, sp.MatrixBase) else sp.sympify(side) for side in (left, right)
    ]
    for i, side in enumerate(sides):
        for kind, new in edits(side):
            pair = (new, sides[1]) if i == 0 else (sides[0], new)
            yield Mutant(kind, pair, check(*pair), says="{} = {}".format)


def of_implication(
    given: Sequence[Any], then: Any, check: Callable[[list[Any], Any], Check]
) -> Iterator[Mutant]:
    """Mutants of `given` implies `then`; `check` makes the check of an implication."""
    for i, part in enumerate(given):
        rest = [*given[:i], *given[i + 1 :]]
        without = partial(_shown, without=part)
        yield Mutant("hypothesis", (*rest, then), check(rest, then), says=without)
        if type(part) in STRICT:
            weaker = [*given[:i], STRICT[type(part)](*part.args), *given[i + 1 :]]
            yield Mutant("relation", (*weaker, then), check(weaker, then), says=_shown)
    for kind, new, gap in _conclusions(then):
        less = None if gap is None else check(list(given), gap)
        yield Mutant(kind, (*given, new), check(list(given), new), less, _shown)


def _conclusions(then: Any) -> Iterator[tuple[str, Any, Any]]:
    """(kind, edited conclusion, what would make it weaker or None)."""
    if isinstance(then, sp.And | sp.Or):
        parts = list(then.args)
        for i, part in enumerate(parts):
            for kind, new, gap in _conclusions(part):
                yield kind, then.func(*parts[:i], new, *parts[i + 1 :]), gap
        return
    if type(then) in MIRRORED:
        yield "relation", MIRRORED[type(then)](*then.args), None
    if type(then) in WEAK:
        yield "relation", WEAK[type(then)](*then.args), None
    for i, side in enumerate(then.args):
        for kind, new in edits(side):
            pair = (new, then.args[1]) if i == 0 else (then.args[0], new)
            changed = then.func(*pair, evaluate=False)
            yield kind, changed, _margin(changed) >= _margin(then) if _ordered(then) else None


def _ordered(relation: Any) -> bool:
    return isinstance(relation, sp.GreaterThan | sp.StrictGreaterThan | sp.LessThan
                      | sp.StrictLessThan)  # fmt: skip


def _margin(relation: Any) -> Expression:
    return relation.gts - relation.lts


def _shown(*parts: Any, without: Any = None) -> str:
    *given, then = parts
    less = "" if without is None else f" (without {without})"
    return f"{', '.join(map(str, given))} => {then}{less}"
