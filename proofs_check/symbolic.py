"""Identities, by sympy: the difference of the two sides must come out as zero."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sympy as sp

from proofs_check.ledger import FLINT, Check, Outcome, Verdict
from proofs_check.mutants import Mutant, edits, of_sides
from proofs_check.second import agrees

Side = Any  # sp.Expr, sp.Matrix or a number: sympy's own types do not help here
TRIALS = 40


def identity(left: Side, right: Side = 0, reads: str = "") -> Check:
    """Check left = right for all values of the symbols. Matrices: entry by entry.

    A difference that does not simplify to zero is `refuted` when a point shows it, else `open`.
    Derivative and Subs may stand unevaluated. reads: LaTeX to show instead of the two sides, where
    sympy has already worked them out.
    """
    return deferred(lambda: (left, right), reads)


def deferred(sides: Callable[[], tuple[Side, Side]], reads: str = "") -> Check:
    """`identity` whose sides are computed only when the check runs."""

    def decide() -> Outcome:
        left, right = sides()
        pairs = list(_entries(left, right))
        wrong = _carries_nothing(pairs)
        if wrong:
            return Outcome(Verdict.ERROR, wrong)
        for a, b in pairs:
            outcome = _compare(sp.sympify(a).doit(), sp.sympify(b).doit())
            if outcome.verdict != Verdict.PROVED:
                return outcome
        return _seconded(left, right, len(pairs))

    def formula() -> str:
        left, right = sides()
        return reads or f"{sp.latex(left)} = {sp.latex(right)}"

    return Check("sympy", decide, formula, mutants=lambda: of_sides(*sides(), identity))


def _seconded(left: Side, right: Side, entries: int) -> Outcome:
    """Proved by sympy: does python-flint, which works it out anew, say the same?"""
    count = "" if entries == 1 else f" ({entries} entries)"
    evidence = f"the difference simplifies to 0{count}"
    same = agrees(left, right)
    if same is False:
        return Outcome(Verdict.ERROR, "python-flint, asked as well, finds the sides different")
    if same is None:
        return Outcome(Verdict.PROVED, f"{evidence}; outside python-flint's polynomials")
    return Outcome(Verdict.PROVED, f"{evidence}, by python-flint too", FLINT)


def _carries_nothing(pairs: list[tuple[Side, Side]]) -> str:
    """ "" or why the identity says nothing: the same on both sides as it stands, or about a symbol
    that it does not contain."""
    if not pairs:
        return "a matrix without entries: nothing is compared"
    if all(sp.sympify(a) == sp.sympify(b) for a, b in pairs):
        return "both sides are the same as they stand: nothing is compared"
    acted: dict[Any, bool] = {}
    sides = [sp.sympify(one) for pair in pairs for one in pair]
    parts: set[Any] = {part for side in sides for part in side.atoms(sp.Derivative, sp.Subs)}
    for part in parts:
        for variable in part.variables:
            inside = part.expr.has(variable)
            acted[variable] = acted.get(variable, False) or inside
    missing = [str(variable) for variable, inside in acted.items() if not inside]
    return f"it does not contain {', '.join(missing)}, which it is about" if missing else ""


def at(expression: Side, values: Mapping[Any, Any]) -> Side:
    """`expression` at these values, left to the check to work out; matrices entry by entry."""
    if isinstance(expression, sp.MatrixBase):
        return expression.applyfunc(lambda entry: at(entry, values))
    found = {x: v for x, v in values.items() if sp.sympify(expression).has(x)}
    return sp.Subs(expression, tuple(found), tuple(found.values())) if found else expression


def total(*terms: Side) -> sp.Expr:
    """Their sum, left to the check to work out."""
    return sp.Add(*terms, evaluate=False)


def times(*factors: Side) -> sp.Expr:
    """Their product, left to the check to work out."""
    return sp.Mul(*factors, evaluate=False)


def _entries(left: Side, right: Side) -> Iterable[tuple[Side, Side]]:
    if not isinstance(left, sp.MatrixBase):
        return [(left, right)]
    if isinstance(right, sp.MatrixBase):
        if left.shape != right.shape:
            raise ValueError(f"shapes differ: {left.shape} and {right.shape}")
        return list(zip(left.flat(), right.flat(), strict=True))
    return [(entry, right) for entry in left.flat()]


def _compare(left: sp.Expr, right: sp.Expr) -> Outcome:
    if left is sp.nan or right is sp.nan:
        return Outcome(Verdict.ERROR, "a side is not a number")
    difference = left - right
    if difference == 0 or sp.expand(difference) == 0:
        return Outcome(Verdict.PROVED, "the difference expands to 0")
    point = _counterexample(difference)
    if point:
        return Outcome(Verdict.REFUTED, f"the sides differ at {point}")
    if sp.simplify(sp.together(difference)) == 0:
        return Outcome(Verdict.PROVED, "the difference simplifies to 0")
    return Outcome(Verdict.OPEN, f"sympy does not simplify the difference to 0: {difference}")


def _counterexample(difference: sp.Expr) -> str:
    """A rational point where the real number |difference| is clearly not zero, as text."""
    symbols = sorted(difference.free_symbols, key=str)
    if difference.atoms(sp.core.function.AppliedUndef, sp.Derivative, sp.Integral):
        return ""
    rng = random.Random(0)
    for _ in range(TRIALS):
        point = {symbol: _draw(symbol, rng) for symbol in symbols}
        value = difference.xreplace(point)
        number = sp.N(value, 30, chop=False)
        if number.is_real and number.is_finite and abs(number) > sp.Float("1e-12"):
            shown = ", ".join(f"{name} = {x}" for name, x in point.items())
            return shown or "every point"
    return ""


def _draw(symbol: sp.Basic, rng: random.Random) -> sp.Rational:
    if symbol.is_integer:
        return sp.Integer(rng.randint(2, 9))
    size = sp.Rational(rng.randint(1, 40), rng.randint(7, 20))
    return size if symbol.is_nonnegative or rng.random() < 0.5 else -size


def polynomial(expressions: Iterable[sp.Expr], *variables: sp.Symbol) -> Check:
    """Check that every expression is a polynomial in `variables` (so locally Lipschitz).

    Raises ValueError without expressions or without variables.
    """
    wanted = tuple(expressions)
    if not (wanted and variables):
        raise ValueError("polynomial() needs at least one expression and one variable")

    def decide() -> Outcome:
        for expression in wanted:
            if not sp.sympify(expression).is_polynomial(*variables):
                return Outcome(Verdict.REFUTED, f"{expression} is not a polynomial")
        return Outcome(
            Verdict.PROVED, f"{len(wanted)} polynomials in {', '.join(map(str, variables))}"
        )

    def formula() -> str:
        inside = ", ".join(sp.latex(v) for v in variables)
        return r",\ ".join(sp.latex(e) for e in wanted) + rf" \in \mathbb{{R}}[{inside}]"

    return Check("sympy", decide, formula)


def limit(
    expression: sp.Expr, variable: sp.Symbol, at: Side, value: Side, side: str = "+-"
) -> Check:
    """Check that expression tends to `value` as `variable` tends to `at`.

    side: "+" from above, "-" from below, "+-" from both, which must then agree; at +-oo there is
    one side only.
    """
    if side not in ("+", "-", "+-"):
        raise ValueError(f"side is {side!r}; it may be '+', '-' or '+-'")
    sides = side if abs(sp.sympify(at)) != sp.oo else "-"

    def decide() -> Outcome:
        for one in sides:
            found = sp.limit(expression, variable, at, one)
            if found != value and sp.simplify(found - value) != 0:
                return Outcome(Verdict.REFUTED, f"the limit from side {one} is {found}")
        return Outcome(Verdict.PROVED, f"the limit is {value}")

    def formula() -> str:
        where = sp.latex(at) + ("" if len(sides) == 2 or sides != side else f"^{side}")
        return rf"\lim_{{{variable} \to {where}}} {sp.latex(expression)} = {sp.latex(value)}"

    def mutants() -> Iterable[Mutant]:
        for kind, new in edits(sp.sympify(value)):
            parts = (new, expression, variable, sp.sympify(at), side)
            check = limit(expression, variable, at, new, side)
            yield Mutant(kind, parts, check, says="limit {}".format)

    return Check("sympy", decide, formula, mutants=mutants)
