"""G8: every step of descent, on batches too, lowers kappa >= 0: large steps end flatter."""

from __future__ import annotations

import sympy as sp

from proofs_check.claims.descent import NEXT
from proofs_check.claims.field import KAPPA, VELOCITY, B, dot, eta, vector
from proofs_check.ledger import Claim, Verdict, by_lemma, step
from proofs_check.smt import implies
from proofs_check.symbolic import at, identity

c, kappa, after, bg, bb, gg, s, X, Y = sp.symbols("c kappa kappa_1 h b2 g2 s X Y", real=True)
b, g = vector(b=1), vector(g=1)
# The loss is any function of w = c b, g its gradient there: dc = -eta b.g, db = -eta c g.
STEP_C = c - eta * dot(b, g)
STEP_B = vector(b=1, g=-eta * c)
SPREAD = dot(b, g) ** 2 - dot(b, b) * dot(g, g)
OF = {kappa: c**2 - dot(b, b)}
G8 = Claim(
    "G8",
    "Large steps end flatter: descent lowers kappa",
    "For f = c (b.x) with any loss, data, batch and step eta, g the gradient of the step's loss "
    "in w = c b: kappa = c^2 - |b|^2 goes to (1 - eta^2 |g|^2) kappa + eta^2 ((b.g)^2 - |b|^2 "
    "|g|^2) <= (1 - eta^2 |g|^2) kappa. So while kappa >= 0 no step of GD or SGD raises kappa, "
    "nor the opposing curvature alpha c_inf^2(kappa) at which the flow would end from there "
    "(F5). In the reduced model kappa+ = kappa + eta^2 (c'^2 - epsilon'^2 - n'^2 - o'^2) "
    "exactly.",
    r"\kappa_+=(1-\eta^2|g|^2)\kappa+\eta^2\left((b\cdot g)^2-|b|^2|g|^2\right)\le"
    r"(1-\eta^2|g|^2)\kappa",
    Verdict.PROVED,
    source="ours; for scalar networks Kreisler et al. (arXiv 2305.13064)",
    hypotheses=("eta > 0", "b, x of any dimension (b stands for (b, b_o))", "lowers: kappa >= 0"),
    steps=(
        step(
            "A step moves c by -eta b.g and b by -eta c g; the terms linear in eta cancel.",
            identity(
                STEP_C**2 - dot(STEP_B, STEP_B),
                at((1 - eta**2 * dot(g, g)) * kappa + eta**2 * SPREAD, OF),
                reads=r"(c-\eta b\cdot g)^2-|b-\eta cg|^2=(1-\eta^2|g|^2)\kappa"
                r"+\eta^2((b\cdot g)^2-|b|^2|g|^2)",
            ),
        ),
        step(
            "(b.g)^2 <= |b|^2 |g|^2, from |b - s g|^2 >= 0 at s = b.g/|g|^2 (g != 0).",
            implies([gg > 0, sp.Eq(s * gg, bg), bb - 2 * s * bg + s**2 * gg >= 0],
                    bg**2 <= bb * gg),
        ),
        by_lemma(
            "induction",
            "So where kappa >= 0 a step does not raise it.",
            step=implies(
                [kappa >= 0, gg >= 0, bg**2 <= bb * gg,
                 sp.Eq(after, (1 - eta**2 * gg) * kappa + eta**2 * (bg**2 - bb * gg))],
                (after <= (1 - eta**2 * gg) * kappa) & (after <= kappa),
            ),
        ),
        step(
            "c_inf^2 rises with kappa: X - B^2/X = kappa at X = c_inf^2.",
            implies([X > 0, Y > 0, sp.Eq(X**2 - kappa * X - B**2, 0),
                     sp.Eq(Y**2 - after * Y - B**2, 0), after <= kappa], Y <= X),
        ),
        step(
            "In the reduced model.",
            identity(
                NEXT[0] ** 2 - sum(q**2 for q in NEXT[1:]) - KAPPA,
                eta**2 * (VELOCITY[0] ** 2 - sum(f**2 for f in VELOCITY[1:])),
                reads=r"\kappa_+-\kappa=\eta^2(\dot c^2-\dot\epsilon^2-\dot n^2-\dot o^2)",
            ),
        ),
    ),
    rests_on=("G1", "F5", "M6"),
    function="drift.kappa_change",
    by_hand="the chain rule gives the gradients b.g in c and c g in b; where g = 0 nothing "
    "moves",
)  # fmt: skip
G8B = Claim(
    "G8b",
    "Every step lowers kappa, whatever its sign",
    "G8 without kappa >= 0. False: from (1, 2, 0, 0) at B = 1, eta = 1/10, kappa = -3 rises to "
    "-297/100: there c'^2 - epsilon'^2 = -kappa (B - c epsilon)^2.",
    r"\kappa_+\le\kappa",
    Verdict.REFUTED,
    source="ours, beside G8",
    witness=(
        "from fractions import Fraction as F; c, e, B, h = F(1), F(2), F(1), F(1, 10); "
        "v = B - c*e; a, b = c + h*e*v, e + h*c*v; "
        "assert a*a - b*b == F(-297, 100) > c*c - e*e == -3"
    ),
)
CLAIMS = (G8, G8B)
