"""F11: the order in alpha at equal intrinsic time, and the envelope that it gives."""

from __future__ import annotations

import sympy as sp

from proofs_check.claims.field import CONVEX_WORDS, VELOCITY, B, alpha, c, epsilon, o, tau
from proofs_check.claims.flow import c0, e0, n0, o0
from proofs_check.ledger import Claim, Verdict, by_lemma, step
from proofs_check.smt import implies
from proofs_check.symbolic import at, identity, total

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
    hypotheses=(*CONVEX_WORDS, "the upper curve: c0^2 > o0^2"),
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
                total(c0**2 - o0**2, -(e0**2), -(n0**2)),
                c0**2 - e0**2 - n0**2 - o0**2,
                reads=r"(c_0^2-o_0^2)-\epsilon_0^2-n_0^2=\kappa",
            ),
            implies([c0 > 0, e0 >= 0, c0 * e0 < B, p > 0, sp.Eq(p**2, c0**2 - o0**2)], p * e0 < B),
            identity(
                at(sp.Matrix(VELOCITY[:3]), {o: 0}),
                at(sp.Matrix(VELOCITY[:3]), {alpha: 0}),
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
    by_hand="lemma comparison at fixed alpha < alpha': on [0, tau] c is bounded below on both "
    "curves, so the right-hand side is Lipschitz in epsilon",
)
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
F11D = Claim(
    "F11d",
    "The envelope for epsilon0 < 0, up to the first zero of c",
    "For c0 > |o0|, epsilon0 < 0, alpha >= 1: as long as c > 0 on the curve of alpha = "
    "infinity, and epsilon <= 0 on it, epsilon(tau) lies between the curves of alpha = 1 and "
    "of alpha = infinity, both closed (M8), and kappa + n^2 + o^2 + epsilon_high^2 <= c^2 <= "
    "kappa + n^2 + o^2 + epsilon_low^2, so c > 0 on all of them. Where epsilon has become "
    "positive on one of them the order goes on for as long as their c are > 0.",
    r"\epsilon_1(\tau)\le\epsilon_\alpha(\tau)\le\epsilon_\infty(\tau),\quad "
    r"\epsilon_0<0,\ c_\infty(\tau)>0",
    Verdict.PROVED,
    source="ours, beside F11",
    hypotheses=("c0 > |o0|", "epsilon0 < 0", "B > 0", "alpha >= 1", "c > 0 on the curves"),
    steps=(
        by_lemma(
            "comparison",
            "d epsilon/dtau = B/c - epsilon: more o^2 at the same epsilon and tau, larger c, "
            "smaller right-hand side, whatever the sign of epsilon.",
            inequality=(
                implies(
                    [B >= 0, low > 0, high >= low],
                    B / low - epsilon >= B / high - epsilon,
                ),
                implies(
                    [high > 0, sp.Eq(low**2, level + p), sp.Eq(high**2, level + q),
                     p <= q],
                    low <= high,
                ),
            ),
            solution=identity(VELOCITY[1] / c**2, B / c - epsilon),
        ),
        step(
            "While the upper curve is negative, epsilon^2 is between the squares; o^2 >= 0 "
            "keeps c^2 of the true and of the lower curve at least at that of alpha = "
            "infinity.",
            implies(
                [epsilon >= low, high >= epsilon, high <= 0, sp.Eq(c**2, level + epsilon**2)],
                (level + high**2 <= c**2) & (c**2 <= level + low**2),
            ),
            implies(
                [high <= 0, high >= epsilon, q >= 0, level + high**2 > 0,
                 sp.Eq(c**2, level + q + epsilon**2)],
                c**2 > 0,
            ),
        ),
        step(
            "The ends of the order in alpha: o^2 at equal tau is at most o0^2 e^(-2 tau), "
            "alpha = 1, and above 0.",
            identity(at(FAST, {alpha: 1}), o0**2 * sp.exp(-2 * tau)),
            identity(sp.Derivative(FAST, alpha), -2 * tau * FAST),
            implies([tau >= 0, q >= 0], -2 * tau * q <= 0),
        ),
    ),
    rests_on=("M7", "M8", "F12"),
    function="envelope.envelope_negative",
    by_hand="the lemma is used up to any tau before the first zero, where c is bounded below and "
    "the right-hand side Lipschitz",
)  # fmt: skip
CLAIMS = (F11, F11B, F11D)
