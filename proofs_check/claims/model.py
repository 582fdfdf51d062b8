"""M1-M4, M9, M10: the loss, what enters it, where it is least, the two groups, the symmetries."""

from __future__ import annotations

import sympy as sp

from proofs_check.claims.field import LOSS, STATE, VELOCITY, B, c, dot, o, vector
from proofs_check.claims.network import (
    G,
    curvature,
    curvature_at_zero,
    gamma,
    loss_along,
    slope,
    slope_at_zero,
)
from proofs_check.ledger import Claim, Verdict, by_lemma, step
from proofs_check.smt import implies
from proofs_check.symbolic import at, identity, total

u, w, g = sp.symbols("u w g", real=True)  # u = (c b - beta).x, w = c b_o.x_o, g = g(x_o)
T1, T2, p, r, size, common = sp.symbols("T_1 T_2 p r a E", real=True)
GENERAL = loss_along("Sigma", "Sigma_o", sp.S.One)
OTHER = GENERAL.subs(G, sp.Symbol("G_2", real=True))
RESIDUAL = vector(b=c, beta=-1)

M1 = Claim(
    "M1",
    "Population loss of the network",
    "L = 1/2 (cb-beta)^T Sigma (cb-beta) + 1/2 c^2 b_o^T Sigma_o b_o + 1/2 E g^2, in any "
    "dimension.",
    r"L = \tfrac12 (cb-\beta)^\top\Sigma(cb-\beta) + \tfrac12 c^2 b_o^\top\Sigma_o b_o"
    r" + \tfrac12 E g^2",
    Verdict.PROVED,
    hypotheses=(
        "x has mean 0 and is independent of x_o",
        "x_o symmetric",
        "g even",
        "E |x|^2, E |x_o|^2 and E g^2 finite",
    ),
    steps=(
        by_lemma(
            "expectation",
            "With u = (cb-beta).x and w = c b_o.x_o, f - y = u + w - g(x_o). Of the square, u w "
            "and u g are odd in u (mean zero, independent), w g is odd in x_o (w odd, g even).",
            expansion=(
                identity(
                    (u + w - g) ** 2, u**2 + w**2 + g**2 + (2 * u * w - 2 * u * g - 2 * w * g)
                ),
                identity(
                    at(2 * u * w - 2 * u * g, {u: -u}),
                    -(2 * u * w - 2 * u * g),
                    reads=r"uw-ug\text{ is odd in }u",
                ),
                identity(at(-2 * w * g, {w: -w}), 2 * w * g, reads=r"wg\text{ is odd in }w"),
            ),
        ),
        step(
            "E u^2 and E w^2 are the covariance forms on cb - beta and c b_o, and E g^2 is left.",
            identity(
                sp.Derivative(GENERAL, G) * G
                + dot(RESIDUAL, RESIDUAL, "Sigma") / 2
                + c**2 * dot(vector(bo=1), vector(bo=1), "Sigma_o") / 2,
                GENERAL.subs(sp.Symbol("s", real=True), 0),
            ),
        ),
    ),
    function="landscape.loss",
    by_hand="x has mean 0: E u^2 and E w^2 are the covariance forms on cb - beta and c b_o",
)
M2 = Claim(
    "M2",
    "Only second moments enter",
    "Two laws of (x, x_o) with the same Sigma and Sigma_o (x_o symmetric) have the same population "
    "gradient and Hessian everywhere, hence the same population dynamics.",
    r"\Sigma=\Sigma',\ \Sigma_o=\Sigma_o' \Rightarrow \nabla L=\nabla L'",
    Verdict.PROVED,
    hypotheses=("those of M1 for both laws",),
    steps=(
        step(
            "The two losses differ by a constant; their slopes and curvatures in every direction "
            "agree.",
            identity(
                total(GENERAL, -OTHER),
                (G - sp.Symbol("G_2", real=True)) / 2,
                reads=r"L-L'=\tfrac12(G-G')",
            ),
            identity(slope(GENERAL), slope_at_zero(OTHER), reads=r"dL(\gamma,v,w)=dL'(\gamma,v,w)"),
            identity(
                curvature(GENERAL),
                curvature_at_zero(OTHER),
                reads=r"d^2L(\gamma,v,w)=d^2L'(\gamma,v,w)",
            ),
        ),
    ),
    rests_on=("M1",),
    by_hand="Sigma, Sigma_o and E g^2 (S, G below) are all of a law that M1's formula contains; "
    "equal velocities and starts give one flow (lemma uniqueness)",
)
M3 = Claim(
    "M3",
    "The even part of the target changes nothing",
    "g enters L as a constant only: gradient and Hessian do not depend on it. The |.| in the "
    "target neither causes nor reduces sharpness in the population dynamics.",
    r"\partial_g \nabla L = 0,\quad \partial_g \nabla^2 L = 0",
    Verdict.PROVED,
    hypotheses=("those of M1",),
    steps=(
        step(
            "E g^2 = G stands in L with the factor 1/2 and in no slope or curvature.",
            identity(sp.Derivative(GENERAL, G), sp.Rational(1, 2)),
            identity(sp.Derivative(slope_at_zero(GENERAL), G)),
            identity(sp.Derivative(curvature_at_zero(GENERAL), G)),
        ),
    ),
    rests_on=("M1",),
    by_hand="g enters through E g^2 alone (M1)",
)
ONE = {c: 1, sp.Symbol("s", real=True): 0}
AT_BEST = {
    **{symbol: sp.Symbol("<beta.Sigma.beta>", real=True) for symbol in GENERAL.free_symbols
       if str(symbol) in ("<b.Sigma.b>", "<b.Sigma.beta>")},
    sp.Symbol("<bo.Sigma_o.bo>", real=True): 0,
}  # fmt: skip
M4 = Claim(
    "M4",
    "The minima, and that the best linear predictor ignores x_o",
    "For Sigma > 0 the loss is least, with value 1/2 E g^2, exactly where cb = beta and "
    "Sigma_o^(1/2) c b_o = 0; for Sigma_o > 0 this means c b_o = 0.",
    r"\arg\min L = \{cb=\beta,\ \Sigma_o^{1/2} c b_o = 0\}",
    Verdict.PROVED,
    hypotheses=("those of M1", "Sigma > 0"),
    steps=(
        by_lemma(
            "sum of nonnegatives",
            "L - 1/2 E g^2 = T1 + T2 with T1 = 1/2 (cb-beta)^T Sigma (cb-beta), zero only at cb = "
            "beta as Sigma > 0, and T2 = 1/2 |Sigma_o^(1/2) c b_o|^2.",
            terms=(
                implies([T1 >= 0, T2 >= 0], T1 + T2 >= 0),
                implies([T1 >= 0, T2 >= 0, sp.Eq(T1 + T2, 0)], sp.Eq(T1, 0) & sp.Eq(T2, 0)),
            ),
        ),
        step(
            "The value is attained: c = 1, b = beta, b_o = 0.",
            identity(at(GENERAL, ONE | AT_BEST), G / 2, reads=r"L(1,\beta,0)=\tfrac12Eg^2"),
        ),
    ),
    rests_on=("M1",),
    by_hand="Sigma > 0 makes the first term 0 only at cb = beta; Sigma_o > 0 makes "
    "Sigma_o^(1/2) injective",
)
# Aligned support: an outlier x_o = +-(a / sqrt(d2)) 1 has b_o.x_o = +-a o and g(x_o) = a.
PLUS, MINUS = (common + (sign * size * c * o - size) ** 2 for sign in (1, -1))
PLUS, MINUS = PLUS / 2, MINUS / 2
M9 = Claim(
    "M9",
    "The losses of the two groups",
    "Aligned support, a = sqrt(alpha/p): the outliers with x_o = +-a have mean loss "
    "L_pm = 1/2 (|cb-beta|^2 + (a (+-c o - 1))^2). While |c o| < 1 (c, a not 0) one rises exactly "
    "when the other falls as o moves; at o = 0 their mean gradients in b_o are exactly opposite.",
    r"L_\pm = \tfrac12\left(|cb-\beta|^2 + a^2(\pm co-1)^2\right),\quad "
    r"\partial_o L_+ \,\partial_o L_- < 0 \iff |co| < 1",
    Verdict.PROVED,
    hypotheses=("Sigma = I", "aligned support", "g(x_o) = |1.x_o|/sqrt(d2), the paper's", "c != 0"),
    steps=(
        step(
            "f - y on an outlier is (cb-beta).x +- a c o - a; its mean square has no cross term.",
            identity(PLUS, (common + (size * (c * o - 1)) ** 2) / 2),
            identity(MINUS, (common + (size * (-c * o - 1)) ** 2) / 2),
        ),
        step(
            "Weighted with p/2, p/2 and 1 - p for the rest, the group losses add up to the loss "
            "of M1, alpha = p a^2.",
            identity(
                p * (PLUS + MINUS) / 2 + (1 - p) * common / 2,
                (common + p * size**2 * c**2 * o**2 + p * size**2) / 2,
            ),
        ),
        step(
            "The slopes in o have opposite signs exactly while |c o| < 1.",
            implies(
                [sp.Ne(c, 0), sp.Ne(size, 0), (c * o) ** 2 < 1],
                sp.diff(PLUS, o) * sp.diff(MINUS, o) < 0,
            ),
            implies([(c * o) ** 2 >= 1], sp.diff(PLUS, o) * sp.diff(MINUS, o) >= 0),
        ),
        step(
            "At o = 0 the slopes are opposite (in b_o: along 1/sqrt(d2), all else 0).",
            identity(
                at(sp.diff(PLUS, o) + sp.diff(MINUS, o), {o: 0}),
                reads=r"\partial_oL_++\partial_oL_-=0\text{ at }o=0",
            ),
        ),
    ),
    rests_on=("M1",),
    function="landscape.group_losses",
    by_hand="x has mean 0, so the cross term has mean 0; 'as o moves' is with c, epsilon and n "
    "held: the slopes are partial derivatives",
)
SCALED = {x: r * x for x in STATE} | {B: r**2 * B}
FLIPPED = {x: -x for x in STATE}
FIELD = sp.Matrix(VELOCITY)
GRADIENT = sp.Matrix([sp.diff(LOSS, x) for x in STATE])
HESSIAN = sp.hessian(LOSS, STATE)
M10 = Claim(
    "M10",
    "Scaling and sign symmetry",
    "s -> r s, B -> r^2 B, t -> t/r^2 maps flows to flows; the loss scales by r^4 and the Hessian "
    "by r^2, alpha fixed. s -> -s maps flows to flows and keeps loss and Hessian.",
    r"f(rs; r^2B) = r^3 f(s;B),\quad \nabla^2L(rs;r^2B)=r^2\nabla^2L(s;B),\quad f(-s)=-f(s)",
    Verdict.PROVED,
    steps=(
        step(
            "The right-hand side of the flow is minus the gradient of the reduced loss.",
            identity(GRADIENT, -FIELD, reads=r"\nabla L=-f"),
        ),
        step(
            "It scales by r^3 = r / (1/r^2), the loss by r^4, the Hessian by r^2.",
            identity(at(FIELD, SCALED), r**3 * FIELD,
                reads=r"f(rs;r^2B)=r^3f(s;B)"),
            identity(at(LOSS, SCALED), r**4 * LOSS,
                reads=r"L(rs;r^2B)=r^4L(s;B)"),
            identity(at(HESSIAN, SCALED), r**2 * HESSIAN,
                reads=r"\nabla^2L(rs;r^2B)=r^2\nabla^2L(s;B)"),
        ),
        step(
            "Under s -> -s it is odd, the loss and the Hessian are even.",
            identity(at(FIELD, FLIPPED), -FIELD, reads=r"f(-s)=-f(s)"),
            identity(at(LOSS, FLIPPED), LOSS, reads=r"L(-s)=L(s)"),
            identity(at(HESSIAN, FLIPPED), HESSIAN,
                reads=r"\nabla^2L(-s)=\nabla^2L(s)"),
        ),
        step(
            "In the full network too: the loss along every direction scales by r^4.",
            identity(
                loss_along().subs(G, 0).subs({c: r * c, gamma: r * gamma}, simultaneous=True)
                .subs({symbol: r**2 * symbol for symbol in loss_along().free_symbols
                       if str(symbol).startswith("<") and "beta" not in str(symbol)})
                .subs({symbol: r ** (str(symbol).count("beta") + 2) * symbol
                       for symbol in loss_along().free_symbols if "beta" in str(symbol)}),
                r**4 * loss_along().subs(G, 0),
             reads=r"L(r\theta;r^2\beta)=r^4L(\theta;\beta)\text{ in any dimension}"),
        ),
    ),
    by_hand="chain rule: r s(r^2 t) has the velocity r^3 s'(r^2 t)",
)  # fmt: skip
CLAIMS = (M1, M2, M3, M4, M9, M10)
