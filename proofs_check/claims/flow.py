"""F1-F4: gradient flow from the standing start: signs, monotonicity, the single dip."""

from __future__ import annotations

import sympy as sp

from proofs_check.claims.field import (
    DIP_WORDS,
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
from proofs_check.ledger import Claim, Step, Verdict, by_lemma, step
from proofs_check.smt import implies
from proofs_check.symbolic import at, identity, polynomial

SIZE = c**2 + epsilon**2 + n**2 + o**2
SMOOTH = polynomial(VELOCITY, *STATE)
F1E = Claim(
    "F1e",
    "The flow exists for all time",
    "From every state, of any signs, the flow exists for all t >= 0, and |s(t)|^2 <= |s(0)|^2 "
    "e^(2Bt).",
    r"|s(t)|^2\le|s(0)|^2e^{2Bt}\quad\forall t\ge0",
    Verdict.PROVED,
    hypotheses=("B >= 0", "alpha >= 0"),
    steps=(
        by_lemma(
            "Gronwall",
            "(|s|^2)' <= 2B |s|^2.",
            inequality=implies([B >= 0, alpha >= 0], along(SIZE) <= 2 * B * SIZE),
        ),
        by_lemma(
            "continuation",
            "So |s| is bounded on every bounded time interval.",
            smooth=SMOOTH,
            bounded=implies([B >= 0, alpha >= 0], along(SIZE) <= 2 * B * SIZE),
        ),
    ),
    rests_on=("M5",),
    function="flow.gradient_flow",
)
F1 = Claim(
    "F1",
    "c and epsilon keep their signs",
    "c > 0 and epsilon >= 0 for all time; epsilon > 0 for t > 0 where B > 0.",
    r"c>0,\ \epsilon\ge0\quad\forall t\ge0",
    Verdict.PROVED,
    hypotheses=("c0 > 0", "epsilon0 >= 0", "B >= 0", "alpha >= 0"),
    steps=(
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
    rests_on=("F1e",),
    by_hand="epsilon > 0 at once where B > 0, and from then on, by the last two sentences of "
    "lemma Metzler",
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
                [c > 0, epsilon >= 0, alpha >= 0], along(V) >= -(c**2 + epsilon**2) * V
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
                implies([c > 0, sp.Ne(o, 0), alpha > 0], along(o**2) < 0),
            ),
        ),
        by_lemma(
            "uniqueness",
            "n = 0 and o = 0 persist.",
            smooth=SMOOTH,
            satisfies=(
                identity(at(VELOCITY[2], {n: 0}), reads=r"\dot n|_{n=0}=0"),
                identity(at(VELOCITY[3], {o: 0}), reads=r"\dot o|_{o=0}=0"),
            ),
        ),
    ),
    rests_on=("F1", "F2"),
)
# Abstract symbols keep the solver's queries small: v = B - c epsilon, N = n^2, P = o^2.
v, N, P, m, k = sp.symbols("v N P m k", real=True)
PULLS = N + alpha * P  # m
BENDS = N + alpha**2 * P  # k
SMALL = [c > 0, epsilon >= 0, v > 0, N >= 0, P >= 0, 2 * alpha > 1]
BEND = c * v**2 - c**2 * epsilon * v + 2 * c**3 * BENDS
BEND_AT_DIP = c * v**2 + c**3 * (N + alpha * (2 * alpha - 1) * P)
SQUARES = {v: V, N: n**2, P: o**2}
LOG_RATE = (
    c * v / epsilon
    - (c**2 + epsilon**2)
    + c * epsilon * m / v
    - (epsilon * v / c - m)
    + 2 * c**2 * k / m
)
PULL = sp.log(epsilon) + sp.log(V) - sp.log(c) - sp.log(M)
c0, n0, o0, e0, kap, qm, c1, rate = sp.symbols("c0 n0 o0 e0 kappa Qm c1 p", real=True)
bent, pulled, driven, fed = sp.symbols("p_1 p_2 p_3 p_4", real=True)
WIDEST = c0**2 - kap + n0**2 + alpha * o0**2
# c cannot fall below e0 B / Qm: there c' > 0.
FLOOR = implies(
    [c > 0, B > 0, e0 > 0, epsilon >= e0, m >= 0, qm > 0, epsilon**2 + m <= qm,
     epsilon * B - c * (epsilon**2 + m) < 0],
    c * qm > e0 * B,
)  # fmt: skip
QMAX = implies(
    [alpha >= 0, c**2 <= c0**2, n**2 <= n0**2, o**2 <= o0**2, sp.Eq(KAPPA, kap)],
    WIDEST + o0**2 >= Q,
)


def single_dip() -> tuple[Step, ...]:
    """The steps that show that c has at most one critical point, a strict minimum (alpha > 1/2)."""
    return (
        step(
            "c'' = c v^2 - c^2 epsilon v + 2 c^3 (n^2 + alpha^2 o^2) - c' (epsilon^2 + n^2 + "
            "alpha o^2).",
            identity(along(VELOCITY[0]), BEND.subs(SQUARES) - VELOCITY[0] * Q),
            identity(VELOCITY[0], epsilon * V - c * M),
        ),
        by_lemma(
            "strict minima",
            "Where c' = 0, that is epsilon v = c m, c'' = c v^2 + c^3 (n^2 + alpha (2 alpha - 1) "
            "o^2), which is > 0 for alpha > 1/2.",
            smooth=SMOOTH,
            positive=(
                implies([sp.Eq(epsilon * v, c * PULLS)], sp.Eq(BEND, BEND_AT_DIP)),
                implies(SMALL, BEND_AT_DIP > 0),
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
    hypotheses=DIP_WORDS,
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
            identity(along(PULL), LOG_RATE.subs({k: n**2 + alpha**2 * o**2, v: V, m: M})),
            implies([c > 0, m > 0, epsilon * v - c * m < 0], epsilon * v / (c * m) < 1),
        ),
        by_lemma(
            "growth",
            "While c falls, (log r)' >= p c^2 with p = min(1, 2 alpha - 1) > 0, and c stays above "
            "e0 B / Qm, e0 = epsilon at any early t > 0, Qm a bound of epsilon^2 + n^2 + alpha "
            "o^2. So r reaches 1: t1 is finite.",
            rate=(
                implies(
                    [alpha > 0, N >= 0, P >= 0, 2 * alpha > 1, rate <= 1, rate <= 2 * alpha - 1],
                    (1 + rate) * PULLS <= 2 * BENDS,
                ),
                # The last three terms of (log r)', one by one, then their sum.
                implies([m > 0, 2 * k >= (1 + rate) * m], (1 + rate) * c**2 <= 2 * c**2 * k / m),
                implies(
                    [c > 0, epsilon > 0, v > 0, epsilon * v < c * m],
                    epsilon**2 < c * epsilon * m / v,
                ),
                implies([c > 0, epsilon * v < c * m], epsilon * v / c < m),
                implies([c > 0, epsilon > 0, v > 0], c * v / epsilon > 0),
                implies(
                    [bent >= (1 + rate) * c**2, pulled > epsilon**2, driven < m, fed > 0],
                    rate * c**2 <= fed - (c**2 + epsilon**2) + pulled - (driven - m) + bent,
                ),
            ),
            positive=(QMAX, FLOOR, identity(VELOCITY[0], epsilon * B - c * Q)),
        ),
    ),
    rests_on=("F1", "F2", "F3", "M6"),
    function="flow.gradient_flow",
    by_hand="lemma growth's m is p (e0 B/Qm)^2, at most p c^2 while c falls; up to then c <= c0, "
    "and epsilon >= e0 (F3)",
)
LOW = {alpha: sp.Rational(1, 4), B: sp.Rational(5, 4), c: 1, epsilon: 1, n: 0, o: 1}
F4C = Claim(
    "F4c",
    "One dip for every alpha > 0",
    "F4's uniqueness without alpha > 1/2. False: at alpha = 1/4, B = 5/4 the state (1, 1, 0, 1) "
    "has c' = 0 and c'' = -1/16, a strict maximum of c. (At alpha = 1/2 there is at most one "
    "dip still; that t1 is finite there is open.)",
    r"\alpha>0\Rightarrow\exists!\,t_1",
    Verdict.REFUTED,
    source="ours, beside F4",
    hypotheses=STANDING_WORDS,
    steps=(
        step(
            "The state meets the standing hypotheses; its c' and c''.",
            identity(at(VELOCITY[0], LOW), reads=r"\dot c=0"),
            identity(at(along(VELOCITY[0]), LOW), -sp.Rational(1, 16), reads=r"\ddot c=-1/16"),
        ),
    ),
    witness=(
        "from fractions import Fraction as F; a, B, c, e, n, o = F(1, 4), F(5, 4), 1, 1, 0, 1; "
        "v = [e*B - c*(e*e + n*n) - a*c*o*o, c*(B - c*e), -c*c*n, -a*c*c*o]; "
        "bend = -v[0]*(e*e + n*n + a*o*o) + v[1]*(B - 2*c*e) - 2*c*n*v[2] - 2*a*c*o*v[3]; "
        "assert c > 0 <= e and c*e < B and v[0] == 0 and bend == F(-1, 16) < 0"
    ),
)
CLAIMS = (F1E, F1, F2, F3, F4, F4C)
