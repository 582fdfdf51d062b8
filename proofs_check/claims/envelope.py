"""F11: the order in alpha at equal intrinsic time, and the envelope that it gives."""

from __future__ import annotations

import sympy as sp

from proofs_check.claims.field import STANDING_WORDS, VELOCITY, B, alpha, c, epsilon, o, tau
from proofs_check.claims.flow import c0, e0, n0, o0
from proofs_check.ledger import Claim, Verdict, by_lemma, step
from proofs_check.smt import implies
from proofs_check.symbolic import identity

POSITIVE = sp.Symbol("x", positive=True)
p, q, low, high, level = sp.symbols("p q e_low e_high K", real=True)
FAST = o0**2 * sp.exp(-2 * alpha * tau)
F11 = Claim(
    "F11",
    "An envelope of the flow in closed form",
    "At the same start, epsilon as a function of intrinsic time tau increases with alpha (alpha "
    ">= 1). So it lies between the curve of alpha = 1 and, where c0^2 > o0^2, the flow from "
    "(sqrt(c0^2 - o0^2), epsilon0, n0, 0), both closed (M8). With c^2 = kappa + epsilon^2 + n^2 + "
    "o^2 this bounds c, alpha c^2, the entries of H2, and time t = int dtau/c^2 from both sides.",
    r"\epsilon_1(\tau)\le\epsilon_\alpha(\tau)\le\epsilon_\infty(\tau),\quad "
    r"c^2=\kappa+\epsilon^2+n_0^2e^{-2\tau}+o_0^2e^{-2\alpha\tau}",
    Verdict.PROVED,
    hypotheses=(*STANDING_WORDS, "the upper curve: c0^2 > o0^2"),
    steps=(
        step(
            "o^2 at equal tau falls with alpha, and is above 0.",
            identity(sp.Derivative(FAST, alpha), -2 * tau * FAST),
            implies([tau >= 0, q >= 0], -2 * tau * q <= 0),
        ),
        by_lemma(
            "comparison",
            "d epsilon/dtau = B/c - epsilon with c^2 = kappa + epsilon^2 + n^2 + o^2: a smaller "
            "o^2 (p <= q, at the same epsilon, tau) gives a smaller c, hence a larger right-hand "
            "side.",
            inequality=implies(
                [
                    B >= 0,
                    low > 0,
                    high > 0,
                    sp.Eq(low**2, level + p),
                    sp.Eq(high**2, level + q),
                    p <= q,
                ],
                B / low - epsilon >= B / high - epsilon,
            ),
            solution=identity(VELOCITY[1] / c**2, B / c - epsilon),
        ),
        step(
            "alpha = infinity: o = 0 with the same kappa is the flow from (sqrt(c0^2 - o0^2), "
            "epsilon0, n0, 0), which meets the standing hypotheses too.",
            identity(
                (c0**2 - o0**2) - e0**2 - n0**2,
                c0**2 - e0**2 - n0**2 - o0**2,
                reads=r"(c_0^2-o_0^2)-\epsilon_0^2-n_0^2=\kappa",
            ),
            implies([c0 > 0, e0 >= 0, c0 * e0 < B, p > 0, sp.Eq(p**2, c0**2 - o0**2)], p * e0 < B),
            identity(
                sp.Matrix(VELOCITY).subs(o, 0)[:3, :],
                sp.Matrix(VELOCITY)[:3, :].subs(alpha, 0),
                reads=r"(\dot c,\dot\epsilon,\dot n)|_{o=0}=(\dot c,\dot\epsilon,\dot n)|_{\alpha="
                r"0}",
            ),
        ),
        step(
            "Bounds 0 <= e_low <= epsilon <= e_high carry over to c^2 and, reversed, to dt/dtau = "
            "1/c^2.",
            implies(
                [low >= 0, epsilon >= low, high >= epsilon, sp.Eq(c**2, level + epsilon**2)],
                (level + low**2 <= c**2) & (c**2 <= level + high**2),
            ),
            implies([p > 0, c**2 >= p, c**2 <= q], (1 / q <= 1 / c**2) & (1 / c**2 <= 1 / p)),
        ),
    ),
    rests_on=("M7", "M8", "F1"),
    function="envelope.envelope",
)
x, curve, line = sp.symbols("x y l", real=True)
F11C = Claim(
    "F11c",
    "A tighter envelope, in pieces",
    "With x = e^(-2 tau), o^2 = o0^2 x^alpha is convex in x, so chords lie above it and tangents "
    "below. Putting a line p + q x for it leaves a flow without opposing signal (n^2 + q for n^2, "
    "kappa + p for kappa), closed form piece by piece; epsilon with chords is below, with "
    "tangents above. In that flow's own time s, dt/ds = c_piece^2/c^2.",
    r"p+qx\ge o_0^2x^\alpha\Rightarrow\epsilon_{\text{piece}}\le\epsilon,\quad "
    r"\frac{dt}{ds}=\frac{c_{\text{piece}}^2}{c^2}",
    Verdict.PROVED,
    hypotheses=STANDING_WORDS,
    steps=(
        by_lemma(
            "convex",
            "The second derivative of x^alpha is alpha (alpha - 1) x^(alpha - 2) >= 0.",
            second=(
                identity(
                    sp.Derivative(POSITIVE**alpha, POSITIVE, 2),
                    alpha * (alpha - 1) * POSITIVE ** (alpha - 2),
                ),
                implies([alpha >= 1, curve >= 0], alpha * (alpha - 1) * curve >= 0),
            ),
        ),
        by_lemma(
            "comparison",
            "A line above o^2 gives a larger c at the same epsilon and tau, hence a smaller "
            "right-hand side; a line below, a larger one. Pieces chain, each from where the last "
            "one ended.",
            inequality=implies(
                [B >= 0, low > 0, high > 0, sp.Eq(low**2, level + curve),
                 sp.Eq(high**2, level + line), curve <= line],
                B / high - epsilon <= B / low - epsilon,
            ),
            solution=identity(VELOCITY[1] / c**2, B / c - epsilon),
        ),
        step(
            "c^2 of a piece is that of M7 with n0^2 + q for n0^2, kappa + p for kappa, and no o.",
            identity(
                level + epsilon**2 + n0**2 * x + (p + q * x),
                (level + p) + epsilon**2 + (n0**2 + q) * x,
            ),
        ),
        step(
            "dtau = c^2 dt = c_piece^2 ds.",
            implies([low > 0, c > 0], sp.Eq((1 / c**2) / (1 / low**2), low**2 / c**2)),
        ),
    ),
    rests_on=("M7", "M8", "F1", "F11"),
    function="envelope.envelope",
)  # fmt: skip
F11B = Claim(
    "F11b",
    "The order in alpha at equal time",
    "At the same start, epsilon as a function of time t increases with alpha. False, although it "
    "does in intrinsic time (F11): a larger alpha lowers c, and with it the clock.",
    r"\alpha<\alpha'\Rightarrow\epsilon_\alpha(t)\le\epsilon_{\alpha'}(t)",
    Verdict.REFUTED,
    rests_on=("F11",),
    witness=(
        "from linmodel import *; from linmodel.certified import certified_flow as f; "
        "e = [f(OpposingSignals(a, 10.0, 4.0), State(1, .1, .3, .5), [0, .1]).epsilon.values[1] "
        "for a in (1.0, 50.0)]; assert e[0][0] > e[1][1], e"
    ),
)
CLAIMS = (F11, F11B, F11C)
