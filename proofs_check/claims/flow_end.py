"""F5: where the flow ends, and its sharpness there."""

from __future__ import annotations

import sympy as sp

from proofs_check.claims.field import (
    KAPPA,
    STANDING,
    STANDING_WORDS,
    VELOCITY,
    B,
    along,
    alpha,
    c,
    epsilon,
    n,
    o,
)
from proofs_check.claims.flow import kap
from proofs_check.claims.hessian import CUBIC, bb, rho, x
from proofs_check.ledger import Claim, Verdict, by_lemma, step
from proofs_check.smt import implies
from proofs_check.symbolic import at, identity

X, s = sp.symbols("X s", real=True)
LIMIT = {o: 0, bb: epsilon**2, rho: c * epsilon}
F5 = Claim(
    "F5",
    "The limit of the flow and its sharpness",
    "c -> c_inf with c_inf^2 = (kappa + sqrt(kappa^2 + 4B^2))/2, epsilon -> B/c_inf, n, o -> 0; "
    "the sharpness tends to max(alpha c_inf^2, c_inf^2 + B^2/c_inf^2), at kappa = 0 to max(alpha, "
    "2) B.",
    r"c_\infty^2=\tfrac12\left(\kappa+\sqrt{\kappa^2+4B^2}\right),\ "
    r"\lambda_{\max}\to\max\left(\alpha c_\infty^2,\ c_\infty^2+B^2/c_\infty^2\right)",
    Verdict.PROVED,
    hypotheses=STANDING_WORDS,
    steps=(
        by_lemma(
            "monotone limit",
            "epsilon rises and is bounded (epsilon^2 is at most the positive root of X^2 + kappa X "
            "= B^2), n^2 and o^2 fall or stay 0: they converge, and so do c^2 = kappa + epsilon^2 "
            "+ n^2 + o^2 and the derivatives, which must tend to 0.",
            monotone=(
                implies(STANDING, VELOCITY[1] > 0),
                implies([c > 0, sp.Ne(n, 0)], along(n**2) < 0),
                implies([c > 0, alpha > 0, sp.Ne(o, 0)], along(o**2) < 0),
            ),
            bounded=(
                implies(
                    [c > 0, epsilon >= 0, c * epsilon < B, sp.Eq(KAPPA, kap)],
                    epsilon**4 + kap * epsilon**2 <= B**2,
                ),
                implies(
                    [X >= 0, s >= 0, X**2 + kap * X <= B**2, sp.Eq(s**2, kap**2 + 4 * B**2)],
                    s - kap >= 2 * X,
                ),
            ),
        ),
        step(
            "So the limit is an equilibrium with epsilon > 0 (F3), which leaves c > 0, c epsilon = "
            "B and n = o = 0.",
            implies([epsilon > 0, B > 0, sp.Eq(VELOCITY[0], 0)], sp.Ne(c, 0)),
            implies([sp.Ne(c, 0), sp.Eq(VELOCITY[1], 0)], sp.Eq(c * epsilon, B)),
            implies([sp.Ne(c, 0), sp.Eq(VELOCITY[2], 0)], sp.Eq(n, 0)),
            implies([sp.Ne(c, 0), alpha > 0, sp.Eq(VELOCITY[3], 0)], sp.Eq(o, 0)),
        ),
        step(
            "With M6, X = c_inf^2 solves X^2 - kappa X - B^2 = 0, whose one positive root is the "
            "stated one.",
            implies(
                [c > 0, sp.Eq(c * epsilon, B), sp.Eq(c**2 - epsilon**2, kap)],
                sp.Eq(c**4 - kap * c**2 - B**2, 0),
            ),
            implies(
                [X > 0, sp.Eq(X**2 - kap * X - B**2, 0), s >= 0, sp.Eq(s**2, kap**2 + 4 * B**2)],
                sp.Eq(2 * X, kap + s),
            ),
        ),
        by_lemma(
            "continuity of eigenvalues",
            "At the limit H1's cubic factors: roots alpha c^2, c^2 + epsilon^2, 0; the rest of the "
            "spectrum (c^2, alpha c^2, 0) is not above them.",
            limit=(
                identity(CUBIC.subs(LIMIT), (alpha * c**2 - x) * x * (x - c**2 - epsilon**2)),
                identity(
                    at(2 * c * epsilon - B, {B: c * epsilon}),
                    c * epsilon,
                    reads=r"2c\epsilon-B=c\epsilon\text{ where }c\epsilon=B",
                ),
            ),
        ),
        step(
            "At kappa = 0: c_inf^2 = B and epsilon_inf^2 = B.",
            implies([X > 0, B > 0, sp.Eq(X**2 - B**2, 0)], sp.Eq(X, B)),
            identity(X + B**2 / X - 2 * B, (X - B) ** 2 / X),
        ),
    ),
    rests_on=("F1", "F2", "F3", "M6", "H1"),
    function="bounds.limit",
    by_hand="the velocities are continuous: their limits are their values at the limit, and "
    "lemma monotone limit makes them 0",
)
CLAIMS = (F5,)
