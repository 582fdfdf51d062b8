"""E6, E7: what Edge Flow and Rod Flow say of descent at the edge, decided in our model only."""

from __future__ import annotations

import sympy as sp

from proofs_check.claims.edge import SQUARE
from proofs_check.claims.field import LOSS, VELOCITY, alpha, c, epsilon, eta, n, o
from proofs_check.ledger import Claim, Verdict, step
from proofs_check.smt import implies
from proofs_check.symbolic import at, identity, total

x, u = sp.symbols("x u", real=True)  # amplitude along P b_o; eta alpha c^2
MEAN_LOSS = total(at(LOSS, {o: x}), at(LOSS, {o: -x})) / 2
CENTRE = VELOCITY[0].subs(o, x)  # c' on the mean loss
E6 = Claim(
    "E6",
    "Edge Flow: a centre on the mean loss and an amplitude are in balance at 2/eta",
    "Marion lets the centre of the oscillation follow a modified gradient flow of the symmetrised "
    "loss, and its amplitude grow or decay as the sharpness is above or below 2/eta; from the two "
    "together the sharpness settles. In our model, with amplitude x along P b_o about o = 0: "
    "(L(x) + L(-x))/2 = L(0) + alpha c^2 x^2/2 exactly; on its gradient flow alpha c^2 falls, "
    "rests or rises as x^2 is above, at or below G6's <o^2>; and a step of descent makes |o| "
    "grow iff eta alpha c^2 > 2 (G1). The paper's modification of the flow is not judged.",
    r"\tfrac12(L|_{o=x}+L|_{o=-x})=L|_{o=0}+\tfrac12\alpha c^2x^2,\quad"
    r"\dot c<0\iff x^2>\tfrac1\alpha\Big(\frac{\epsilon B}c-\epsilon^2-n^2\Big)",
    Verdict.PROVED,
    source="Marion (arXiv 2606.18080), its abstract, in our words and model",
    hypotheses=("c > 0", "alpha > 0"),
    steps=(
        step(
            "The mean loss, and minus its slopes: the flow with x for o.",
            identity(MEAN_LOSS, at(LOSS, {o: 0}) + alpha * c**2 * x**2 / 2),
            identity(-sp.Derivative(MEAN_LOSS, c), CENTRE),
            identity(-sp.Derivative(MEAN_LOSS, epsilon), VELOCITY[1]),
            identity(-sp.Derivative(MEAN_LOSS, n), VELOCITY[2]),
        ),
        step(
            "Which way c goes.",
            implies([c > 0, alpha > 0, x**2 > SQUARE], CENTRE < 0),
            implies([c > 0, alpha > 0, x**2 < SQUARE], CENTRE > 0),
            implies([c > 0, alpha > 0, sp.Eq(x**2, SQUARE)], sp.Eq(CENTRE, 0)),
        ),
    ),
    rests_on=("G1", "G6"),
    by_hand="alpha c^2 goes the way of c, as c > 0; of the paper only its abstract is used",
)
# Rod Flow: extent x^2, gradients +-alpha c^2 x in o at the two ends.
GROWTH = 2 * (eta * alpha * c**2 * x) ** 2 / 4 - 2 * x**2
E7 = Claim(
    "E7",
    "Rod Flow predicts the critical sharpness",
    "Regis and Chewi make the exact equation of half the difference d of two iterates, d_+ d_+^T + "
    "d d^T = eta^2/4 (g_+ g_+^T + g_- g_-^T), g_+- the gradients at the two, an equation in time: "
    "(d d^T)' = the right side - 2 d d^T. In our model, with the middle at o = 0 and d = x along "
    "P b_o: (x^2)' = (u^2/2 - 2) x^2, u = eta alpha c^2, positive iff u > 2: G1's edge. Its rate "
    "a step agrees with descent's, ln (1-u)^2, to first order at the edge, and not away from it: "
    "at u = 1 it is -3/2, and descent ends in one step.",
    r"(x^2)^{\boldsymbol\cdot}=\Big(\tfrac{u^2}2-2\Big)x^2>0\iff u=\eta\alpha c^2>2",
    Verdict.PROVED,
    source="Regis, Chewi (arXiv 2602.01480), in our words and model",
    hypotheses=("eta > 0", "alpha > 0", "c != 0", "x != 0"),
    steps=(
        step(
            "The gradient along P b_o at o = x, and the equation of x^2.",
            identity(at(sp.diff(LOSS, o), {o: x}), alpha * c**2 * x,
                     reads=r"\partial_oL|_{o=x}=\alpha c^2x"),
            identity(GROWTH, ((eta * alpha * c**2) ** 2 / 2 - 2) * x**2),
            implies([u > 2, x > 0], (u**2 / 2 - 2) * x**2 > 0),
            implies([u > 0, u <= 2], (u**2 / 2 - 2) * x**2 <= 0),
        ),
        step(
            "Both rates are 0 with slope 2 at u = 2; at u = 1 Rod Flow's is -3/2.",
            identity(at(u**2 / 2 - 2, {u: 2}), 0),
            identity(at(sp.log((1 - u) ** 2), {u: 2}), 0),
            identity(at(sp.diff(u**2 / 2 - 2, u), {u: 2}), 2),
            identity(at(sp.diff(sp.log((1 - u) ** 2), u), {u: 2}), 2),
            identity(at(u**2 / 2 - 2, {u: 1}), -sp.Rational(3, 2)),
        ),
    ),
    rests_on=("G1",),
    by_hand="the equation is that of a public account of the paper, whose abstract claims the "
    "threshold; with c held, d is multiplied by 1 - u as o is (G1)",
)  # fmt: skip
CLAIMS = (E6, E7)
