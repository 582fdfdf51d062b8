"""F11c: the envelope in pieces, and in time."""

from __future__ import annotations

import sympy as sp

from proofs_check.claims.field import (
    CONVEX_WORDS,
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
from proofs_check.symbolic import at, identity, times

x, slope, gap, square, piece = sp.symbols("x S gap C Cp", real=True)
X = sp.Symbol("X", positive=True)
b = sp.Symbol("b", positive=True)
rest, level, K = sp.symbols("R A K", real=True)

F11C = Claim(
    "F11c",
    "The envelope in pieces, and in time",
    "With x = e^(-2 tau), replace x^alpha (alpha >= 1) on a piece by a chord (above it) or a "
    "tangent (below it), A + S x with S >= 0. Then epsilon(tau) follows a flow with o = 0, closed "
    "by M8, and lies below, respectively above, the true one, as long as its own c^2 = kappa + A + "
    "epsilon^2 + n^2 + S x is > 0 where the piece starts. If the line is within gap of o^2 on "
    "a piece where the closed flow's c^2 is at least Cp > gap, true time obeys dt/ds <= 1/(1 - "
    "gap/Cp) on the lower curve and >= 1/(1 + gap/Cp) on the upper one, s the piece's own time.",
    r"x^\alpha\le\text{chord},\ x^\alpha\ge\text{tangent},\quad "
    r"\frac1{1+gap/C_p}\le\frac{dt}{ds}\le\frac1{1-gap/C_p}",
    Verdict.PROVED,
    hypotheses=(*CONVEX_WORDS, "S >= 0", "c^2 of the piece's flow > 0 where the piece starts"),
    steps=(
        by_lemma(
            "convex",
            "The second derivative of x^alpha is >= 0: it lies above its tangents and below its "
            "chords.",
            second=(
                identity(sp.Derivative(X**b, (X, 2)), b * (b - 1) * X ** (b - 2)),
                implies([alpha >= 1, x > 0], alpha * (alpha - 1) * x >= 0),
            ),
        ),
        step(
            "With o^2 = A + S x the conserved quantity is that of a flow with o = 0, n^2 + S x for "
            "its n^2 and kappa + A for its kappa; S x falls like n^2, by e^(-2 tau).",
            identity(
                at(K + epsilon**2 + n**2 + o**2, {o: sp.sqrt(level + rest)}),
                (K + level) + epsilon**2 + (n**2 + rest),
                reads=r"\kappa+\epsilon^2+n^2+(A+R)=(\kappa+A)+\epsilon^2+(n^2+R),\ R=Sx",
            ),
            identity(
                sp.Derivative(slope * sp.exp(-2 * tau), tau), -2 * slope * sp.exp(-2 * tau)
            ),
            identity(
                times(2 * n, at(VELOCITY[2], {o: 0}), c**-2),
                -2 * n**2,
                reads=r"\tfrac{d}{d\tau}n^2=-2n^2",
            ),

        ),
        step(
            "A line that touches or meets x^alpha where the piece starts keeps c there; a tangent "
            "drawn elsewhere may not: alpha = 50, kappa + epsilon^2 + n^2 = 1 - 1.44, tangent at "
            ".95, piece from 1 gives c^2 < 0.",
            implies(
                [sp.Eq(c**2, K + epsilon**2 + n**2 + o**2), c > 0, sp.Eq(o**2, level + rest)],
                K + level + epsilon**2 + n**2 + rest > 0,
            ),
            implies(
                [sp.Eq(K, 1 - sp.Rational(144, 100)), sp.Eq(x, sp.Rational(95, 100)),
                 sp.Eq(square, x**50 + 50 * x**49 * (1 - x))],
                K + sp.Rational(144, 100) * square < 0,
            ),
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
    by_hand="lemma comparison is used on one piece after the other: the end of one is the start "
    "of the next",
)  # fmt: skip

CLAIMS = (F11C,)
