"""S1-S10 without S5: what the authors say about the model, formalised, each with a verdict."""

from __future__ import annotations

from typing import Any

import sympy as sp

from proofs_check.claims.descent import FACTOR, NEXT
from proofs_check.claims.field import (
    DIP_WORDS,
    STANDING_WORDS,
    VELOCITY,
    B,
    alpha,
    c,
    dot,
    epsilon,
    eta,
    gram,
    n,
    o,
    vector,
)
from proofs_check.claims.flow import c1, m, v
from proofs_check.claims.growth import w
from proofs_check.claims.model import GENERAL
from proofs_check.claims.network import G, gamma, loss_along, slope_at_zero
from proofs_check.enclosure import certified
from proofs_check.ledger import Claim, Verdict, by_lemma, step
from proofs_check.smt import implies
from proofs_check.symbolic import at, identity, polynomial

AUTHORS = "authors (review discussion)"


def _second_rise() -> tuple[bool | None, str]:
    """Sharpness along one flow, enclosed: down, up, down, up, and higher than the first peak."""
    from linmodel import OpposingSignals, State
    from linmodel.certified import certified_flow

    problem, start = OpposingSignals(2.76, 16.87, 4.0), State(0.1265, 4.0, 0.0094, 1.872)
    found = certified_flow(problem, start, [0.0, 0.01, 0.075, 0.122, 0.5]).sharpness.values
    (a, _), (_, b), (p, P), (_, d), (e, _) = found
    shown = ", ".join(f"{x[0]:.4f}" for x in found)
    good = b < a and b < p and d < p and d < e and e > P
    return (True if good else None), f"sharpness {shown} at t = 0, .01, .075, .122, .5 (Arb)"


S2 = Claim(
    "S2",
    "After an initial decrease the sharpness rises monotonically at least to 2/eta",
    "Along the flow lambda_max falls at first and then rises monotonically until it passes 2/eta. "
    "False for lambda_max: at alpha = 2.76, B = 16.87 from (0.1265, 4, 0.0094, 1.872) it falls, "
    "rises, falls and rises again to above its first peak, so with 2/eta = 38.8 it is not "
    "monotone before.",
    r"\lambda_{\max}\searrow\nearrow\tfrac2\eta",
    Verdict.REFUTED,
    source=AUTHORS,
    hypotheses=STANDING_WORDS,
    steps=(
        step(
            "Enclosures of lambda_max at five times.",
            certified(_second_rise, formula=r"\lambda_0>\lambda_1<\lambda_2>\lambda_3<\lambda_4"),
        ),
    ),
    witness=(
        "from linmodel import *; from linmodel.certified import certified_flow as f; "
        "L = f(OpposingSignals(2.76, 16.87, 4.0), State(.1265, 4.0, .0094, 1.872), "
        "[0, .01, .075, .122, .5]).sharpness.values; "
        "assert L[0][0] > L[1][1] and L[2][0] > L[1][1] and L[2][0] > L[3][1] and "
        "L[4][0] > 38.8 > L[2][1], L"
    ),
)
S2B = Claim(
    "S2b",
    "The opposing curvature falls once and then rises to any 2/eta below its limit",
    "alpha c^2 falls until t1 and then rises monotonically through every 2/eta between alpha "
    "c(t1)^2 and alpha c_inf^2, with no condition on B or k; at kappa = 0 the limit is alpha B.",
    r"\alpha c^2\searrow(t<t_1),\ \nearrow\alpha c_\infty^2\ (t>t_1)",
    Verdict.PROVED,
    source="ours, in place of S2",
    hypotheses=DIP_WORDS,
    steps=(
        by_lemma(
            "intermediate value",
            "F4 and F5.",
            increasing=implies([c > 0, alpha > 0, w > 0], 2 * alpha * c * w > 0),
            ends=implies([c > 0, c1 > c, alpha > 0], alpha * c**2 < alpha * c1**2),
        ),
    ),
    rests_on=("F4", "F5", "F10"),
    by_hand="t1 and the limit are those of F4 and F5",
)
S3 = Claim(
    "S3",
    "Past the threshold descent oscillates on the model too",
    "At every step with eta alpha c^2 > 2 (and o != 0) o changes sign and |o| grows, by the factor "
    "|1 - eta alpha c^2| > 1. The authors saw it in experiments and did not prove it.",
    r"\eta\alpha c^2>2\Rightarrow oo_+<0,\ |o_+|>|o|",
    Verdict.PROVED,
    source=AUTHORS,
    hypotheses=("eta > 0", "alpha >= 0", "o != 0"),
    steps=(
        step(
            "G1's factor.",
            implies(
                [sp.Ne(o, 0), eta * alpha * c**2 > 2],
                (o * (o * FACTOR) < 0) & ((o * FACTOR) ** 2 > o**2),
            ),
        ),
    ),
    rests_on=("G1",),
)
S4 = Claim(
    "S4",
    "The oscillation is in b_o",
    "At a minimum with alpha c^2 > 2/eta >= c^2 + epsilon^2 the unstable directions are exactly P "
    "b_o (G2). At a step with eta alpha c^2 <= 4 and alpha > 2, beyond the edge or not, n "
    "shrinks: its factor is below 1 in size; that of o is above 1 beyond the edge.",
    r"|1-\eta\alpha c^2|>1>|1-\eta c^2|",
    Verdict.PROVED,
    source=AUTHORS,
    hypotheses=("eta > 0", "alpha > 2", "c != 0"),
    steps=(
        step(
            "The factors of n and o.",
            implies(
                [eta > 0, alpha > 2, sp.Ne(c, 0), eta * alpha * c**2 <= 4],
                (1 - eta * c**2) ** 2 < 1,
            ),
            implies([eta * alpha * c**2 > 2], FACTOR**2 > 1),
            identity(NEXT[2], n * (1 - eta * c**2)),
        ),
    ),
    rests_on=("G1", "G2"),
    by_hand="the first sentence is G2's last",
)
S6 = Claim(
    "S6",
    "Sharpness is at most alpha B^2/epsilon^2",
    "lambda_max <= alpha B^2/epsilon^2 along the flow. False for lambda_max as it stands: in the "
    "limit for alpha < 2, and at the start for any alpha where o0 is large and c0 epsilon0 near "
    "B. True of the opposing curvature (F9).",
    r"\lambda_{\max}\le\alpha\|\beta\|^2/\epsilon^2",
    Verdict.REFUTED,
    source=AUTHORS,
    hypotheses=STANDING_WORDS,
    witness=(
        "from linmodel import *; "
        "assert sharpness(OpposingSignals(1.0, 1.0), State(1, 1, 0, 0)) > 1.0 and "
        "sharpness(OpposingSignals(50.0, 1.0), State(1, .9, 0, 1)) > 50 * 1.0 / .9**2"
    ),
)
S6B = Claim(
    "S6b",
    "The opposing curvature is alpha B^2/epsilon^2 from above and, to order, from below",
    "alpha c^2 <= alpha B^2/epsilon^2 always; >= (1-delta)^2 of it from F9's time on. In the limit "
    "lambda_max = alpha B^2/epsilon^2 exactly if alpha c_inf^2 >= c_inf^2 + epsilon_inf^2.",
    r"(1-\delta)^2\le\alpha c^2\Big/\frac{\alpha B^2}{\epsilon^2}\le1",
    Verdict.PROVED,
    source="ours, in place of S6",
    hypotheses=(*STANDING_WORDS, "the lower half: alpha > 1/2"),
    steps=(
        step(
            "In the limit c epsilon = B (F5).",
            implies(
                [c > 0, epsilon > 0, alpha > 0, sp.Eq(c * epsilon, B)],
                sp.Eq(alpha * c**2 * epsilon**2, alpha * B**2),
            ),
        ),
    ),
    rests_on=("F9", "F5"),
    function="bounds.curvature_floor",
    by_hand="the lower half is F9's",
)
S7 = Claim(
    "S7",
    "The minimum cannot be reached without passing the lower bound",
    "The flow converges to an equilibrium with c epsilon = B; for every delta in (0, 1) there is a "
    "finite time from which alpha c^2 >= (1-delta)^2 alpha B^2/epsilon^2 for ever.",
    r"\forall\delta\ \exists T\ \forall t\ge T:\ \alpha c^2\ge(1-\delta)^2\alpha B^2/\epsilon^2",
    Verdict.PROVED,
    source=AUTHORS,
    hypotheses=DIP_WORDS,
    steps=(
        step(
            "The end is an equilibrium: every velocity vanishes at n = o = 0, c epsilon = B.",
            identity(
                at(sp.Matrix(VELOCITY), {n: 0, o: 0, B: c * epsilon}), reads=r"f(c,B/c,0,0)=0"
            ),
        ),
    ),
    rests_on=("F5", "F9"),
    by_hand="convergence is F5's",
)
d1, k = sp.symbols("d1 k", positive=True)
rest = sp.Symbol("R", real=True)  # |w - P w|
s_ = sp.Symbol("s", real=True)
GRAMS: list[Any] = sorted(loss_along().free_symbols, key=str)
BEST = {
    s_: 0,
    gram("b", "b", "Sigma"): gram("beta", "beta", "Sigma") / c**2,
    gram("b", "beta", "Sigma"): gram("beta", "beta", "Sigma") / c,
}
S8 = Claim(
    "S8",
    "The roles of ||beta||, alpha and k",
    "||beta||^2 is the variance of the target that x explains, alpha the largest variance of x_o "
    "in a unit direction. The loss along every direction, so the full flow and every value of the "
    "Hessian's form, contains d1, d2 and the rank through the Gram numbers of the parameters only: "
    "k = d2/d1 enters the flow through the start (with b_o ~ N(0, I/d), E|b_o|^2 = k/(1+k), "
    "E|b|^2 = 1/(1+k)) and the Hessian's spectrum through its multiplicities (H1: 0 has d2 - r).",
    r"E(\beta^\top x)^2=\|\beta\|^2,\quad \lambda_{\max}(\Sigma_o)=\alpha,\quad E|b_o|^2=\tfrac "
    r"k{1+k}",
    Verdict.PROVED,
    source=AUTHORS,
    hypotheses=("those of M1", "Sigma = I", "Sigma_o = alpha P"),
    steps=(
        step(
            "At c = 0 the loss without g is |beta|^2/2, that of the target that x explains.",
            identity(
                at(loss_along(), {c: 0, gamma: 0, G: 0}),
                dot(vector(beta=1), vector(beta=1)) / 2,
                reads=r"L|_{c=0}-\tfrac12Eg^2=\tfrac12\beta^\top\beta",
            ),
        ),
        step(
            "w.Sigma_o.w = alpha |Pw|^2, and |Pw|^2 = |w|^2 - |w - Pw|^2 (P w.P w = w.P w): at "
            "most alpha |w|^2, with equality exactly on P's range.",
            implies(
                [alpha > 0, sp.Eq(m, v - rest**2)],
                (alpha * m <= alpha * v) & (sp.Eq(rest, 0) | (alpha * m < alpha * v)),
            ),
        ),
        step(
            "The loss along a direction, in any dimension, is a polynomial in Gram numbers.",
            polynomial([loss_along()], *GRAMS),
        ),
        step(
            "d2/d = k/(1+k), d1/d = 1/(1+k).",
            identity(k * d1 / (d1 + k * d1), k / (1 + k)),
            identity(d1 / (d1 + k * d1), 1 / (1 + k)),
        ),
    ),
    rests_on=("M1", "M5", "H1"),
    by_hand="the Gram numbers are all that the full flow and the Hessian's form see of d1, d2",
)
S9 = Claim(
    "S9",
    "The loss is least when x_o is not used at all",
    "Among linear predictors (c b, c b_o) the population loss is least where c b_o has no "
    "component in the range of Sigma_o, that is, makes no use of x_o.",
    r"\Sigma_o^{1/2}cb_o=0",
    Verdict.PROVED,
    source=AUTHORS,
    hypotheses=("those of M4",),
    steps=(
        step(
            "At cb = beta the loss is 1/2 E g^2 plus the term of the use that is made of x_o.",
            identity(
                at(GENERAL, BEST),
                G / 2 + c**2 * dot(vector(bo=1), vector(bo=1), "Sigma_o") / 2,
                reads=r"L|_{cb=\beta}=\tfrac12Eg^2+\tfrac12c^2b_o^\top\Sigma_ob_o",
            ),
        ),
    ),
    rests_on=("M4",),
    by_hand="c b_o's part in Sigma_o's range is the use that is made of x_o",
)
S10 = Claim(
    "S10",
    "Nothing depends on the particular distribution of x_o",
    "The population dynamics is the same for every symmetric x_o with the same Sigma_o (M2). (It "
    "does depend on Sigma_o, and finite samples depend on more.)",
    r"\Sigma_o=\Sigma_o'\Rightarrow\text{same flow}",
    Verdict.PROVED,
    source=AUTHORS,
    hypotheses=("x_o symmetric", "population loss"),
    steps=(
        step(
            "The full flow's velocity in every direction, from a loss with another E g^2 (all else "
            "of the law is in Sigma_o): the same.",
            identity(
                slope_at_zero(GENERAL),
                slope_at_zero(GENERAL.subs(G, 3 * G + 1)),
                reads=r"dL=dL'\text{ where }\Sigma_o=\Sigma_o'",
            ),
        ),
    ),
    rests_on=("M2",),
    by_hand="Sigma_o and E g^2 are all of x_o's law that M1 contains",
)
CLAIMS = (S2, S2B, S3, S4, S6, S6B, S7, S8, S9, S10)
