"""The full network in any dimension: its loss, gradient and Hessian in Gram symbols.

A direction (gamma, v, w) is added to (c, b, b_o) with a factor s; derivatives in s at 0 are the
gradient and Hessian as forms. Only bilinearity is used, so every identity holds for all d1 and d2.
"""

from __future__ import annotations

import sympy as sp

from proofs_check.claims.field import Vector, alpha, c, dot, vector

s, gamma, G = sp.symbols("s gamma G", real=True)  # G stands for E g^2


def loss_along(form: str = "", opposing: str = "P", size: sp.Expr = alpha) -> sp.Expr:
    """M1 at (c + s gamma, b + s v, b_o + s w); Sigma is `form` ("": I), Sigma_o size `opposing`."""
    first = c + s * gamma
    residual: Vector = vector(b=first, v=s * first, beta=-1)
    unused: Vector = vector(bo=first, w=s * first)
    signal, opposed = dot(residual, residual, form), dot(unused, unused, opposing)
    return (signal + size * opposed + G) / 2


def slope(loss: sp.Expr) -> sp.Expr:
    """dL(gamma, v, w): the gradient, applied to the direction."""
    return sp.expand(sp.diff(loss, s).subs(s, 0))


def slope_at_zero(loss: sp.Expr) -> sp.Expr:
    """`slope`, left to whoever evaluates it."""
    return sp.Subs(sp.Derivative(loss, s), s, 0)


def curvature_at_zero(loss: sp.Expr) -> sp.Expr:
    """`curvature`, left to whoever evaluates it."""
    return sp.Subs(sp.Derivative(loss, (s, 2)), s, 0)


def curvature(loss: sp.Expr) -> sp.Expr:
    """The Hessian's quadratic form on the direction (gamma, v, w)."""
    return sp.expand(sp.diff(loss, s, 2).subs(s, 0))


def hessian_form(x: tuple[sp.Expr, Vector, Vector], y: tuple[sp.Expr, Vector, Vector]) -> sp.Expr:
    """The Hessian as a symmetric bilinear form on two directions (Sigma = I, Sigma_o = alpha P).

    H(x, x) equals `curvature`, which a claim checks.
    """
    (g1, v1, w1), (g2, v2, w2) = x, y
    cross = vector(b=2 * c, beta=-1)
    b, bo = vector(b=1), vector(bo=1)
    return (
        g1 * g2 * (dot(b, b) + alpha * dot(bo, bo, "P"))
        + g1 * dot(cross, v2)
        + g2 * dot(cross, v1)
        + 2 * alpha * c * (g1 * dot(bo, w2, "P") + g2 * dot(bo, w1, "P"))
        + c**2 * dot(v1, v2)
        + alpha * c**2 * dot(w1, w2, "P")
    )
