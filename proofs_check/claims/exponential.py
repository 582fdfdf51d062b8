"""S5: is the sharpness O(alpha exp(||beta|| t))? A family says no; what holds instead."""

from __future__ import annotations

import sympy as sp
from flint import arb

from proofs_check.claims.field import (
    KAPPA,
    VELOCITY,
    B,
    M,
    along,
    alpha,
    c,
    epsilon,
    n,
    o,
    t,
)
from proofs_check.claims.hessian import TOP, root
from proofs_check.enclosure import certified, positive
from proofs_check.ledger import Claim, Verdict, by_lemma, step
from proofs_check.smt import implies
from proofs_check.symbolic import at, identity, limit

z, y, u, T = sp.symbols("z y u T", real=True)
TENTH = sp.Rational(1, 10)
LACK = sp.Rational(6, 5)
DIAGONAL = [sp.Eq(KAPPA, 0), epsilon >= TENTH, c > 0]
RATE = B - LACK
LOGISTIC = 4 * y / (1 + (100 * y - 1) * sp.exp(-2 * y * t))  # y = B - 6/5
ARRIVAL = sp.log(100 * y - 1) / (2 * y)
LARGE = sp.Symbol("y", positive=True)
EXPONENT = 1 + (LARGE + LACK) * sp.log(100 * LARGE - 1) / (2 * LARGE)
RATIO = LARGE / 2 * sp.exp(-EXPONENT)


def _above_sixtieth(log_y: arb) -> arb:
    """The bound of the ratio over sqrt(y), less 1/60, at y = e^(log_y)."""
    large = log_y.exp()
    exponent = 1 + (1 + arb("1.2") / large) * (100 * large - 1).log() / 2
    return large.sqrt() / 2 * (-exponent).exp() - arb(1) / 60


def _decayed() -> tuple[bool | None, str]:
    """8 B^2 e^(-B/5) <= 1 at B = 100, the left end of the range."""
    value = 8 * arb(100) ** 2 * (-arb(20)).exp()
    return (True if value < 1 else False if value > 1 else None), f"8 B^2 e^(-B/5) = {value}"


WITNESS = (
    "import numpy as np; from linmodel import OpposingSignals as P, State as S, gradient_flow as "
    "f; g = np.linspace(0, 10, 501); r = [max(f(P(10*B*B, B, 4), S(1, .1, .19**.5, .8**.5), "
    "g/B).sharpness.values / (10*B*B*np.exp(g))) for B in (1e3, 1e4, 1e5)]; assert r[2] > 2*r[1] "
    "> 4*r[0] > 8, r"
)
S5 = Claim(
    "S5",
    "Sharpness is O(alpha exp(||beta|| t)), as the authors state it",
    "There is a K with lambda_max(t) <= K alpha e^(Bt) for every problem and every t >= 0 (factor "
    "1/2 in the loss, standing hypotheses). False: on the family alpha = 10 B^2, k = 4, start (1, "
    "0.1, sqrt(0.19), sqrt(0.8)) the ratio lambda_max/(alpha e^(Bt)) exceeds a bound that grows "
    "like sqrt(B)/(20 e), for every B >= 100.",
    r"\lambda_{\max}(t) = O\!\left(\alpha e^{\|\beta\|t}\right)",
    Verdict.REFUTED,
    source="authors (reply on bounds in time, their Equation 68)",
    hypotheses=("loss with the factor 1/2", "K independent of the problem"),
    steps=(
        step(
            "kappa = 0 on the family, and epsilon >= 1/10 for all time (F3), so c >= epsilon >= "
            "1/10.",
            identity(
                at(KAPPA, {c: 1, epsilon: TENTH, n: sp.sqrt(sp.Rational(19, 100)),
                           o: sp.sqrt(sp.Rational(4, 5))}),
                reads=r"\kappa(1,\tfrac1{10},\sqrt{0.19},\sqrt{0.8})=0"),
            implies(DIAGONAL, (c >= epsilon) & (c >= TENTH)),
        ),
        by_lemma(
            "Gronwall",
            "alpha = 10 B^2 makes (o^2)' <= -(B^2/5) o^2: at t >= 1/B, alpha o^2 <= 8 B^2 "
            "e^(-B/5).",
            inequality=implies(
                [c >= TENTH, sp.Eq(alpha, 10 * B**2)], along(o**2) <= -(B**2) / 5 * o**2
            ),
        ),
        by_lemma(
            "monotone",
            "8 B^2 e^(-B/5) falls for B > 10 and is below 1 at B = 100: alpha o^2 <= 1 from 1/B "
            "on.",
            sign=(
                identity(sp.Derivative(8 * B**2 * sp.exp(-B / 5), B),
                    (2 / B - sp.Rational(1, 5)) * 8 * B**2 * sp.exp(-B / 5),
                ),
                implies([B >= 100], 2 / B - sp.Rational(1, 5) < 0),
                certified(_decayed, formula=r"8B^2e^{-B/5}\le 1\ (B=100)"),
            ),
        ),
        by_lemma(
            "comparison",
            "From t = 1/B on, z = (c + epsilon)^2 has z' >= 2z (B - 6/5 - z/4), z(1/B) >= 1/25, "
            "and lies above the logistic curve with y = B - 6/5, which is 2y at 1/B + ln(100y - "
            "1)/(2y).",
            inequality=(
                identity(
                    VELOCITY[0] + VELOCITY[1], (c + epsilon) * (B - c * epsilon) - c * M
                ),
                implies(
                    [c >= TENTH, epsilon >= TENTH, n**2 <= sp.Rational(19, 100),
                     alpha * o**2 <= 1],
                    c * M <= (c + epsilon) * LACK,
                ),
                implies(
                    [c >= TENTH, epsilon >= TENTH, T >= 0, (c + epsilon) * LACK >= T],
                    2 * (c + epsilon) * ((c + epsilon) * (B - c * epsilon) - T)
                    >= 2 * (c + epsilon) ** 2 * (RATE - (c + epsilon) ** 2 / 4),
                ),
                implies([c >= TENTH, epsilon >= TENTH], (c + epsilon) ** 2 >= sp.Rational(1, 25)),
            ),
            solution=(
                identity(sp.Derivative(LOGISTIC, t), 2 * LOGISTIC * (y - LOGISTIC / 4)),
                identity(sp.Subs(LOGISTIC, t, 0), sp.Rational(1, 25)),
                identity(sp.Subs(LOGISTIC, t, ARRIVAL), 2 * y),
            ),
        ),
        step(
            "There c^2 >= z/4 >= y/2, as c >= epsilon.",
            implies([c >= epsilon, epsilon >= 0, (c + epsilon) ** 2 >= 2 * y], c**2 >= y / 2),
        ),
        by_lemma(
            "unbounded",
            "lambda_max/(alpha e^(Bt)) >= c^2 e^(-Bt) (H2) is at least (y/2) e^-1 "
            "(100y-1)^(-B/(2y)) there, which tends to infinity: its quotient by sqrt(y) tends to "
            "1/(20 e).",
            lower=identity((B * (1 / B + ARRIVAL)).subs(B, y + LACK).subs(y, LARGE), EXPONENT),
            limit=(
                limit(RATIO / sp.sqrt(LARGE), LARGE, sp.oo, sp.exp(-1) / 20),
                limit(sp.sqrt(LARGE), LARGE, sp.oo, sp.oo),
            ),
        ),
        step(
            "Explicitly: the bound is above sqrt(B - 6/5)/60 for 100 <= B <= 1e6 (y = e^L).",
            positive(
                _above_sixtieth,
                {"log_y": (arb("98.8").log().lower(), arb("999998.8").log().upper())},
                formula=r"\tfrac y2e^{-Bt_*}>\sqrt y/60,\quad 98.8\le y\le999998.8",
            ),
        ),
    ),
    rests_on=("F1", "F3", "M6", "H2"),
    witness=WITNESS,
    by_hand="the family is admissible for every B >= 100; S5's K would bound it",
)  # fmt: skip
z0, q0, w0 = sp.symbols("z0 q0 w0", real=True)
SIZE = sp.Rational(3, 2) * alpha * (c**2 + o**2)
E = sp.Symbol("E", real=True)  # e^(2Bt) >= 1
S5B = Claim(
    "S5b",
    "Sharpness is O(e^(2Bt)): what holds instead of S5",
    "lambda_max(t) <= (3/2 alpha (Z + o0^2) + 2 (Z + n0^2) + B) e^(2Bt) with Z = c0^2 + "
    "epsilon0^2.",
    r"\lambda_{\max}(t)\le\left(\tfrac32\alpha(Z+o_0^2)+2(Z+n_0^2)+B\right)e^{2Bt}",
    Verdict.PROVED,
    hypotheses=("B >= 0", "alpha >= 0", "loss with the factor 1/2"),
    steps=(
        step(
            "H2's S is at most 3/2 alpha (c^2 + o^2).",
            implies(
                [alpha >= 0, root >= 0, sp.Eq(root**2, (c**2 - o**2) ** 2 + 16 * c**2 * o**2)],
                TOP <= SIZE,
            ),
        ),
        step(
            "max(|b|^2, c^2) + |2cb - beta| <= 2 (c^2 + epsilon^2 + n^2) + B, for |2cb-beta| <= "
            "2|c||b| + B.",
            implies(
                [T >= 0, u >= 0, B >= 0, sp.Eq(u**2, epsilon**2 + n**2), 2 * z * u + B >= T,
                 z >= 0, sp.Eq(z**2, c**2)],
                c**2 + u**2 + T <= 2 * (c**2 + epsilon**2 + n**2) + B,
            ),
            implies(
                [u >= 0, z >= 0, sp.Eq(u**2, epsilon**2 + n**2), sp.Eq(z**2, c**2)],
                -c * epsilon <= z * u,
            ),
            implies(
                [B >= 0, -c * epsilon <= y, sp.Eq(y**2, c**2 * (epsilon**2 + n**2))],
                (2 * c * epsilon - B) ** 2 + 4 * c**2 * n**2 <= (2 * y + B) ** 2,
            ),
        ),
        step(
            "c^2 + epsilon^2 <= Z e^(2Bt) by F8; n^2 and o^2 do not grow; e^(2Bt) >= 1.",
            implies([alpha >= 0], (along(n**2) <= 0) & (along(o**2) <= 0)),
            implies([E >= 1, q0 >= 0, o**2 <= q0], o**2 <= q0 * E),
            implies(
                [alpha >= 0, c**2 + epsilon**2 <= z0 * E, o**2 <= q0 * E],
                sp.Rational(3, 2) * alpha * (z0 + q0) * E >= SIZE,
            ),
            implies(
                [B >= 0, E >= 1, c**2 + epsilon**2 <= z0 * E, n**2 <= w0 * E],
                2 * (c**2 + epsilon**2 + n**2) + B <= (2 * (z0 + w0) + B) * E,
            ),
            implies([z * E >= T, u <= y * E], T + u <= (z + y) * E),
        ),
    ),
    rests_on=("H2", "F8"),
    by_hand="|2cb - beta| <= 2|c||b| + B is the triangle inequality",
)  # fmt: skip
CLAIMS = (S5, S5B)
