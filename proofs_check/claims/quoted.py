"""S12-S14 and the paper's own theorems: what reviewers quote, the local model, single samples."""

from __future__ import annotations

import sympy as sp

from proofs_check.claims.field import STANDING_WORDS, B, M, V, along, alpha, c, epsilon, eta
from proofs_check.claims.flow import m, v
from proofs_check.claims.paper import AUTHORS
from proofs_check.ledger import Claim, Verdict, by_lemma, step
from proofs_check.smt import implies
from proofs_check.symbolic import identity, times, total

delta = sp.Symbol("delta", real=True)
S12 = Claim(
    "S12",
    "Sharpness increases linearly in ||beta|| until some time t2",
    "Read as a rate: until t2, when c epsilon reaches (1-delta) B, 2 delta alpha B c epsilon - 2 "
    "alpha c^2 (n^2 + alpha o^2) <= (alpha c^2)' <= 2 alpha B c epsilon: the rate is linear in B "
    "up to what n and o take, at a given state. Read as a limit: at kappa = 0 the final sharpness "
    "is max(alpha, 2) B (F5). In these two senses only: at a given time it is not a linear "
    "function of B (S12b).",
    r"2\delta\alpha Bc\epsilon-2\alpha c^2(n^2+\alpha o^2)\le(\alpha c^2)^{\boldsymbol\cdot}"
    r"\le2\alpha Bc\epsilon",
    Verdict.PROVED,
    source="reviewer, quoting Theorem 3.2",
    hypotheses=(*STANDING_WORDS, "0 < delta < 1"),
    steps=(
        step(
            "(alpha c^2)' = 2 alpha c (epsilon v - c m), delta B <= v <= B.",
            identity(along(alpha * c**2), 2 * alpha * c * (epsilon * V - c * M)),
            implies(
                [c > 0, epsilon >= 0, alpha > 0, B > 0, m >= 0, v >= delta * B, v <= B, delta > 0],
                (2 * alpha * c * (epsilon * v - c * m) <= 2 * alpha * B * c * epsilon)
                & (
                    2 * alpha * c * (epsilon * v - c * m)
                    >= 2 * delta * alpha * B * c * epsilon - 2 * alpha * c**2 * m
                ),
            ),
            implies([c >= 0, epsilon >= 0], V <= B),
        ),
    ),
    rests_on=("F2", "F5"),
    by_hand="linear in B is read as a rate at a given state, and as the limit at kappa = 0",
)
S12B = Claim(
    "S12b",
    "Read as a value: at a fixed time the sharpness is a linear function of ||beta||",
    "At a fixed time the sharpness is linear (affine) in B. False, already for the closed form "
    "alpha = 1: it first grows exponentially in B.",
    r"\lambda_{\max}(t)=a(t)+b(t)\|\beta\|",
    Verdict.REFUTED,
    source="reviewer, quoting Theorem 3.2",
    witness=(
        "from linmodel import *; from linmodel.certified import certified_flow as g; "
        "s = State(1, .1, .19**.5, .8**.5); f = [g(OpposingSignals(1.0, B), s, [0, 1])"
        ".sharpness.values[1] for B in (0.5, 1.0, 1.5)]; "
        "assert all(a <= b for a, b in f) and f[2][0] - 2*f[1][1] + f[0][0] > 0.05 * f[1][1] > 0, f"
    ),
)
g, h, lam = sp.symbols("g h lambda", real=True)
S13 = Claim(
    "S13",
    "Past 2/eta descent no longer surely lowers its local quadratic model",
    "The quadratic model changes by -eta |g|^2 (1 - eta/2 R) over one step, R = g.Hg/|g|^2 <= "
    "lambda_max. If lambda_max <= 2/eta it never rises; if lambda_max > 2/eta it rises for a "
    "gradient along the top eigenvector.",
    r"m(-\eta g)-m(0)=-\eta|g|^2\left(1-\tfrac\eta2R\right)",
    Verdict.PROVED,
    source=AUTHORS,
    hypotheses=("eta > 0", "g != 0"),
    steps=(
        step(
            "The model at -eta g, with g.g = g2 and g.Hg = R g2.",
            identity(-eta * g + eta**2 / 2 * (h * g), -eta * g * (1 - eta / 2 * h)),
        ),
        by_lemma(
            "Rayleigh",
            "R <= lambda_max, with equality along the top eigenvector.",
            quotient=(
                implies(
                    [eta > 0, g > 0, h <= lam, lam <= 2 / eta], -eta * g * (1 - eta / 2 * h) <= 0
                ),
                implies([eta > 0, g > 0, sp.Eq(h, lam), lam > 2 / eta],
                        -eta * g * (1 - eta / 2 * h) > 0),
            ),
        ),
    ),
    by_hand="the local quadratic model is L + g.s + s.Hs/2",
)  # fmt: skip
N, top = sp.symbols("N Lambda", real=True)
S14 = Claim(
    "S14",
    "Removing samples of large curvature along the top eigenvector must lower the sharpness",
    "If a sample's Hessian has more curvature along the top eigenvector than the average, the "
    "mean over the others has a smaller largest eigenvalue. False: diag(2, 0) and diag(0, 1.9) "
    "average to diag(1, 0.95); without the first the largest eigenvalue is 1.9.",
    r"v^\top H_iv>\lambda_{\max}\Rightarrow\lambda_{\max}(\overline{H}_{-i})<\lambda_{\max}",
    Verdict.REFUTED,
    source=AUTHORS,
    witness=(
        "import numpy as np; a, b = np.diag([2.0, 0]), np.diag([0, 1.9]); "
        "top = lambda h: np.linalg.eigvalsh(h)[-1]; "
        "assert a[0, 0] > top((a + b) / 2) and top(b) > top((a + b) / 2)"
    ),
)
S14B = Claim(
    "S14b",
    "What removing one sample does to the sharpness",
    "Let H be the mean of N sample Hessians, v its top unit eigenvector, h = v.H_i v. Along v the "
    "mean of the others has curvature (N lambda - h)/(N-1), less than lambda iff h > lambda; so "
    "its largest eigenvalue is at least that, and, if H_i is positive semidefinite, at most N "
    "lambda/(N-1).",
    r"\frac{N\lambda-h}{N-1}\le\lambda_{\max}(\overline{H}_{-i})\le\frac{N\lambda}{N-1}",
    Verdict.PROVED,
    source="ours, in place of S14",
    hypotheses=("N >= 2", "the upper bound: H_i positive semidefinite"),
    steps=(
        by_lemma(
            "Rayleigh",
            "v.H_rest v = (N lambda - h)/(N - 1).",
            quotient=(
                identity((N * lam - h) / (N - 1) - lam, (lam - h) / (N - 1)),
                implies([N >= 2, h > lam], (N * lam - h) / (N - 1) < lam),
                implies([N >= 2, h <= lam], (N * lam - h) / (N - 1) >= lam),
            ),
        ),
        by_lemma(
            "Weyl",
            "N H = (N-1) H_rest + H_i: leaving out a positive semidefinite part does not raise "
            "the top.",
            sum=identity(
                total(times((N * lam - h) / (N - 1), N - 1), h),
                N * lam,
                reads=r"(N-1)\tfrac{N\lambda-h}{N-1}+h=N\lambda",
            ),
            parts=implies([N >= 2, (N - 1) * top <= N * lam], top <= N * lam / (N - 1)),
        ),
    ),
    by_hand="the mean of the others is (N H - H_i)/(N - 1)",
)
NOT_OURS = (
    "the paper's own statement is not in the discussion that this ledger is made from; enter its "
    "hypotheses and constants with proofs_check.theorem and have them checked"
)
T31, T32 = (
    Claim(
        f"T3.{i}",
        f"The paper's Theorem 3.{i}",
        f"Theorem 3.{i} of Rosenfeld and Risteski (2024), with its own hypotheses and constants.",
        rf"\text{{Theorem 3.{i}}}",
        Verdict.OPEN,
        source="the paper",
        reason=NOT_OURS,
    )
    for i in (1, 2)
)
CLAIMS = (S12, S12B, S13, S14, S14B, T31, T32)
