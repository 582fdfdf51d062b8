"""Inequalities over the reals, by z3: the negation must have no solution.

Formulas are written in sympy and translated, so that a claim's identities and its inequalities
share one definition of the model. A solver that answers `unknown` or runs out of its budget gives
the verdict `open`: never a pass. Hypotheses that nothing satisfies are an error: they would prove
anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sympy as sp
import z3

from proofs_check.certificates.write import statement
from proofs_check.ledger import Check, Outcome, Verdict
from proofs_check.mutants import of_implication

SECONDS = 30.0
SECOND_SECONDS, SECOND_RESOURCES = 1.0, 500_000
RESOURCES = 30_000_000  # z3's own unit of work: the same on every machine, unlike seconds

RELATIONS: dict[type, Callable] = {
    sp.GreaterThan: lambda a, b: a >= b,
    sp.StrictGreaterThan: lambda a, b: a > b,
    sp.LessThan: lambda a, b: a <= b,
    sp.StrictLessThan: lambda a, b: a < b,
    sp.Equality: lambda a, b: a == b,
    sp.Unequality: lambda a, b: a != b,
}


def implies(
    given: Sequence[sp.Basic],
    then: sp.Basic,
    *,
    seconds: float = SECONDS,
    resources: int = RESOURCES,
    second_opinion: bool = True,
) -> Check:
    """Check that `given` (all of them) implies `then`, for all real values of the symbols.

    given, then     sympy relations, And, Or, Not of polynomials and quotients
    second_opinion  ask z3's simplex-based solver as well as its cylindrical one (nlsat), on a small
                    budget; it may give up, but must not disagree
    """

    def decide() -> Outcome:
        return _decide(list(given), then, seconds, resources, second_opinion)

    def formula() -> str:
        left = r",\ ".join(sp.latex(part) for part in given)
        return (left + r" \;\Longrightarrow\; " if left else "") + sp.latex(then)

    return Check(
        "z3",
        decide,
        formula,
        lambda: statement(given, then),
        lambda: of_implication(given, then, _quickly),
    )


def _quickly(given: Sequence[sp.Basic], then: sp.Basic) -> Check:
    """`implies` on a small budget: mutants are many, and most are refuted at once."""
    return implies(given, then, seconds=2.0, resources=2_000_000, second_opinion=False)


def _decide(given, then, seconds, resources, second_opinion) -> Outcome:
    symbols = set().union(*(part.free_symbols for part in [*given, then]))
    names = {symbol: z3.Real(str(symbol)) for symbol in symbols}
    if len({str(symbol) for symbol in symbols}) != len(symbols):
        raise ValueError("two different symbols share a name")
    divisors: set[sp.Basic] = set()
    hypotheses = [translate(part, names, divisors) for part in given]
    negation = z3.Not(translate(then, names, divisors))
    # Division: the hypotheses must exclude a zero divisor, or z3 would be free to choose its value.
    defined = [translate(sp.Ne(d, 0), names, set()) for d in divisors]
    answer, model = _ask([*hypotheses, *defined, negation], seconds, resources, "QF_NRA")
    if answer == z3.sat:
        return Outcome(Verdict.REFUTED, f"counterexample: {_show(model)}")
    if answer == z3.unknown:
        return Outcome(Verdict.OPEN, "z3 did not decide within its budget")
    if hypotheses or defined:
        possible, _ = _ask([*hypotheses, *defined], seconds, resources, "QF_NRA")
        if possible == z3.unsat:
            return Outcome(Verdict.ERROR, "nothing satisfies the hypotheses: the claim is empty")
        if possible == z3.unknown:
            return Outcome(Verdict.OPEN, "z3 found no example of the hypotheses: maybe empty")
    for divisor in divisors:
        zero = z3.Not(translate(sp.Ne(divisor, 0), names, set()))
        if _ask([*hypotheses, zero], seconds, resources, "QF_NRA")[0] != z3.unsat:
            return Outcome(Verdict.ERROR, f"the divisor {divisor} may be zero")
    evidence = "the negation has no real solution (z3)"
    if second_opinion:
        small = (min(seconds, SECOND_SECONDS), min(resources, SECOND_RESOURCES))
        other, model = _ask([*hypotheses, *defined, negation], *small, "")
        if other == z3.sat:
            return Outcome(Verdict.ERROR, f"two z3 solvers disagree: {_show(model)}")
        evidence += ", by two solvers" if other == z3.unsat else ", by one solver of two"
    return Outcome(Verdict.PROVED, evidence)


def _ask(formulas, seconds, resources, logic):
    solver = z3.SolverFor(logic) if logic else z3.SimpleSolver()
    solver.set(timeout=max(1, int(1000 * seconds)), rlimit=max(1, int(resources)))
    solver.add(*formulas)
    answer = solver.check()
    return answer, solver.model() if answer == z3.sat else None


def _show(model) -> str:
    return ", ".join(
        sorted(f"{name} = {model[name]}" for name in model.decls() if name.arity() == 0)
    )


def translate(expression: sp.Basic, names: dict, divisors: set) -> z3.ExprRef:
    """The z3 form of a sympy formula; adds to `divisors` whatever it divides by.

    Raises TypeError for anything but relations, And, Or, Not, +, *, integer powers, rational
    numbers and symbols.
    """
    if expression in (sp.true, sp.false):
        return z3.BoolVal(expression == sp.true)
    if isinstance(expression, sp.Symbol):
        return names[expression]
    if isinstance(expression, sp.Rational):
        return z3.RealVal(f"{expression.p}/{expression.q}")
    parts = [translate(part, names, divisors) for part in expression.args]
    if type(expression) in RELATIONS:
        return RELATIONS[type(expression)](*parts)
    if isinstance(expression, sp.And | sp.Or | sp.Not):
        join = {sp.And: z3.And, sp.Or: z3.Or, sp.Not: z3.Not}[type(expression)]
        return join(*parts)
    if isinstance(expression, sp.Add):
        return z3.Sum(parts)
    if isinstance(expression, sp.Mul):
        return z3.Product(parts)
    if isinstance(expression, sp.Pow) and expression.exp.is_Integer:
        return _power(expression, parts[0], divisors)
    raise TypeError(f"cannot put {expression!r} ({type(expression).__name__}) to z3")


def _power(expression: sp.Pow, base: z3.ExprRef, divisors: set) -> z3.ExprRef:
    exponent = int(expression.exp)
    product = z3.Product([base] * abs(exponent))
    if exponent > 0:
        return product
    divisors.add(expression.base)
    return 1 / product
