"""F8-F10: growth and size of the opposing curvature along the flow, and its crossing of 2/eta."""

from __future__ import annotations

import sympy as sp

from proofs_check.claims.field import (
    STANDING_WORDS,
    B,
    M,
    V,
    along,
    alpha,
    c,
    epsilon,
    eta,
    t,
)
from proofs_check.claims.flow import (
    FLOOR,
    K2,
    N_AT_LEAST_M,
    QMAX,
    WIDEST,
    c0,
    c1,
    e0,
    kap,
    m,
    n0,
    o0,
    v,
)
from proofs_check.ledger import Claim, Verdict, by_lemma, step
from proofs_check.smt import implies
from proofs_check.symbolic import identity

delta, m0, v0, D = sp.symbols("delta m0 v0 D", real=True)
F8 = Claim(
    "F8",
    "The opposing curvature grows at most like e^(2Bt)",
    "(c^2 + epsilon^2)' <= 2B (c^2 + epsilon^2), so alpha c^2 <= alpha (c0^2 + epsilon0^2) "
    "e^(2Bt).",
    r"\alpha c^2\le\alpha(c_0^2+\epsilon_0^2)e^{2Bt}",
    Verdict.PROVED,
    hypotheses=("B >= 0", "alpha >= 0", "loss with the factor 1/2"),
    steps=(
        by_lemma(
            "Gronwall",
            "The derivative is 4Bc epsilon minus nonnegative terms, and 2c epsilon <= c^2 + "
            "epsilon^2.",
            inequality=(
                identity(
                    along(c**2 + epsilon**2),
                    4 * B * c * epsilon - 4 * c**2 * epsilon**2 - 2 * c**2 * M,
                ),
                implies(
                    [B >= 0, alpha >= 0],
                    along(c**2 + epsilon**2) <= 2 * B * (c**2 + epsilon**2),
                    second_opinion=True,
                ),
            ),
        ),
        step(
            "alpha c^2 is at most alpha (c^2 + epsilon^2).",
            implies([alpha >= 0], alpha * c**2 <= alpha * (c**2 + epsilon**2)),
        ),
    ),
    rests_on=("M5",),
)
# D = cm^2, the square of the lower bound of c; G bounds v from above.
BOUND = (v0 + B * m0 / D * (1 - sp.exp(-D * t))) * sp.exp(-D * t)
SIMPLE = (v0 + B * m0 / D) * sp.exp(-D * t)
REACHED = sp.log((v0 + B * m0 / D) / (delta * B)) / D
F9 = Claim(
    "F9",
    "Two-sided size of the opposing curvature",
    "alpha c^2 <= alpha B^2/epsilon^2 wherever epsilon > 0, and alpha c^2 >= (1-delta)^2 alpha "
    "B^2/epsilon^2 wherever c epsilon >= (1-delta) B. For epsilon0 > 0 the latter holds for all t "
    ">= ln((v0 + B m0/D)/(delta B))/D, where v0 = B - c0 epsilon0, m0 = n0^2 + alpha o0^2, D = "
    "min(c0, epsilon0 B/Qm)^2, Qm = epsilon0^2 + 2 n0^2 + (1 + alpha) o0^2.",
    r"(1-\delta)^2\frac{\alpha B^2}{\epsilon^2}\le\alpha c^2\le\frac{\alpha B^2}{\epsilon^2},\quad "
    r"t\ge\tfrac1D\ln\frac{v_0+Bm_0/D}{\delta B}",
    Verdict.PROVED,
    hypotheses=(*STANDING_WORDS, "0 < delta < 1", "the time: epsilon0 > 0"),
    steps=(
        step(
            "Upper: F2. Lower: the condition itself.",
            implies(
                [c > 0, epsilon > 0, c * epsilon < B, alpha >= 1],
                alpha * c**2 * epsilon**2 <= alpha * B**2,
            ),
            implies(
                [c > 0, epsilon > 0, B > 0, alpha >= 1, delta > 0, delta < 1,
                 c * epsilon >= (1 - delta) * B],
                alpha * c**2 * epsilon**2 >= (1 - delta) ** 2 * alpha * B**2,
            ),
        ),
        step(
            "c never falls below min(c0, epsilon0 B/Qm): while c falls, Q <= Qm and c' < 0 force "
            "c > epsilon0 B/Qm; after t1 it rises (F4).",
            QMAX,
            FLOOR,
            identity(
                WIDEST.subs(kap, c0**2 - e0**2 - n0**2 - o0**2),
                e0**2 + 2 * n0**2 + (1 + alpha) * o0**2,
            ),
        ),
        by_lemma(
            "Gronwall",
            "m = n^2 + alpha o^2 has m' <= -2 c^2 m <= -2 D m.",
            inequality=(
                identity(along(M), -2 * c**2 * K2),
                N_AT_LEAST_M,
                implies([c1 > 0, c >= c1, alpha >= 1], along(M) <= -2 * c1**2 * M),
            ),
        ),
        by_lemma(
            "comparison",
            "v' <= -D v + B m0 e^(-2Dt), whose solution from v0 is the stated bound.",
            inequality=implies(
                [c1 > 0, c >= c1, epsilon >= 0, v > 0, m >= 0, B > 0, sp.Eq(v, B - c * epsilon)],
                -(c**2 + epsilon**2) * v + c * epsilon * m <= -(c1**2) * v + B * m,
            ),
            solution=(
                identity(along(V), -(c**2 + epsilon**2) * V + c * epsilon * M),
                identity(sp.diff(BOUND, t), -D * BOUND + B * m0 * sp.exp(-2 * D * t)),
                identity(BOUND.subs(t, 0), v0),
                identity(SIMPLE - BOUND, B * m0 / D * sp.exp(-2 * D * t)),
            ),
        ),
        step(
            "The simpler bound (v0 + B m0/D) e^(-Dt), which falls, is delta B at the stated time.",
            identity(SIMPLE.subs(t, REACHED), delta * B),
        ),
    ),
    rests_on=("F2", "F3", "F4"),
)  # fmt: skip
F10 = Claim(
    "F10",
    "When the opposing curvature crosses 2/eta",
    "On the way up (t > t1) alpha c^2 takes the value 2/eta iff alpha c(t1)^2 < 2/eta < alpha "
    "c_inf^2, and then exactly once.",
    r"\exists!\,t>t_1:\alpha c(t)^2=\tfrac2\eta\iff\alpha c(t_1)^2<\tfrac2\eta<\alpha c_\infty^2",
    Verdict.PROVED,
    hypotheses=(*STANDING_WORDS, "eta > 0"),
    steps=(
        by_lemma(
            "intermediate value",
            "On [t1, infinity) alpha c^2 strictly increases (F4) from alpha c(t1)^2 to alpha "
            "c_inf^2 (F5), which it does not attain.",
            increasing=(
                identity(along(alpha * c**2), 2 * alpha * c * along(c)),
                implies([c > 0, alpha >= 1, v > 0], 2 * alpha * c * v > 0),
            ),
            ends=implies(
                [c > 0, c1 > c, alpha >= 1, eta > 0, sp.Eq(alpha * c**2, 2 / eta)],
                2 / eta < alpha * c1**2,
            ),
        ),
    ),
    rests_on=("F4", "F5"),
    function="flow.gradient_flow",
)
CLAIMS = (F8, F9, F10)
