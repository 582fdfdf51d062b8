"""G7: one throw of descent as a map without parameters, and its exact boundary."""

from __future__ import annotations

import sympy as sp

from proofs_check.claims.descent import NEXT
from proofs_check.claims.field import B, alpha, c, epsilon, eta, n, o
from proofs_check.ledger import Claim, Verdict, by_lemma, step
from proofs_check.smt import implies
from proofs_check.symbolic import identity, times

u, w, S, P, end, u0 = sp.symbols("u w S P u_end u0", real=True)
U_NEXT, W_NEXT = u * (1 - w) ** 2, w * (1 - u) ** 2
ALONE = {B: 0, epsilon: 0, n: 0}
WEIGHTS = {u: eta * alpha * c**2, w: eta * alpha * o**2}
G7 = Claim(
    "G7",
    "Without the slow directions: settles below 4, diverges above",
    "Where B = epsilon = n = 0, u = eta alpha c^2 and w = eta alpha o^2 follow u+ = u (1-w)^2, w+ "
    "= w (1-u)^2. With S = u + w, P = u w, D = u - w: S+ - 4 = (S - 4)(1 + P), D+ = D (1 - P). If "
    "S < 4, (u, w) converges to (u_end, 0) or (0, w_end), which is at most 2 unless P becomes "
    "exactly 0; if S > 4 it is unbounded, unless P becomes exactly 0. A throw from (u0, w0), 2 < "
    "u0 < 4, w0 > 0, u0 + w0 < 4, with P^2 <= 2 throughout, ends at u_end <= 4 - u0 or at u_end = "
    "0.",
    r"S_+-4=(S-4)(1+P),\quad D_+=D(1-P),\quad P_+=P(1-S+P)^2",
    Verdict.PROVED,
    hypotheses=("B = epsilon = n = 0", "u, w > 0"),
    steps=(
        step(
            "Descent (G1) in these weights, and the three products.",
            identity((eta * alpha * NEXT[0] ** 2).subs(ALONE), U_NEXT.subs(WEIGHTS)),
            identity((eta * alpha * NEXT[3] ** 2).subs(ALONE), W_NEXT.subs(WEIGHTS)),
            identity(U_NEXT + W_NEXT - 4, (u + w - 4) * (1 + u * w)),
            identity(U_NEXT - W_NEXT, (u - w) * (1 - u * w)),
            identity(U_NEXT * W_NEXT, u * w * (1 - (u + w) + u * w) ** 2),
        ),
        by_lemma(
            "bounded product",
            "S < 4: 4 - S grows by the factor 1 + P >= 1 and stays <= 4, so the P are summable; "
            "then S and D converge, P to 0.",
            factor=identity(4 - (U_NEXT + W_NEXT), (4 - (u + w)) * (1 + u * w)),
            bound=(
                implies([u >= 0, w >= 0], (1 + u * w >= 1) & (4 - (u + w) <= 4)),
                implies([u >= 0, w >= 0, u + w < 4], 4 - (U_NEXT + W_NEXT) > 0),
            ),
        ),
        by_lemma(
            "ratio",
            "At an end (u_end, 0) with u_end > 2, w+ / w tends to (1 - u_end)^2 > 1: w could not "
            "tend to 0.",
            ratio=(
                identity(times(W_NEXT, 1 / w), (1 - u) ** 2, reads=r"w_+/w=(1-u)^2"),
                implies([end > 2], (1 - end) ** 2 > 1),
            ),
        ),
        by_lemma(
            "bounded product",
            "S > 4: S - 4 grows by 1 + P; were it bounded, P would be summable and (u, w) "
            "converge to an end (S, 0) with S > 4 > 2, which the step above excludes.",
            factor=identity((U_NEXT + W_NEXT) - 4, ((u + w) - 4) * (1 + u * w)),
            bound=(
                implies([u >= 0, w >= 0, u + w > 4], u + w <= U_NEXT + W_NEXT),
                implies([u >= 0, w >= 0, u + w > 4, sp.Eq(u * w, 0)], (u > 2) | (w > 2)),
            ),
        ),
        step(
            "The throw: (4 - S) D changes by the factor 1 - P^2, at most 1 in size if P^2 <= 2. At "
            "the start it is (4-u0-w0)(u0-w0) <= (4-u0) u0, at least its negative; so u_end (4 - "
            "u_end) <= u0 (4 - u0), and u_end <= 2 gives u_end <= 4 - u0.",
            identity((4 - (U_NEXT + W_NEXT)) * (U_NEXT - W_NEXT),
                     (4 - (u + w)) * (u - w) * (1 - (u * w) ** 2)),
            implies([P**2 <= 2], (1 - P**2) ** 2 <= 1),
            implies(
                [u0 > 2, w >= 0, w <= 4, u0 + w < 4],
                ((4 - u0 - w) * (u0 - w) <= (4 - u0) * u0)
                & ((4 - u0 - w) * (u0 - w) >= -(4 - u0) * u0),
            ),
            implies([u0 > 2, u0 < 4, end >= 0, end <= 2, (4 - end) * end <= (4 - u0) * u0],
                    end <= 4 - u0),
        ),
    ),
    rests_on=("G1",),
    function="phases.landing",
    by_hand="u and w may be exchanged, so what is said of (u_end, 0) holds of (0, w_end); P "
    "exactly 0 is excluded as stated",
)  # fmt: skip
CLAIMS = (G7,)
