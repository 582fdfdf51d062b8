"""F14: deeper linear networks, f = c_1 ... c_m (b.x + b_o.x_o), balanced: still one dip."""

from __future__ import annotations

import sympy as sp

from proofs_check.claims.field import B, alpha, epsilon, n, o
from proofs_check.ledger import Claim, Verdict, by_lemma, step
from proofs_check.smt import implies
from proofs_check.symbolic import at, identity

c, m = sp.symbols("c m", positive=True)
first, other, prod = sp.symbols("c_1 c_2 p", positive=True)
MASS = n**2 + alpha * o**2
LACK = B - c**m * epsilon
DRIVE = epsilon * LACK - c**m * MASS  # c' = c^(m-1) DRIVE
VELOCITY = (c ** (m - 1) * DRIVE, c**m * LACK, -(c ** (2 * m)) * n, -alpha * c ** (2 * m) * o)
STATE = (c, epsilon, n, o)


def along(quantity: sp.Expr) -> sp.Expr:
    """Derivative along the flow of depth m + 1."""
    return sum((sp.diff(quantity, x) * f for x, f in zip(STATE, VELOCITY, strict=True)), sp.S.Zero)


LOSS = ((prod * epsilon - B) ** 2 + prod**2 * MASS) / 2  # prod = c_1 ... c_m
SLOPE = -sp.Derivative(LOSS, prod)
C, v, M, K, N, P, q, x = sp.symbols("C v M K N P q x", real=True)  # C = c^m, M = n^2 + alpha o^2
BEND = c**m * LACK**2 - c ** (2 * m) * epsilon * LACK + 2 * c ** (3 * m) * (n**2 + alpha**2 * o**2)
F14 = Claim(
    "F14",
    "Depth L: the reduction of balanced deep linear networks",
    "For f = c_1 ... c_m (b.x + b_o.x_o), m = L - 1 >= 1, Sigma = I, Sigma_o = alpha P: c_i^2 "
    "- c_j^2 is conserved; from c_1 = ... = c_m = c > 0 the flow is c' = c^(m-1) (epsilon v - "
    "c^m (n^2 + alpha o^2)), epsilon' = c^m v, n' = -c^(2m) n, o' = -alpha c^(2m) o, v = B - "
    "c^m epsilon, and c^2 - epsilon^2 - n^2 - o^2 is conserved. The opposing curvature is "
    "alpha c^(2m); at m = 1 this is M5.",
    r"\dot c=c^{m-1}(\epsilon v-c^m(n^2+\alpha o^2)),\ \dot\epsilon=c^mv,\ \dot n=-c^{2m}n,\ "
    r"\dot o=-\alpha c^{2m}o,\quad v=B-c^m\epsilon",
    Verdict.PROVED,
    source="ours, beside M5",
    hypotheses=("those of M5", "c_1 = ... = c_m > 0 (balanced)"),
    steps=(
        step(
            "c_i c_i' = -p dL/dp for every i, p = c_1 ... c_m: equal layers stay equal.",
            identity(
                -first * sp.Derivative(LOSS.subs(prod, first * other), first),
                at(prod * SLOPE, {prod: first * other}),
                reads=r"c_1\dot c_1=-p\,\partial_pL",
            ),
        ),
        step(
            "With p = c^m the velocities; the derivatives in epsilon, n, o are those of L at p.",
            identity(at(SLOPE, {prod: c**m}) * c ** (m - 1), VELOCITY[0]),
            identity(at(-sp.Derivative(LOSS, epsilon), {prod: c**m}), VELOCITY[1]),
            identity(at(-sp.Derivative(LOSS, n), {prod: c**m}), VELOCITY[2]),
            identity(at(-sp.Derivative(LOSS, o), {prod: c**m}), VELOCITY[3]),
        ),
        by_lemma(
            "constant of motion",
            "c c' = epsilon epsilon' + n n' + o o'.",
            derivative=identity(along(c**2 - epsilon**2 - n**2 - o**2)),
        ),
    ),
    rests_on=("M5",),
    function="deep.deep_velocity",
    by_hand="b stays in the plane of beta and b(0), as in M5, the factor c being c^m; by lemma "
    "uniqueness the curve with equal layers is the solution",
)
F14B = Claim(
    "F14b",
    "Depth L: still at most one dip",
    "In F14 from c0 > 0, epsilon0 >= 0, c0^m epsilon0 < B these persist, and for alpha >= 1/2 "
    "c has at most one critical point, a strict minimum where n, o are not both 0 or v > 0: "
    "the opposing curvature alpha c^(2m) dips at most once, at every depth.",
    r"\dot c=0\Rightarrow\dot u=c^mv^2+c^{3m}(n^2+\alpha(2\alpha-1)o^2)>0,\quad "
    r"\dot c=c^{m-1}u",
    Verdict.PROVED,
    source="ours, beside F4",
    hypotheses=("those of F14", "c0 > 0", "epsilon0 >= 0", "c0^m epsilon0 < B", "alpha >= 1/2"),
    steps=(
        by_lemma(
            "integrating factor",
            "c' >= -c^(2m-2) (epsilon^2 + n^2 + alpha o^2) c while epsilon >= 0, and epsilon' > 0 "
            "while v > 0; v' >= -(m c^(2m-2) epsilon^2 + c^(2m)) v.",
            inequality=(
                identity(
                    VELOCITY[0] + c ** (2 * m - 1) * (epsilon**2 + MASS), c ** (m - 1) * epsilon * B
                ),
                identity(
                    along(LACK) + (m * c ** (2 * m - 2) * epsilon**2 + c ** (2 * m)) * LACK,
                    m * c ** (3 * m - 2) * epsilon * MASS,
                ),
                implies([q > 0, epsilon >= 0, B > 0], q * epsilon * B >= 0),
                implies([q > 0, x >= 1, epsilon >= 0, N >= 0, P >= 0, alpha >= 0],
                        x * q * epsilon * (N + alpha * P) >= 0),
            ),
        ),
        step(
            "u = epsilon v - c^m (n^2 + alpha o^2) has, where u = 0, the derivative c^m v^2 - "
            "c^(2m) epsilon v + 2 c^(3m) (n^2 + alpha^2 o^2).",
            identity(
                along(DRIVE),
                BEND - m * c ** (2 * m - 2) * (epsilon**2 + MASS) * DRIVE,
            ),
        ),
        by_lemma(
            "strict minima",
            "There epsilon v = c^m (n^2 + alpha o^2): u' = c^m v^2 + c^(3m) (n^2 + alpha (2 "
            "alpha - 1) o^2) > 0, as v > 0.",
            smooth=identity(sp.Derivative(c**m, c), m * c ** (m - 1)),
            positive=(
                implies(
                    [sp.Eq(epsilon * v, C * (N + alpha * P))],
                    sp.Eq(C * v**2 - C**2 * epsilon * v + 2 * C**3 * (N + alpha**2 * P),
                          C * v**2 + C**3 * (N + alpha * (2 * alpha - 1) * P)),
                ),
                implies([C > 0, v > 0, N >= 0, P >= 0, 2 * alpha >= 1],
                        C * v**2 + C**3 * (N + alpha * (2 * alpha - 1) * P) > 0),
            ),
        ),
    ),
    rests_on=("F14",),
    function="deep.deep_velocity",
    by_hand="up to the first time at which c > 0, epsilon >= 0 or v > 0 fails the inequalities "
    "hold, so none fails; c' = c^(m-1) u has u's sign, and c'' that of u' where u = 0; "
    "c^m is smooth for c > 0",
)  # fmt: skip
CLAIMS = (F14, F14B)
