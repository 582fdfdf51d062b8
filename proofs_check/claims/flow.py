"""F1-F5: gradient flow from the standing start: signs, monotonicity, the single dip, the limit."""

from __future__ import annotations

import sympy as sp

from proofs_check.claims.field import (
    KAPPA,
    STANDING,
    STANDING_WORDS,
    STATE,
    VELOCITY,
    B,
    M,
    Q,
    V,
    along,
    alpha,
    c,
    epsilon,
    n,
    o,
)
from proofs_check.claims.hessian import CUBIC, bb, rho, x
from proofs_check.ledger import Claim, Step, Verdict, by_lemma, step
from proofs_check.smt import implies
from proofs_check.symbolic import identity, polynomial

SIZE = c**2 + epsilon**2 + n**2 + o**2
SMOOTH = polynomial(VELOCITY, *STATE)
F1 = Claim(
    "F1",
    "c and epsilon keep their signs",
    "The flow exists for all time, and c > 0, epsilon >= 0 throughout.",
    r"c>0,\ \epsilon\ge0\quad\forall t\ge0",
    Verdict.PROVED,
    hypotheses=("c0 > 0", "epsilon0 >= 0", "B >= 0", "alpha >= 0"),
    steps=(
        by_lemma(
            "continuation",
            "|s|^2 grows at most like e^(2Bt).",
            smooth=SMOOTH,
            bounded=implies([B >= 0, alpha >= 0], along(SIZE) <= 2 * B * SIZE),
        ),
        by_lemma(
            "Metzler",
            "(c, epsilon)' = [[-Q, B],[B, -c^2]] (c, epsilon), Q = epsilon^2 + n^2 + alpha o^2.",
            form=(
                identity(VELOCITY[0], -Q * c + B * epsilon),
                identity(VELOCITY[1], B * c - c**2 * epsilon),
            ),
            sign=(
                implies([B >= 0, epsilon >= 0], VELOCITY[0] + Q * c >= 0),
                implies([B >= 0, c >= 0], VELOCITY[1] + c**2 * epsilon >= 0),
            ),
        ),
    ),
    rests_on=("M5",),
)
F2 = Claim(
    "F2",
    "The signal is never overshot",
    "c epsilon < B for all time.",
    r"c\epsilon<B\quad\forall t\ge0",
    Verdict.PROVED,
    hypotheses=STANDING_WORDS,
    steps=(
        step(
            "v = B - c epsilon has v' = -(c^2 + epsilon^2) v + c epsilon (n^2 + alpha o^2).",
            identity(along(V), -(c**2 + epsilon**2) * V + c * epsilon * M),
        ),
        by_lemma(
            "integrating factor",
            "The last term is >= 0 by F1, so v stays positive.",
            inequality=implies(
                [c > 0, epsilon >= 0, alpha >= 1], along(V) >= -(c**2 + epsilon**2) * V
            ),
        ),
    ),
    rests_on=("F1",),
)
F3 = Claim(
    "F3",
    "What grows and what falls",
    "epsilon strictly increases; n and |o| strictly decrease (or are 0 for ever).",
    r"\dot\epsilon>0,\quad \dot n<0\ (n>0),\quad (o^2)^{\boldsymbol\cdot}<0\ (o\ne0)",
    Verdict.PROVED,
    hypotheses=STANDING_WORDS,
    steps=(
        by_lemma(
            "monotone",
            "Signs of the derivatives, with F1 and F2.",
            sign=(
                implies(STANDING, VELOCITY[1] > 0),
                implies([c > 0, n > 0], VELOCITY[2] < 0),
                implies([c > 0, sp.Ne(o, 0), alpha >= 1], along(o**2) < 0),
            ),
        ),
        by_lemma(
            "uniqueness",
            "n = 0 and o = 0 persist.",
            smooth=SMOOTH,
            satisfies=(
                identity(VELOCITY[2].subs(n, 0), reads=r"\dot n|_{n=0}=0,\ \dot o|_{o=0}=0"),
                identity(VELOCITY[3].subs(o, 0), reads=r"\dot n|_{n=0}=0,\ \dot o|_{o=0}=0"),
            ),
        ),
    ),
    rests_on=("F1", "F2"),
)
# Abstract symbols keep the solver's queries small: v = B - c epsilon, m = n^2 + alpha o^2,
# k = n^2 + alpha^2 o^2.
v, m, k = sp.symbols("v m k", real=True)
K2 = n**2 + alpha**2 * o**2
SMALL = [c > 0, epsilon >= 0, v > 0, m >= 0, k >= m]
BEND = c * v**2 - c**2 * epsilon * v + 2 * c**3 * k
LOG_RATE = (
    c * v / epsilon
    - (c**2 + epsilon**2)
    + c * epsilon * m / v
    - (epsilon * v / c - m)
    + 2 * c**2 * k / m
)
PULL = sp.log(epsilon) + sp.log(V) - sp.log(c) - sp.log(M)
c0, n0, o0, e0, kap, qm, c1 = sp.symbols("c0 n0 o0 e0 kappa Qm c1", real=True)
WIDEST = c0**2 - kap + n0**2 + alpha * o0**2
# c cannot fall below e0 B / Qm: there c' > 0.
FLOOR = implies(
    [c > 0, B > 0, e0 > 0, epsilon >= e0, m >= 0, qm > 0, epsilon**2 + m <= qm,
     epsilon * B - c * (epsilon**2 + m) < 0],
    c * qm > e0 * B,
)  # fmt: skip
QMAX = implies(
    [alpha >= 1, c**2 <= c0**2, n**2 <= n0**2, o**2 <= o0**2, sp.Eq(KAPPA, kap)], Q <= WIDEST
)
N_AT_LEAST_M = implies([alpha >= 1], K2 >= M)


def single_dip() -> tuple[Step, ...]:
    """The steps that show that c has at most one critical point, a strict minimum."""
    return (
        step(
            "c'' = c v^2 - c^2 epsilon v + 2 c^3 (n^2 + alpha^2 o^2) - c' (epsilon^2 + n^2 + "
            "alpha o^2).",
            identity(along(VELOCITY[0]), BEND.subs({v: V, k: K2}) - VELOCITY[0] * Q),
            identity(VELOCITY[0], epsilon * V - c * M),
        ),
        by_lemma(
            "strict minima",
            "Where c' = 0, that is epsilon v = c m, c'' >= c v (v + c epsilon) = c B v > 0: alpha "
            ">= 1 enters as n^2 + alpha^2 o^2 >= n^2 + alpha o^2.",
            smooth=SMOOTH,
            positive=(
                N_AT_LEAST_M,
                implies([*SMALL, sp.Eq(epsilon * v, c * m)], c * v * (v + c * epsilon) <= BEND),
                implies(SMALL, c * v * (v + c * epsilon) > 0),
            ),
        ),
    )


F4 = Claim(
    "F4",
    "The opposing curvature has one dip",
    "c has at most one critical point, a strict minimum: alpha c^2 falls until a unique finite t1 "
    "(0 if it never falls) and rises ever after.",
    r"\exists!\,t_1\in[0,\infty):\ (\alpha c^2)^{\boldsymbol\cdot}<0\ (t<t_1),\ >0\ (t>t_1)",
    Verdict.PROVED,
    hypotheses=STANDING_WORDS,
    steps=(
        *single_dip(),
        step(
            "If n = o = 0 (for ever, F3), c' = epsilon v >= 0: no fall.",
            identity(VELOCITY[0].subs({n: 0, o: 0}), epsilon * V),
            implies([*STANDING, sp.Eq(n, 0), sp.Eq(o, 0)], VELOCITY[0] >= 0),
        ),
        step(
            "Else r = epsilon v / (c m) (positive for t > 0, F3) is < 1 exactly where c' < 0, and "
            "its logarithmic derivative is the expression bounded next.",
            identity(along(PULL), LOG_RATE.subs({v: V, m: M, k: K2})),
            implies([c > 0, m > 0, epsilon * v - c * m < 0], epsilon * v / (c * m) < 1),
        ),
        by_lemma(
            "growth",
            "While c falls, (log r)' >= c^2, and c stays above e0 B / Qm, e0 = epsilon at any "
            "early t > 0, Qm a bound of epsilon^2 + n^2 + alpha o^2. So r reaches 1: t1 is finite.",
            rate=(
                N_AT_LEAST_M,
                implies(
                    [c > 0, epsilon > 0, v > 0, m > 0, k >= m, epsilon * v < c * m],
                    c**2 <= LOG_RATE,
                ),
            ),
            positive=(QMAX, FLOOR, identity(VELOCITY[0], epsilon * B - c * Q)),
        ),
    ),
    rests_on=("F1", "F2", "F3"),
    function="flow.gradient_flow",
)
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
            "Gronwall",
            "From t1 on c >= c1 := c(t1) > 0 (F4), so n^2 and o^2 fall like e^(-2 c1^2 t): to 0.",
            inequality=(
                implies([c1 > 0, c >= c1], along(n**2) <= -2 * c1**2 * n**2),
                implies([c1 > 0, c >= c1, alpha >= 1], along(o**2) <= -2 * c1**2 * o**2),
            ),
        ),
        by_lemma(
            "monotone limit",
            "epsilon and (from t1 on) c are monotone and bounded, so they converge, and so does "
            "epsilon' = c v, which must tend to 0.",
            monotone=implies(STANDING, VELOCITY[1] > 0),
            bounded=(
                implies([c1 > 0, c >= c1, epsilon >= 0, c * epsilon < B], c1 * epsilon < B),
                implies(
                    [c1 > 0, epsilon >= 0, c1 * epsilon < B, sp.Eq(KAPPA, kap)],
                    c1**2 * c**2 <= c1**2 * (kap + n**2 + o**2) + B**2,
                ),
            ),
        ),
        step(
            "c_inf >= c1 > 0, so v_inf = 0: c_inf epsilon_inf = B. With M6, X = c_inf^2 solves "
            "X^2 - kappa X - B^2 = 0, whose one positive root is the stated one.",
            implies([c >= c1, c1 > 0, sp.Eq(c * v, 0)], sp.Eq(v, 0)),
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
                    (2 * c * epsilon - B).subs(B, c * epsilon),
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
    rests_on=("F1", "F2", "F3", "F4", "M6", "H1"),
    function="bounds.limit",
)
CLAIMS = (F1, F2, F3, F4, F5)
