"""F12: the other half of the starts, epsilon0 < 0: which side wins, and what F1-F5 become."""

from __future__ import annotations

import sympy as sp

from proofs_check.claims.field import (
    KAPPA,
    LOSS,
    STATE,
    VELOCITY,
    B,
    M,
    alpha,
    c,
    epsilon,
    n,
    o,
    tau,
)
from proofs_check.claims.flow import SMOOTH, c0, e0, single_dip
from proofs_check.ledger import Claim, Verdict, by_lemma, step
from proofs_check.smt import implies
from proofs_check.symbolic import at, identity

QUADRANT = [c > 0, epsilon < 0, B > 0, alpha > 0]
WORDS = ("c0 > 0 (else flip the sign of the state, M10)", "epsilon0 < 0", "B > 0")
GRADIENT = sp.Matrix([sp.diff(LOSS, x) for x in STATE])
HESSIAN = sp.hessian(LOSS, STATE)
SADDLE = {c: 0, epsilon: 0}
a, m, q, e, low = sp.symbols("a m q E f", real=True)
F12 = Claim(
    "F12",
    "Starts with epsilon0 < 0: one of two sides wins",
    "For c0 > 0, epsilon0 < 0, c strictly falls and epsilon strictly rises until exactly one of: "
    "(+) epsilon reaches 0 while c > 0, and F1-F5 hold from there; (-) c reaches 0 while epsilon "
    "< 0, and F1-F5 hold from there for -s; (0) c and epsilon tend to 0 for ever, only for starts "
    "in a set of measure zero, with kappa <= 0. On the side (+) alpha c^2 still has exactly one "
    "dip. On the side (-) alpha c^2 falls to 0, then rises ever after. On both it tends to alpha "
    "c_inf^2 and the sharpness to F5's limit; the end is (c_inf, B/c_inf) or its negative.",
    r"(c,\epsilon)\to\pm(c_\infty,B/c_\infty)\ \text{for almost every start; one dip of }\alpha "
    r"c^2",
    Verdict.PROVED,
    hypotheses=(*WORDS, "alpha > 0", "one dip: alpha > 1/2"),
    steps=(
        by_lemma(
            "monotone",
            "In the quadrant c > 0, epsilon < 0: c' < 0 and epsilon' > 0.",
            sign=(implies(QUADRANT, VELOCITY[0] < 0), implies(QUADRANT, VELOCITY[1] > 0)),
        ),
        by_lemma(
            "monotone limit",
            "If the flow never leaves the quadrant, c in (0, c0) and epsilon in (epsilon0, 0) "
            "converge, and epsilon' = c (B - c epsilon) and then c' = epsilon B - c Q tend to 0: "
            "both limits are 0, and n^2 + o^2 tends to -kappa.",
            monotone=(implies(QUADRANT, VELOCITY[0] < 0), implies(QUADRANT, VELOCITY[1] > 0)),
            bounded=implies(
                [*QUADRANT, c <= c0, epsilon >= e0],
                c**2 + epsilon**2 <= c0**2 + e0**2,
            ),
        ),
        step(
            "There epsilon' = 0 leaves only c = 0, and then c' = 0 only epsilon = 0; so kappa = "
            "-(n^2 + o^2).",
            implies([c >= 0, epsilon <= 0, B > 0, sp.Eq(VELOCITY[1], 0)], sp.Eq(c, 0)),
            implies([sp.Eq(c, 0), B > 0, sp.Eq(VELOCITY[0], 0)], sp.Eq(epsilon, 0)),
            identity(at(KAPPA, SADDLE), -(n**2) - o**2, reads=r"\kappa(0,0,n,o)=-n^2-o^2"),
        ),
        by_lemma(
            "uniqueness",
            "c and epsilon do not reach 0 together in finite time: c = epsilon = 0 is an "
            "equilibrium.",
            smooth=SMOOTH,
            satisfies=identity(at(sp.Matrix(VELOCITY), SADDLE), reads=r"f(0,0,n,o)=0"),
        ),
        by_lemma(
            "strict saddles",
            "Every such equilibrium has a Hessian with a negative eigenvalue (its (c, epsilon) "
            "block has determinant -B^2): case (0) has measure zero.",
            gradient=(SMOOTH, identity(GRADIENT, -sp.Matrix(VELOCITY), reads=r"\nabla L=-f")),
            saddle=(
                identity(
                    at(HESSIAN[:2, :2], SADDLE),
                    sp.Matrix([[M, -B], [-B, 0]]),
                    reads=r"\nabla^2L|_{(c,\epsilon)}=\begin{pmatrix}m&-B\\-B&0\end{pmatrix}\text{"
                    r" at }c=\epsilon=0",
                ),
                identity(at(HESSIAN[:2, :2].det(), SADDLE), -(B**2), reads=r"\det=-B^2"),
                implies([B > 0], -(B**2) < 0),
            ),
        ),
        step(
            "(+): at epsilon = 0 the standing hypotheses hold, and c is falling or at rest. (-): "
            "at c = 0 -s has epsilon > 0 and c' > 0, so they hold at once, c epsilon being near 0.",
            implies([B > 0, sp.Eq(epsilon, 0)], c * epsilon < B),
            implies([c > 0, sp.Eq(epsilon, 0), alpha > 0], VELOCITY[0] <= 0),
            implies([sp.Eq(c, 0), epsilon > 0, B > 0], (VELOCITY[0] > 0) & (c * epsilon < B)),
        ),
        *single_dip(),
    ),
    rests_on=("F1e", "F1", "F2", "F3", "F4", "F5", "M6", "M10"),
    function="bounds.winning_side",
    by_hand="the flow leaves the quadrant through epsilon = 0, through c = 0 (not both at once, "
    "step 4) or never; from there F1-F5 apply to s, or to -s (M10)",
)
RISE = B / c0 - (B / c0 - e0) * sp.exp(-tau)
KEPT = sp.log((B - c0 * e0) / B)
# g = B epsilon + a c with a = rho + kappa/2 > 0, that is a^2 - kappa a - B^2 = 0.
SIDE = B * epsilon + a * c
SIDE_RATE = a - KAPPA / 2 - (c**2 + epsilon**2 + n**2 + o**2) / 2
SIDE_LEFT = B * VELOCITY[1] + a * VELOCITY[0] - SIDE_RATE * SIDE + a * c * (alpha - 1) * o**2
F12B = Claim(
    "F12b",
    "Which side wins: two explicit conditions",
    "With q = B/(B + c0 |epsilon0|) and rho = sqrt(B^2 + kappa^2/4): (+) wins if kappa + n0^2 q^2 "
    "+ o0^2 q^(2 alpha) > 0, in particular if kappa >= 0 and n0, o0 are not both 0; (-) wins if "
    "c0 (rho + kappa/2) < B |epsilon0| and alpha >= 1. With > instead of <, and alpha <= 1, (+) "
    "wins: at alpha = 1 the second decides.",
    r"\kappa+n_0^2q^2+o_0^2q^{2\alpha}>0\Rightarrow(+),\quad "
    r"c_0\left(\rho+\tfrac\kappa2\right)<B|\epsilon_0|\Rightarrow(-)",
    Verdict.PROVED,
    hypotheses=(*WORDS, "alpha > 0", "(-): alpha >= 1"),
    steps=(
        by_lemma(
            "comparison",
            "While c > 0, epsilon < 0: c <= c0, so d epsilon/dtau >= B/c0 - epsilon and epsilon "
            "reaches 0 by e^-tau = q, unless c does first.",
            inequality=implies([c > 0, c <= c0, B > 0], B / c - epsilon >= B / c0 - epsilon),
            solution=(
                identity(sp.Derivative(RISE, tau), B / c0 - RISE),
                identity(sp.Subs(RISE, tau, 0), e0),
                identity(sp.Subs(RISE, tau, KEPT)),
                identity(at(sp.exp(-tau), {tau: KEPT}), B / (B - c0 * e0)),
            ),
        ),
        step(
            "Until then c^2 = kappa + epsilon^2 + n^2 + o^2 >= kappa + n0^2 q^2 + o0^2 q^(2 "
            "alpha) =: f > 0: neither c = 0 nor case (0). For kappa >= 0, f > 0 as q > 0.",
            implies([low > 0, sp.Eq(c**2, e + low + m), e >= 0, m >= 0], c**2 > 0),
            implies([B > 0, c0 > 0, e0 < 0, sp.Eq(q * (B - c0 * e0), B)], (q > 0) & (q < 1)),
        ),
        by_lemma(
            "variation of constants",
            "g = B epsilon + a c, a = rho + kappa/2, has g' = (rho - |s|^2/2) g - a c (alpha - 1) "
            "o^2: once negative it stays so while c > 0. At epsilon = 0 < c it would be positive, "
            "so (+) is out; in case (0) the factor tends to rho + kappa/2 > 0, so |g| could not "
            "tend to 0: (-).",
            equation=(
                identity(
                    at(SIDE_LEFT, {B: sp.sqrt(a**2 - KAPPA * a)}),
                    reads=r"\dot g=(\rho-\tfrac12|s|^2)g-ac(\alpha-1)o^2\ \text{ mod }a^2-\kappa a"
                    r"-B^2",
                ),
                identity(
                    at(SIDE_RATE, SADDLE | {n: 0, o: 0}),
                    a,
                    reads=r"\rho-\tfrac12|s|^2=a\text{ at }c=\epsilon=0",
                ),
                implies([a > 0, c > 0, sp.Eq(epsilon, 0)], SIDE > 0),
            ),
            sign=implies([a > 0, c > 0, alpha >= 1], -a * c * (alpha - 1) * o**2 <= 0),
        ),
        by_lemma(
            "variation of constants",
            "For alpha <= 1 the last term is >= 0 and h = -g keeps its sign when negative, with "
            "|h| rising where the factor is > 0: g > 0 excludes (-), where g = B epsilon < 0, and "
            "(0).",
            equation=(
                identity(
                    at(-(B * VELOCITY[1] + a * VELOCITY[0]), {B: sp.sqrt(a**2 - KAPPA * a)}),
                    at(
                        -SIDE_RATE * SIDE + a * c * (alpha - 1) * o**2,
                        {B: sp.sqrt(a**2 - KAPPA * a)},
                    ),
                    reads=r"\dot h=(\rho-\tfrac12|s|^2)h+ac(\alpha-1)o^2,\ h=-g",
                ),
                implies([sp.Eq(c, 0), epsilon < 0, B > 0], SIDE < 0),
            ),
            sign=implies([a > 0, c > 0, alpha <= 1], a * c * (alpha - 1) * o**2 <= 0),
        ),
    ),
    rests_on=("F12", "M6", "M7"),
    function="bounds.winning_side",
    by_hand="(+): c^2 >= f > 0 until the first of epsilon, c reaches 0, so epsilon does; (-): g "
    "< 0 lasts while c > 0, so the first to reach 0 is not epsilon, where g = a c > 0",
)
CLAIMS = (F12, F12B)
