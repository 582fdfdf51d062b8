"""F4b, F7: when the dip comes and how deep it is, with explicit two-sided bounds."""

from __future__ import annotations

import sympy as sp

from proofs_check.claims.field import (
    DIP_WORDS,
    VELOCITY,
    B,
    M,
    V,
    along,
    alpha,
    c,
    epsilon,
    tau,
)
from proofs_check.claims.flow import c0, e0, m, n0, o0, v
from proofs_check.ledger import Claim, Verdict, by_lemma, step
from proofs_check.smt import implies
from proofs_check.symbolic import identity, limit, total

# b = B / c0, s = b - epsilon0, z = e^(-tau), f = floor of c^2
b, s, z, f, g, x = sp.symbols("b s z f g x", real=True)
far = sp.Symbol("F", positive=True)
RISE = b - (b - e0) * sp.exp(-tau)
WHILE_FALLING = [c > 0, epsilon >= 0, v > 0, m > 0, epsilon * v < c * m]
EPSILON_RISES = by_lemma(
    "comparison",
    "Up to the dip c <= c0, so d epsilon/dtau = B/c - epsilon >= b - epsilon: epsilon >= b - s "
    "e^-tau.",
    inequality=implies([c > 0, c <= c0, B > 0], B / c - epsilon >= B / c0 - epsilon),
    solution=(identity(sp.Derivative(RISE, tau), b - RISE), identity(sp.Subs(RISE, tau, 0), e0)),
)
F4B = Claim(
    "F4b",
    "An explicit time by which the dip is over",
    "t1 <= tau1/c_min^2, where c_min^2 is any lower bound of c^2 up to the dip (F7) and tau1 is "
    "the root >= 0 (0 if there is none) of n0^2 e^-tau + alpha o0^2 e^(-(2 alpha - 1) tau) = s (b "
    "- s e^-tau), b = B/c0, s = b - epsilon0: in intrinsic time the dip is over by tau1.",
    r"n_0^2e^{-\tau_1}+\alpha o_0^2e^{-(2\alpha-1)\tau_1}=s(b-se^{-\tau_1}),\quad "
    r"t_1\le\tau_1/c_{\min}^2",
    Verdict.PROVED,
    hypotheses=DIP_WORDS,
    steps=(
        EPSILON_RISES,
        step(
            "While c falls (epsilon v < c m), d log(v/c)/dtau >= -1, so v/c >= s e^-tau.",
            identity(
                along(sp.log(V) - sp.log(c)),
                (-(c**2 + epsilon**2) + c * epsilon * m / v - (epsilon * v / c - m)).subs(
                    {v: V, m: M}
                ),
            ),
            implies(
                [*WHILE_FALLING],
                -(c**2 + epsilon**2) + c * epsilon * m / v - (epsilon * v / c - m) >= -(c**2),
            ),
            implies([c0 > 0, c0 * e0 < B], B / c0 - e0 > 0),
        ),
        step(
            "So c falls only while m > epsilon v/c >= (b - s e^-tau) s e^-tau, m = n0^2 e^(-2 "
            "tau) + alpha o0^2 e^(-2 alpha tau); divide by e^-tau.",
            implies(
                [c > 0, z > 0, s > 0, b > 0, z <= 1, b >= s, epsilon >= b - s * z, v >= s * z * c,
                 epsilon * v < c * m],
                m > (b - s * z) * s * z,
            ),
            identity(
                (n0**2 * sp.exp(-2 * tau) + alpha * o0**2 * sp.exp(-2 * alpha * tau)) * sp.exp(tau),
                n0**2 * sp.exp(-tau) + alpha * o0**2 * sp.exp(-(2 * alpha - 1) * tau),
            ),
        ),
        by_lemma(
            "monotone",
            "The left side falls and the right side rises in tau: one root at most. Time: dtau = "
            "c^2 dt.",
            sign=(
                implies([s > 0, z > 0], s * (s * z) > 0),
                identity(
                    sp.Derivative(
                        n0**2 * sp.exp(-tau) + o0**2 * sp.exp(-(2 * alpha - 1) * tau), tau
                    ),
                    -(n0**2) * sp.exp(-tau)
                    - (2 * alpha - 1) * o0**2 * sp.exp(-(2 * alpha - 1) * tau),
                ),
                implies([2 * alpha > 1, z >= 0], -(2 * alpha - 1) * o0**2 * z <= 0),
                identity(sp.Derivative(s * (b - s * sp.exp(-tau)), tau), s**2 * sp.exp(-tau)),
                implies([c > 0, f > 0, c**2 >= f], 1 / c**2 <= 1 / f),
            ),
        ),
    ),
    rests_on=("F3", "F4", "M7"),
    function="bounds.dip_time_ceiling",
    by_hand="d tau = c^2 dt >= c_min^2 dt turns tau1 into a bound of t1",
)  # fmt: skip
FALLEN = b**2 * n0**2 / (s**2 + n0**2)
KEPT = c0**2 - o0**2
RISEN = B * tau / sp.sqrt(f)
CEILING = (
    KEPT
    + RISEN * (2 * e0 + RISEN)
    + n0**2 * (sp.exp(-2 * tau) - 1)
    + o0**2 * sp.exp(-2 * alpha * tau)
)
A = sp.Symbol("A", positive=True)
CHOSEN = sp.log(A) / (2 * A)
F7 = Claim(
    "F7",
    "How deep the dip is",
    "With b = B/c0, s = b - epsilon0, m0 = n0^2 + alpha o0^2, F^2 = epsilon0^2 + n0^2 + o0^2: "
    "c(t1)^2 >= min(c0^2, max(kappa + b^2 n0^2/(s^2 + n0^2), B^2 g^2)), g = "
    "min(epsilon0/(epsilon0^2 + m0), F/(F^2 + m0)); and c(t1)^2 >= c0^2 - o0^2 if epsilon0 s >= "
    "n0^2. For every tau >= 0 and every lower bound f of c^2, c(t1)^2 <= c0^2 - o0^2 + r (2 "
    "epsilon0 + r) + n0^2 (e^(-2 tau) - 1) + o0^2 e^(-2 alpha tau), r = B tau/sqrt(f); with tau = "
    "ln(alpha)/(2 alpha) this is c0^2 - o0^2 + O(ln(alpha)/alpha), in the standard isotropic "
    "initialisation near 1/(1+k).",
    r"c(t_1)^2\ge\kappa+\frac{b^2n_0^2}{s^2+n_0^2},\quad "
    r"c(t_1)^2\le c_0^2-o_0^2+O\!\left(\tfrac{\ln\alpha}{\alpha}\right)",
    Verdict.PROVED,
    hypotheses=(*DIP_WORDS, "the upper bound's order: f > 0 fixed"),
    steps=(
        EPSILON_RISES,
        step(
            "Lower bound, up to the dip: c^2 >= kappa + (b - s z)^2 + n0^2 z^2 with z = e^-tau in "
            "(0, 1], whose least value is the stated one; if epsilon0 s >= n0^2 it is at z = 1.",
            implies(
                [s > 0, b >= s, z > 0],
                (b - s * z) ** 2 + n0**2 * z**2 >= FALLEN,
            ),
            implies(
                [s > 0, z > 0, z <= 1, e0 >= 0, sp.Eq(b, s + e0), e0 * s >= n0**2],
                (b - s * z) ** 2 + n0**2 * z**2 >= e0**2 + n0**2,
            ),
            identity(total(c0**2 - e0**2 - n0**2 - o0**2, e0**2, n0**2), KEPT,
                reads=r"\kappa+\epsilon_0^2+n_0^2=c_0^2-o_0^2"),
            implies([epsilon >= g, g >= 0], epsilon**2 >= g**2),
        ),
        step(
            "Another, at the dip: c = B epsilon/(epsilon^2 + m), epsilon in [epsilon0, F], m <= "
            "m0; x/(x^2 + m0) is least at an end of that interval.",
            implies(
                [c > 0, alpha > 0, epsilon > 0, sp.Eq(VELOCITY[0], 0)],
                sp.Eq(c, B * epsilon / (epsilon**2 + M)),
            ),
            implies(
                [c**2 <= c0**2, sp.Eq(c**2 - epsilon**2 - x - z, c0**2 - e0**2 - n0**2 - o0**2),
                 x >= 0, z >= 0],
                epsilon**2 <= e0**2 + n0**2 + o0**2,
            ),
            implies(
                [e0 >= 0, x >= e0, far >= x, m >= 0, g >= 0, g * (e0**2 + m) <= e0,
                 g * (far**2 + m) <= far],
                g * (x**2 + m) <= x,
            ),
        ),
        step(
            "Upper bound: c(t1)^2 <= c^2 at any tau (F4), where epsilon <= epsilon0 + B "
            "tau/sqrt(f).",
            implies([c > 0, f > 0, x > 0, x**2 <= f, f <= c**2, B >= 0, epsilon >= 0],
                    B / c - epsilon <= B / x),
            identity(
                (c0**2 - e0**2 - n0**2 - o0**2)
                + (e0 + RISEN) ** 2
                + n0**2 * sp.exp(-2 * tau)
                + o0**2 * sp.exp(-2 * alpha * tau),
                CEILING,
            ),
        ),
        step(
            "Its order at tau = ln(alpha)/(2 alpha): the excess over c0^2 - o0^2, times "
            "alpha/ln(alpha), tends to B epsilon0/sqrt(f) - n0^2.",
            limit(
                sp.expand((CEILING - KEPT).subs({alpha: A, f: far**2}).subs(tau, CHOSEN)
                          .subs(sp.sqrt(far**2), far)) * A / sp.log(A),
                A, sp.oo, B * e0 / far - n0**2,
            ),
        ),
    ),
    rests_on=("F2", "F3", "F4", "M6", "M7"),
    function="bounds.dip_floor",
    by_hand="x/(x^2 + m) rises up to sqrt(m) and then falls, so on an interval it is least at "
    "an end; o0^2 is near k/(1+k) at the standard start by F6's mean and variance",
)  # fmt: skip
F7B = Claim(
    "F7b",
    "alpha >> (1+k) B alone brings the dip to c^2 near 1/(1+k)",
    "Standard isotropic initialisation and alpha >> (1+k) B imply that the dip reaches c^2 near "
    "1/(1+k). False where B is small: after o is gone, n goes on pulling c down unless epsilon0 "
    "(B - epsilon0) >= n0^2 (F7). The upper half, dip <= 1/(1+k) + O(ln(alpha)/alpha), is true.",
    r"\alpha\gg(1+k)B\;\Rightarrow\;c(t_1)^2\approx\tfrac1{1+k}",
    Verdict.REFUTED,
    rests_on=("F7",),
    witness=(
        "from linmodel import *; from linmodel.certified import certified_flow as f; "
        "c = f(OpposingSignals(1e6, 1e-3, 4.0), State(1, .1, .19**.5, .8**.5), [0, "
        "1500]).c.values; assert 0 < c[1][0] < c[1][1] and c[1][1]**2 < 0.01 < 0.2, c"
    ),
)
CLAIMS = (F4B, F7, F7B)
