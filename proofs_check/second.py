"""A second opinion on identities: polynomials of python-flint, with our own rules of calculus.

The two sides become quotients of polynomials in the symbols and in a few generators (exponentials,
logarithms, roots), whose relations are exp(a + b) = exp(a) exp(b), log's of products are not split,
and root^n = what is under it. Derivatives are taken here by the chain rule, not by sympy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
from flint import Ordering, fmpq, fmpq_mpoly_ctx

# sympy's own annotations are narrower than what its functions take and return.
Expression = Any
Poly = Any


class Beyond(Exception):
    """The expression has something that these polynomials do not reach."""


def agrees(left: Any, right: Any) -> bool | None:
    """Is left = right, entry by entry? None where this kernel cannot say.

    False only of quotients of polynomials in the symbols themselves: generators may have relations
    that are not used here.
    """
    try:
        for a, b in _pairs(left, right):
            ring = _Ring.of(a - b)
            if not ring.is_zero(a - b):
                return None if ring.has_generators() else False
        return True
    except Beyond:
        return None


def _pairs(left: Any, right: Any) -> list[tuple[Expression, Expression]]:
    if isinstance(left, sp.MatrixBase):
        others = right.flat() if isinstance(right, sp.MatrixBase) else [right] * len(left.flat())
        return [(_plain(a), _plain(b)) for a, b in zip(left.flat(), others, strict=True)]
    return [(_plain(left), _plain(right))]


def _plain(expression: Any) -> Expression:
    """Substitutions done, and derivatives taken by `_derivative`; innermost first."""
    found = sp.sympify(expression)
    if not found.args:
        return found
    if isinstance(found, sp.Subs):
        inner = _plain(found.expr)
        return _plain(inner.subs(list(zip(found.variables, found.point, strict=True)),
                                 simultaneous=True))  # fmt: skip
    if isinstance(found, sp.Derivative):
        inner = _plain(found.expr)
        for variable, count in found.variable_count:
            for _ in range(int(count)):
                inner = _derivative(inner, variable)
        return inner
    if isinstance(found, sp.Integral | sp.MatrixBase) or found.is_Relational:
        raise Beyond
    made = found.func(*(_plain(part) for part in found.args))
    return _power_of_log(made) if isinstance(made, sp.exp) else made


def _power_of_log(exponential: Expression) -> Expression:
    """exp(k log(x)) = x^k for a whole k."""
    size, rest = sp.cancel(exponential.args[0]).as_coeff_Mul()
    whole = isinstance(rest, sp.log) and size.is_Integer
    return rest.args[0] ** size if whole else exponential


CHAIN: dict[type, Callable[[Expression], Expression]] = {
    sp.exp: sp.exp,
    sp.log: lambda x: 1 / x,
    sp.sinh: sp.cosh,
    sp.cosh: sp.sinh,
}


def _derivative(expression: Expression, variable: Expression) -> Expression:
    """Sum, product, power and chain rule."""
    if expression == variable:
        return sp.S.One
    if not expression.has(variable):
        return sp.S.Zero
    parts = expression.args
    if isinstance(expression, sp.Add):
        return sp.Add(*(_derivative(part, variable) for part in parts))
    if isinstance(expression, sp.Mul):
        return sp.Add(*(
            sp.Mul(_derivative(part, variable), *parts[:i], *parts[i + 1 :])
            for i, part in enumerate(parts)
        ))  # fmt: skip
    if isinstance(expression, sp.Pow) and not expression.exp.has(variable):
        base, power = parts
        return power * base ** (power - 1) * _derivative(base, variable)
    for kind, outer in CHAIN.items():
        if isinstance(expression, kind):
            return outer(parts[0]) * _derivative(parts[0], variable)
    raise Beyond


class _Ring:
    """Polynomials in the symbols and generators of one expression."""

    def __init__(self, names: dict[Expression, int], roots: dict[Expression, int]) -> None:
        self.names, self.roots = names, roots
        self.context = fmpq_mpoly_ctx.get(
            tuple(f"x{i}" for i in range(max(len(names), 1))), Ordering.degrevlex
        )

    @classmethod
    def of(cls, expression: Expression) -> _Ring:
        names: dict[Expression, int] = {}
        roots: dict[Expression, int] = {}
        _gather(expression, names, roots)
        return cls(names, roots)

    def has_generators(self) -> bool:
        return any(not isinstance(name, sp.Symbol) or "exp(" in str(name) for name in self.names)

    def is_zero(self, expression: Expression) -> bool:
        top, _ = self.quotient(expression)
        return self.reduced(top).is_zero()

    def reduced(self, poly: Poly) -> Poly:
        """Powers of roots brought below their order, by root^n = radicand (with denominators)."""
        for _ in range(8):
            before = poly
            for root, order in self.roots.items():
                top, bottom = self.quotient(_radicand(root))
                poly = _lowered(poly, self.names[root], order, top, bottom, self.context)
            if poly == before:
                return poly
        raise Beyond

    def quotient(self, e: Expression) -> tuple[Poly, Poly]:
        one = self.context.constant(1)
        if isinstance(e, sp.Rational):
            return self.context.constant(fmpq(int(e.p), int(e.q))), one
        if isinstance(e, sp.Add | sp.Mul):
            top, bottom = self.quotient(e.args[0])
            for part in e.args[1:]:
                a, b = self.quotient(part)
                added = isinstance(e, sp.Add)
                top = top * b + a * bottom if added else top * a
                bottom = bottom * b
            return top, bottom
        if isinstance(e, sp.Pow) and e.exp.is_Rational:
            base = self.context.gen(self.names[_root(e)]) if e.exp.q > 1 else None
            top, bottom = (base, one) if base is not None else self.quotient(e.base)
            if e.exp > 0:
                return top ** int(e.exp.p), bottom ** int(e.exp.p)
            return bottom ** int(-e.exp.p), top ** int(-e.exp.p)
        if isinstance(e, sp.exp | sp.sinh | sp.cosh):
            return self.exponential(e)
        if e in self.names:
            return self.context.gen(self.names[e]), one
        raise Beyond

    def exponential(self, e: Expression) -> tuple[Poly, Poly]:
        """exp of a sum as a product of powers of generators; sinh and cosh by exp."""
        if not isinstance(e, sp.exp):
            sign = 1 if isinstance(e, sp.cosh) else -1
            up, down = sp.exp(e.args[0]), sp.exp(-e.args[0])
            return self.quotient((up + sign * down) / 2)
        top = bottom = self.context.constant(1)
        for size, generator in _exponents(e.args[0]):
            power = self.context.gen(self.names[generator]) ** abs(size)
            top, bottom = (top * power, bottom) if size > 0 else (top, bottom * power)
        return top, bottom


def _gather(e: Expression, names: dict[Expression, int], roots: dict[Expression, int]) -> None:
    if isinstance(e, sp.Rational):
        return
    if isinstance(e, sp.exp | sp.sinh | sp.cosh):
        for _, generator in _exponents(e.args[0]):
            names.setdefault(generator, len(names))
        return
    if isinstance(e, sp.Pow) and e.exp.is_Rational:
        if e.exp.q > 1:
            names.setdefault(_root(e), len(names))
            roots[_root(e)] = int(e.exp.q)
        _gather(e.base, names, roots)
        return
    if isinstance(e, sp.Add | sp.Mul):
        for part in e.args:
            _gather(part, names, roots)
        return
    if isinstance(e, sp.Symbol | sp.core.function.AppliedUndef | sp.log | sp.NumberSymbol | sp.Pow):
        names.setdefault(e, len(names))
        return
    raise Beyond


FINEST = 60  # exponents are whole multiples of 1/FINEST of a product of symbols


def _exponents(argument: Expression) -> list[tuple[int, Expression]]:
    """argument = sum of size x unit / FINEST: pairs (size, exp(unit/FINEST)), one per product."""
    found = []
    for term in sp.Add.make_args(sp.expand(argument)):
        number, unit = term.as_coeff_Mul()
        size = number * FINEST
        if not (number.is_Rational and size.is_Integer):
            raise Beyond
        found.append((int(size), sp.Symbol(f"exp({sp.srepr(unit)}/{FINEST})")))
    return found


def _root(power: Expression) -> Expression:
    return sp.Pow(power.base, sp.Rational(1, power.exp.q), evaluate=False)


def _radicand(root: Expression) -> Expression:
    return root.args[0]


def _lowered(poly: Poly, at: int, order: int, top: Poly, bottom: Poly, context: Any) -> Poly:
    """bottom^k poly with root^order = top/bottom put in (zero exactly where poly is)."""
    terms = poly.to_dict()
    most = max((powers[at] // order for powers in terms), default=0)
    if most == 0:
        return poly
    total = context.constant(0)
    for powers, size in terms.items():
        whole, rest = divmod(powers[at], order)
        left = context.from_dict({(*powers[:at], rest, *powers[at + 1 :]): size})
        total = total + left * top**whole * bottom ** (most - whole)
    return total
