"""E1: what others state of minimal models, as verdicts on their claims in our model only."""

from __future__ import annotations

import sympy as sp

from proofs_check.claims.field import B, alpha
from proofs_check.ledger import Claim, Verdict, step
from proofs_check.smt import implies

kappa, after, X, Y = sp.symbols("kappa kappa_1 X Y", real=True)
ENDS = [X > 0, Y > 0, sp.Eq(X**2 - kappa * X - B**2, 0), sp.Eq(Y**2 - after * Y - B**2, 0)]
E1 = Claim(
    "E1",
    "Descent lowers the sharpness at which the flow from its weights would end",
    "Kreisler et al. prove it for scalar networks, under conditions. In our model: as long as "
    "kappa is >= 0 before and after a step (of GD or SGD), neither the opposing curvature "
    "alpha c_inf^2 nor the sharpness max(alpha c_inf^2, c_inf^2 + B^2/c_inf^2) of the flow's "
    "end rises. Where kappa < 0 it may (G8b).",
    r"\kappa\ge\kappa_+\ge0\Rightarrow\max\left(\alpha c_\infty^2,c_\infty^2+B^2/c_\infty^2\right)"
    r"\big|_{\kappa_+}\le\max(\cdots)\big|_\kappa",
    Verdict.PROVED,
    source="Kreisler, Nacson, Soudry, Carmon (arXiv 2305.13064), in our words and model",
    hypotheses=("the standing hypotheses at both points", "kappa >= 0 before and after the step"),
    steps=(
        step(
            "With X = c_inf^2 (F5) before and Y after, kappa_+ <= kappa (G8): Y <= X.",
            implies([*ENDS, after <= kappa], Y <= X),
            implies([alpha >= 0, Y <= X], alpha * Y <= alpha * X),
        ),
        step(
            "For kappa_+ >= 0, Y >= B, where X + B^2/X rises with X.",
            implies([Y > 0, B > 0, after >= 0, sp.Eq(Y**2 - after * Y - B**2, 0)], Y >= B),
            implies([B > 0, Y >= B, X >= Y], Y + B**2 / Y <= X + B**2 / X),
        ),
    ),
    rests_on=("G8", "F5"),
)
CLAIMS = (E1,)
