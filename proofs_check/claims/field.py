"""The model in sympy, shared by all claims: symbols, right-hand side, and vectors of any dimension.

Symbols carry no sign assumptions: every sign that a proof uses is among its stated hypotheses.
"""

from __future__ import annotations

from itertools import product

import sympy as sp

c, epsilon, n, o = STATE = sp.symbols("c epsilon n o", real=True)
B, alpha, eta, t, tau = sp.symbols("B alpha eta t tau", real=True)

VELOCITY = (
    epsilon * B - c * (epsilon**2 + n**2) - alpha * c * o**2,
    c * (B - c * epsilon),
    -(c**2) * n,
    -alpha * c**2 * o,
)
LOSS = ((c * epsilon - B) ** 2 + (c * n) ** 2 + alpha * (c * o) ** 2) / 2
KAPPA = c**2 - epsilon**2 - n**2 - o**2
V = B - c * epsilon  # what the signal still lacks
M = n**2 + alpha * o**2  # what pulls c down besides the signal's own share
Q = epsilon**2 + M

STANDING = (c > 0, epsilon >= 0, c * epsilon < B, alpha > 0)
START_WORDS = ("c0 > 0", "epsilon0 >= 0", "c0 epsilon0 < B")
STANDING_WORDS = (*START_WORDS, "alpha > 0")
DIP_WORDS = (*START_WORDS, "alpha > 1/2")  # F4: one dip, at a finite time
CONVEX_WORDS = (*START_WORDS, "alpha >= 1")


def along(quantity: sp.Expr, velocity: tuple[sp.Expr, ...] = VELOCITY) -> sp.Expr:
    """Derivative of a function of the state along the flow."""
    return sum((sp.diff(quantity, x) * f for x, f in zip(STATE, velocity, strict=True)), sp.S.Zero)


Vector = dict[str, sp.Expr]


def vector(**parts: sp.Expr | int) -> Vector:
    """A combination of named vectors of any dimension: vector(b=c, beta=-1) is c b - beta."""
    return {name: sp.sympify(part) for name, part in parts.items()}


def dot(x: Vector, y: Vector, form: str = "") -> sp.Expr:
    """The inner product x.y (or x.form y, form symmetric), by bilinearity, in Gram symbols.

    Exact in every dimension: nothing but bilinearity and symmetry is used.
    """
    return sum(
        (p * q * gram(a, b, form) for (a, p), (b, q) in product(x.items(), y.items())), sp.S.Zero
    )


def gram(a: str, b: str, form: str = "") -> sp.Symbol:
    """The symbol that stands for a.b (or a.form b), the same for both orders."""
    first, second = sorted((a, b))
    middle = f".{form}." if form else "."
    return sp.Symbol(f"<{first}{middle}{second}>", real=True)
