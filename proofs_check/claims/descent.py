"""G1-G3: gradient descent with step size eta: exactness, stability of minima, the largest step."""

from __future__ import annotations

from typing import Any

import sympy as sp

from proofs_check.claims.field import STATE, VELOCITY, B, alpha, c, epsilon, eta, n, o
from proofs_check.claims.hessian import CORE, CUBIC, bb, rho, x
from proofs_check.claims.reduction import FULL_BO, PLANE, REDUCED_C
from proofs_check.ledger import Claim, Verdict, by_lemma, step
from proofs_check.smt import implies
from proofs_check.symbolic import at, identity, times, total

NEXT = tuple(q + eta * f for q, f in zip(STATE, VELOCITY, strict=True))
FACTOR = 1 - eta * alpha * c**2
G1 = Claim(
    "G1",
    "Descent is exact in four numbers; when o flips and when it grows",
    "Gradient descent on the full network, any d1, d2, r, projects exactly onto c+ = c + eta c', "
    "epsilon+ = epsilon + eta epsilon', n+ = n (1 - eta c^2), o+ = o (1 - eta alpha c^2). For o "
    "!= 0, o changes sign iff eta alpha c^2 > 1 and grows in size iff eta alpha c^2 > 2.",
    r"o_+=o(1-\eta\alpha c^2);\quad oo_+<0\iff\eta\alpha c^2>1,\quad |o_+|>|o|\iff\eta\alpha c^2>2",
    Verdict.PROVED,
    hypotheses=("Sigma = I", "Sigma_o = alpha P", "eta > 0", "alpha >= 0"),
    steps=(
        by_lemma(
            "induction",
            "If b = epsilon h + n e and P b_o = o f before a step, then after it, with these four "
            "numbers.",
            step=(
                identity(c + eta * REDUCED_C, NEXT[0]),
                identity(epsilon + eta * PLANE[0], NEXT[1]),
                identity(n + eta * PLANE[1], n * (1 - eta * c**2)),
                identity(o + eta * FULL_BO * o, o * FACTOR),
            ),
        ),
        step(
            "Sign: o o+ < 0 iff the factor is negative.",
            implies([sp.Ne(o, 0), eta * alpha * c**2 > 1], o * (o * FACTOR) < 0),
            implies([sp.Ne(o, 0), o * (o * FACTOR) < 0], eta * alpha * c**2 > 1),
        ),
        step(
            "Size: |o+| > |o| iff the factor is below -1 (it is never above 1).",
            implies([sp.Ne(o, 0), eta * alpha * c**2 > 2], (o * FACTOR) ** 2 > o**2),
            implies(
                [sp.Ne(o, 0), eta > 0, alpha >= 0, (o * FACTOR) ** 2 > o**2],
                eta * alpha * c**2 > 2,
            ),
        ),
    ),
    rests_on=("M5",),
    function="descent.gradient_descent",
    by_hand="(1-P) b_o, and b across the plane of beta and b(0), are not moved by a step",
)
AT_MINIMUM: dict[Any, Any] = {o: 0, bb: epsilon**2, rho: c * epsilon}
lam = sp.Symbol("lambda", real=True)
WIDTH = c**2 + epsilon**2


def _within(eigenvalue: sp.Expr) -> Any:
    """|1 - eta eigenvalue| <= 1, written without the absolute value."""
    return (1 - eta * eigenvalue) ** 2 <= 1


G2 = Claim(
    "G2",
    "Which minima are linearly stable, and along which direction they are not",
    "A minimum (c epsilon = B, n = o = 0, c != 0) is linearly stable under descent iff max(alpha "
    "c^2, c^2 + epsilon^2) <= 2/eta. If alpha c^2 > 2/eta >= c^2 + epsilon^2, the unstable "
    "directions are exactly P b_o.",
    r"\text{stable}\iff\max(\alpha c^2,\,c^2+\epsilon^2)\le\tfrac2\eta",
    Verdict.PROVED,
    hypotheses=("eta > 0", "alpha >= 0", "c epsilon = B, n = o = 0, c != 0"),
    steps=(
        step(
            "Spectrum at the minimum (H1): alpha c^2 on P b_o, c^2 across, c^2 + epsilon^2 and 0 "
            "in the (c, b) plane, 0 on (1-P) b_o; b_o is decoupled from (c, b).",
            identity(at(CUBIC, AT_MINIMUM), (alpha * c**2 - x) * x * (x - WIDTH)),
            identity(
                at(CORE[2, :], AT_MINIMUM),
                sp.Matrix([[0, 0, alpha * c**2]]),
                reads=r"H_{b_o,\cdot}=(0,0,\alpha c^2)\text{ at the minimum}",
            ),
            identity(
                at(2 * c * epsilon - B, {B: c * epsilon}),
                c * epsilon,
                reads=r"2c\epsilon-B=c\epsilon\text{ where }c\epsilon=B",
            ),
        ),
        by_lemma(
            "linear map",
            "Descent's derivative there is I - eta H, with eigenvalues 1 - eta lambda; all are at "
            "most 1 in size iff both alpha c^2 and c^2 + epsilon^2 are at most 2/eta.",
            eigenvalues=(
                implies([eta > 0, lam >= 0, lam <= 2 / eta], _within(lam)),
                implies([eta > 0, _within(lam)], lam <= 2 / eta),
                implies([alpha >= 0], (alpha * c**2 >= 0) & (c**2 <= WIDTH)),
            ),
        ),
        by_lemma(
            "linear map",
            "With alpha c^2 > 2/eta >= c^2 + epsilon^2 only the eigenvalue of P b_o leaves [-1, "
            "1].",
            eigenvalues=(
                implies([eta > 0, lam > 2 / eta], 1 - eta * lam < -1),
                implies([2 / eta >= WIDTH, eta > 0], c**2 <= 2 / eta),
            ),
        ),
    ),
    rests_on=("H1", "M4", "G1"),
    function="bounds.stable_minimum",
    by_hand="linearly stable is read as: the iterates of descent's derivative at the minimum "
    "stay bounded; nothing is said of descent itself at the edge",
)
X, Y, q = sp.symbols("X Y q", real=True)  # X = c^2, Y = 2/eta, q = sqrt(alpha - 1)
FITS = [X > 0, Y > 0, alpha * X <= Y, X + B**2 / X <= Y]
G3 = Claim(
    "G3",
    "The largest step size with a stable minimum",
    "Stable minima exist iff eta <= eta* = 2 sqrt(alpha-1)/(alpha B) for alpha >= 2, and iff eta "
    "<= 1/B for 0 <= alpha <= 2.",
    r"\eta^*=\frac{2\sqrt{\alpha-1}}{\alpha B}\ (\alpha\ge2),\qquad \eta^*=\frac1B\ (\alpha\le2)",
    Verdict.PROVED,
    hypotheses=("B > 0", "eta > 0"),
    steps=(
        step(
            "alpha >= 2, q = sqrt(alpha-1): the minimum with c^2 = B/q is stable when alpha B/q "
            "<= 2/eta.",
            implies(
                [q >= 1, sp.Eq(alpha, q**2 + 1), B > 0, alpha * B / q <= Y],
                (B / q) + B * q <= Y,
            ),
            identity(times(B**2, 1 / (B / q)), B * q, reads=r"c^2=B/q:\ B^2/c^2=Bq"),
        ),
        step(
            "Conversely a stable minimum with c^2 = X needs alpha B/q <= 2/eta.",
            implies([*FITS, q >= 1, sp.Eq(alpha, q**2 + 1)], alpha * B <= Y * q),
        ),
        step(
            "alpha <= 2: c^2 = B is stable when 2B <= 2/eta, and 2B <= X + B^2/X for every X > 0.",
            implies([alpha <= 2, B > 0, 2 * B <= Y], alpha * B <= Y),
            identity(total(B, times(B**2, 1 / B)), 2 * B),
            implies(FITS, 2 * B <= Y),
        ),
        step(
            "In terms of eta = 2/Y these are eta <= 2q/(alpha B) and eta <= 1/B.",
            implies(
                [B > 0, q > 0, alpha > 0, eta > 0, alpha * B <= (2 / eta) * q],
                eta <= 2 * q / (alpha * B),
            ),
            implies(
                [B > 0, q > 0, alpha > 0, eta > 0, eta <= 2 * q / (alpha * B)],
                alpha * B <= (2 / eta) * q,
            ),
            implies([B > 0, eta > 0, 2 / eta >= 2 * B], eta <= 1 / B),
            implies([B > 0, eta > 0, eta <= 1 / B], 2 / eta >= 2 * B),
        ),
    ),
    rests_on=("G2",),
    function="bounds.largest_stable_step",
    by_hand="by M4 the minima are c^2 = X, epsilon^2 = B^2/X, n = o = 0 for every X > 0",
)
CLAIMS = (G1, G2, G3)
