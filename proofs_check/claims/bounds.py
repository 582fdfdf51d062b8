"""F11c: the envelope in pieces, and in time."""

from __future__ import annotations

import sympy as sp

from proofs_check.claims.field import (
    KAPPA,
    STANDING_WORDS,
    VELOCITY,
    B,
    alpha,
    c,
    epsilon,
    n,
    o,
    tau,
)
from proofs_check.ledger import Claim, Verdict, by_lemma, step
from proofs_check.smt import implies
from proofs_check.symbolic import identity

x, slope, gap, square, piece = sp.symbols("x S gap C Cp", real=True)
X = sp.Symbol("X", positive=True)
b = sp.Symbol("b", positive=True)
rest, level = sp.symbols("R L", real=True)

F11C = Claim(
    "F11c",
    "The envelope in pieces, and in time",
    "With x = e^(-2 tau), replace x^alpha (alpha >= 1) on a piece by a chord (above it) or a "
    "tangent (below it), A + S x with S >= 0. Then epsilon(tau) follows a flow with o = 0, closed "
    "by M8, and lies below, respectively above, the true one. If the line is within gap of o^2 on "
    "a piece where the closed flow's c^2 is at least Cp > gap, true time obeys dt/ds <= 1/(1 - "
    "gap/Cp) on the lower curve and >= 1/(1 + gap/Cp) on the upper one, s the piece's own time.",
    r"x^\alpha\le\text{chord},\ x^\alpha\ge\text{tangent},\quad "
    r"\frac1{1+gap/C_p}\le\frac{dt}{ds}\le\frac1{1-gap/C_p}",
    Verdict.PROVED,
    hypotheses=STANDING_WORDS,
    steps=(
        by_lemma(
            "monotone",
            "The slope of x^alpha does not fall: so it lies above its tangents, and chord minus "
            "power rises first and then falls, from 0 to 0.",
            sign=(
                identity(sp.diff(X**b, X, 2), b * (b - 1) * X ** (b - 2)),
                implies([alpha >= 1, x > 0], alpha * (alpha - 1) * x >= 0),
                identity(sp.diff(X**b, X).subs(X, 1), b),
            ),
        ),
        step(
            "With o^2 = A + S x the conserved quantity is that of a flow with o = 0, n^2 + S x for "
            "its n^2 and kappa + A for its kappa; S x falls like n^2, by e^(-2 tau).",
            identity(
                (KAPPA + o**2) + epsilon**2 + n**2, ((KAPPA + level) + epsilon**2 + n**2 + rest)
                .subs(level, o**2 - rest)
            ),
            identity(sp.diff(slope * sp.exp(-2 * tau), tau), -2 * slope * sp.exp(-2 * tau)),
            identity(sp.Matrix(VELOCITY).subs(o, 0)[2], -(c**2) * n),
        ),
        by_lemma(
            "comparison",
            "More o^2 at the same epsilon and tau: larger c, smaller d epsilon/d tau (F11).",
            inequality=implies(
                [B >= 0, c > 0, x > 0, x**2 >= c**2], B / c - epsilon >= B / x - epsilon
            ),
            solution=identity(VELOCITY[1] / c**2, B / c - epsilon),
        ),
        step(
            "Lower curve: c^2 >= c_piece^2 - gap (its epsilon is below, its line above), and "
            "ds = d tau / c_piece^2; upper curve: c^2 <= c_piece^2 + gap.",
            implies(
                [piece > gap, gap >= 0, x >= piece, square >= x - gap],
                x / square <= 1 / (1 - gap / piece),
            ),
            implies(
                [piece > 0, gap >= 0, x >= piece, square > 0, square <= x + gap],
                x / square >= 1 / (1 + gap / piece),
            ),
        ),
    ),
    rests_on=("F11", "F3", "M7", "M8"),
    function="envelope.envelope",
)  # fmt: skip

CLAIMS = (F11C,)
