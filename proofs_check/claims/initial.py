"""F6, F6p: sharpness at the standard initialisation, and with what probability."""

from __future__ import annotations

import sympy as sp
from flint import arb

from proofs_check.claims.field import B, alpha, o
from proofs_check.claims.hessian import TOP, root
from proofs_check.enclosure import certified
from proofs_check.ledger import Claim, Verdict, by_lemma, step
from proofs_check.smt import implies
from proofs_check.symbolic import identity, limit, times

c = sp.Symbol("c", real=True)
width, across, k, d1 = sp.symbols("w rho k d1", real=True)  # w = |b|, rho = |2b - beta|
x = sp.Symbol("x", real=True)
START_ROOT = [o > 0, o < 1, root >= 0, sp.Eq(root**2, (1 - o**2) ** 2 + 16 * o**2), alpha > 0]
BLOCK = TOP.subs(c, 1)
NORMAL = sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi)


def _moment(power: int) -> sp.Expr:
    return sp.Integral(x**power * NORMAL, (x, -sp.oo, sp.oo))


D1 = sp.Symbol("d1", positive=True)
K = sp.Symbol("k", positive=True)
D2, D = K * D1, (1 + K) * D1
F6 = Claim(
    "F6",
    "Sharpness at the start lies in (alpha, 3 alpha)",
    "At c0 = 1, 0 < o0 < 1 the opposing part of the (c, o) block has its top eigenvalue in "
    "(alpha, 3 alpha); if also |b0| <= 1 and 3/2 alpha (1 - o0^2) > B + 3, so does lambda_max. "
    "With the standard isotropic initialisation and alpha > 4/3 (1+k)(B+3) this holds with "
    "probability at least 1 - 8k/d1 - 2/(k^2 d1), which tends to 1 as d1 -> infinity at fixed k.",
    r"\alpha<\lambda_{\max}(0)<3\alpha\ \text{ w.p. }\ge 1-\frac{8k}{d_1}-\frac{2}{k^2d_1}",
    Verdict.PROVED,
    hypotheses=("c0 = 1", "b, b_o ~ N(0, I/d), d = d1 + d2, d2 = k d1", "isotropic support"),
    steps=(
        step(
            "The block's top eigenvalue S (H2) at c = 1: alpha < S < 3 alpha, S <= 3 alpha - 3/2 "
            "alpha (1 - o^2).",
            implies(START_ROOT, (alpha < BLOCK) & (3 * alpha > BLOCK)),
            implies(START_ROOT, 3 * alpha - sp.Rational(3, 2) * alpha * (1 - o**2) >= BLOCK),
        ),
        step(
            "lambda_max <= S + max(|b|^2, 1) + |2b - beta| < 3 alpha when |b| <= 1, |2b - beta| "
            "<= 2 + B.",
            implies(
                [width >= 0, width <= 1, B >= 0, across <= 2 * width + B, alpha > 0,
                 sp.Rational(3, 2) * alpha * (1 - o**2) > B + 3],
                3 * alpha - sp.Rational(3, 2) * alpha * (1 - o**2) + 1 + across < 3 * alpha,
            ),
        ),
        step(
            "1 - o0^2 >= 1/(2(1+k)) and alpha > 4/3 (1+k)(B+3) give 3/2 alpha (1 - o0^2) > B + 3.",
            implies(
                [k > 0, B >= 0, alpha > sp.Rational(4, 3) * (1 + k) * (B + 3),
                 (1 - o**2) * 2 * (1 + k) >= 1],
                sp.Rational(3, 2) * alpha * (1 - o**2) > B + 3,
            ),
        ),
        by_lemma(
            "Chebyshev",
            "o0^2 is a sum of d2 independent squares of N(0, 1/d): mean k/(1+k), variance 2 "
            "d2/d^2; so P(1 - o0^2 < 1/(2(1+k))) <= 8k/d1. Likewise P(|b0|^2 > 1) <= 2/(k^2 d1).",
            moments=(
                identity(_moment(2), 1, reads=r"\int x^2\varphi(x)\,dx=1"),
                identity(_moment(4) - _moment(2) ** 2, 2,
                    reads=r"\int x^4\varphi\,dx-\left(\int x^2\varphi\,dx\right)^2=2"),
                identity(times(D2, 1 / D), K / (1 + K), reads=r"d_2/d=k/(1+k)"),
                identity(1 - D2 / D, 1 / (1 + K), reads=r"1-d_2/d=1/(1+k)"),
            ),
            bound=(
                identity(2 * D2 / D**2 / (1 / (2 * (1 + K))) ** 2, 8 * K / D1,
                    reads=r"\frac{2d_2/d^2}{(2(1+k))^{-2}}=\frac{8k}{d_1}"),
                identity(times(2 * D1, D**-2, (K / (1 + K)) ** -2), 2 / (K**2 * D1),
                    reads=r"\frac{2d_1/d^2}{(k/(1+k))^2}=\frac2{k^2d_1}"),
                limit(8 * K / D1 + 2 / (K**2 * D1), D1, sp.oo, 0),
            ),
        ),
    ),
    rests_on=("H2",),
    function="landscape.sharpness",
    by_hand="P = I, so o0^2 = |b_o|^2 is a sum of d2 squares and |b0|^2 one of d1; the union "
    "bound of two events; o0 = 0 has probability 0",
)  # fmt: skip


def _chi_square() -> tuple[bool | None, str]:
    """P(chi^2 with 10000 degrees of freedom < 10100), by Arb's incomplete gamma function."""
    value = (arb(10100) / 2).gamma_lower(arb(10000) / 2, regularized=1)
    inside = arb("0.7609") < value < arb("0.7611")
    outside = value < arb("0.7609") or value > arb("0.7611")
    return (True if inside else False if outside else None), f"P = {value.str(8)}"


def _whole_event() -> tuple[bool | None, str]:
    """P(1 - o0^2 >= 1/10) P(|b0|^2 <= 1) at d1 = 100, d2 = 400: two independent chi-squares."""
    opposing = arb(450 // 2).gamma_lower(arb(200), regularized=1)
    value = opposing * arb(250).gamma_lower(arb(50), regularized=1)
    good = arb("0.957") < value < arb("0.959")
    bad = value < arb("0.957") or value > arb("0.959")
    return (True if good else False if bad else None), f"P = {value.str(8)}"


F6P = Claim(
    "F6p",
    "Exact probabilities at the start",
    "With the standard isotropic initialisation at d1 = 100, k = 100, o0 < 1 has probability "
    "0.7610 (P of a chi-square with 10,000 degrees of freedom below 10,100), to within 1e-4. At "
    "d1 = 100, k = 4 F6's conditions (1 - o0^2 >= 1/(2(1+k)), |b0| <= 1) hold with probability "
    "0.958 to within 1e-3.",
    r"P(\chi^2_{10000}<10100)=0.7610\pm10^{-4}",
    Verdict.CERTIFIED,
    hypotheses=("b, b_o ~ N(0, I/d)", "isotropic support"),
    steps=(
        step(
            "d o0^2 is chi-square with d2 degrees of freedom; Arb encloses its distribution "
            "function.",
            certified(_chi_square, formula=r"P(5000, 5050)=0.7610\pm10^{-4}"),
        ),
        step(
            "d = 500: 500 o0^2 is chi-square with 400 degrees of freedom, at most 450; 500 |b0|^2 "
            "one with 100, at most 500; they are independent.",
            certified(_whole_event, formula=r"P(200,225)\,P(50,250)=0.958\pm10^{-3}"),
        ),
    ),
    function="reduction.probability_o_below_c",
    by_hand="sums of squares of independent normals are chi-square",
)
CLAIMS = (F6, F6P)
