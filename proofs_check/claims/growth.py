"""F8-F10: growth and size of the opposing curvature along the flow, and its crossing of 2/eta."""

from __future__ import annotations

import sympy as sp

from proofs_check.claims.field import (
    DIP_WORDS,
    STANDING_WORDS,
    VELOCITY,
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
from proofs_check.claims.flow import c1, v
from proofs_check.ledger import Claim, Verdict, by_lemma, step
from proofs_check.smt import implies
from proofs_check.symbolic import at, identity

delta, w = sp.symbols("delta w", real=True)  # w = c'
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
                ),
            ),
        ),
        step(
            "alpha c^2 is at most alpha (c^2 + epsilon^2).",
            implies([alpha >= 0], alpha * c**2 <= alpha * (c**2 + epsilon**2)),
        ),
    ),
    rests_on=("M5",),
    function="bounds.growth_ceiling",
)
F9 = Claim(
    "F9",
    "Two-sided size of the opposing curvature, and the time from which it holds",
    "alpha c^2 <= alpha B^2/epsilon^2 wherever epsilon > 0, and alpha c^2 >= (1-delta)^2 alpha "
    "B^2/epsilon^2 wherever c epsilon >= (1-delta) B, which holds for all t >= t1 + "
    "ln(1/delta)/c(t1)^2; F4b and F7 bound t1 and c(t1) explicitly.",
    r"(1-\delta)^2\frac{\alpha B^2}{\epsilon^2}\le\alpha c^2\le\frac{\alpha B^2}{\epsilon^2},\quad "
    r"t\ge t_1+\frac{\ln(1/\delta)}{c(t_1)^2}",
    Verdict.PROVED,
    hypotheses=(*STANDING_WORDS, "the lower bound: alpha > 1/2, 0 < delta < 1"),
    steps=(
        step(
            "Upper: F2. Lower: the condition itself.",
            implies(
                [c > 0, epsilon > 0, c * epsilon < B, alpha > 0],
                alpha * c**2 * epsilon**2 <= alpha * B**2,
            ),
            implies(
                [B > 0, alpha > 0, delta > 0, delta < 1, c * epsilon >= (1 - delta) * B],
                alpha * c**2 * epsilon**2 >= (1 - delta) ** 2 * alpha * B**2,
            ),
        ),
        by_lemma(
            "Gronwall",
            "From t1 on c' >= 0 and c >= c(t1) (F4), so v' = -c' epsilon - c^2 v <= -c(t1)^2 v.",
            inequality=(
                identity(along(V), -along(c) * epsilon - c**2 * V),
                implies(
                    [w >= 0, epsilon >= 0, v > 0, c1 > 0, c >= c1],
                    -w * epsilon - c**2 * v <= -(c1**2) * v,
                ),
            ),
        ),
        step(
            "v(t1) <= B, and B e^(-c1^2 T) = delta B at T = ln(1/delta)/c1^2.",
            implies([c > 0, epsilon >= 0], V <= B),
            identity(at(B * sp.exp(-(c1**2) * t), {t: -sp.log(delta) / c1**2}), delta * B,
                reads=r"Be^{-c_1^2T}=\delta B\text{ at }T=\ln(1/\delta)/c_1^2"),
        ),
    ),
    rests_on=("F2", "F3", "F4", "F4b", "F7"),
    function="bounds.floor_time",
    by_hand="from t1 on v falls (step 2), so c epsilon >= (1-delta) B, once it holds there, "
    "holds for ever",
)  # fmt: skip
F10 = Claim(
    "F10",
    "When the opposing curvature crosses 2/eta",
    "On the way up (t > t1) alpha c^2 takes the value 2/eta iff alpha c(t1)^2 < 2/eta < alpha "
    "c_inf^2, and then exactly once.",
    r"\exists!\,t>t_1:\alpha c(t)^2=\tfrac2\eta\iff\alpha c(t_1)^2<\tfrac2\eta<\alpha c_\infty^2",
    Verdict.PROVED,
    hypotheses=(*DIP_WORDS, "eta > 0"),
    steps=(
        by_lemma(
            "intermediate value",
            "On [t1, infinity) alpha c^2 strictly increases (F4) from alpha c(t1)^2 to alpha "
            "c_inf^2 (F5), which it does not attain.",
            increasing=(
                identity(
                    sp.Derivative(alpha * c**2, c) * VELOCITY[0],
                    2 * alpha * c * along(c),
                    reads=r"(\alpha c^2)^{\boldsymbol\cdot}=2\alpha c\dot c",
                ),
                implies([c > 0, alpha > 0, w > 0], 2 * alpha * c * w > 0),
            ),
            ends=implies(
                [c > 0, c1 > c, eta > 0, sp.Eq(alpha * c**2, 2 / eta)],
                2 / eta < alpha * c1**2,
            ),
        ),
    ),
    rests_on=("F4", "F5"),
    function="bounds.crosses_edge",
)
CLAIMS = (F8, F9, F10)
