"""F13d: the plateau where |o0| > c0, for large alpha. Measured, not proved."""

from __future__ import annotations

import numpy as np

from linmodel.problem import State
from proofs_check.claims.field import DIP_WORDS
from proofs_check.claims.large_alpha import errors
from proofs_check.ledger import Claim, Verdict, step
from proofs_check.sampling import holds


def _at_order(start: State, b_norm: float) -> bool:
    """t1 is within 10 ln(alpha)/alpha; depth, edge fall like alpha^-0.9, -0.3, 1e3 to 1e5."""
    before, after = (errors(start, b_norm, size) for size in (1e3, 1e5))
    prompt = after[0] <= 10 * np.log(1e5) / 1e5
    return bool(prompt and (after[1:] / before[1:] <= 100.0 ** -np.array([0.9, 0.3])).all())


def _draw(rng: np.random.Generator) -> dict:
    start = State(1.0, rng.uniform(0.2, 0.4), rng.uniform(0, 0.3), rng.uniform(1.2, 1.5))
    return {"start": start, "b_norm": rng.uniform(1, 5)}


F13D = Claim(
    "F13d",
    "The plateau: dip and crossing of 2/eta for large alpha and |o0| > c0",
    "With m^2 = o0^2 - c0^2, M^2 = m^2 + epsilon0^2: c falls to epsilon0 B/(alpha m^2) at t1 = "
    "ln(alpha^3 m^7 c0/(|o0| epsilon0 B^3 (1 + 2 epsilon0^2/m^2)))/(alpha m^2), both with relative "
    "error O(ln(alpha)/alpha); 2/eta is crossed only at a time alpha (M^2 ln(M/epsilon0) - m^2/2)/"
    "B^2 + O(1), known up to O(alpha^(-1/3)).",
    r"t_{edge}=\tfrac{\alpha}{B^2}\left(M^2\ln\tfrac M{\epsilon_0}-\tfrac{m^2}2\right)+O(1)",
    Verdict.TESTED,
    hypotheses=(*DIP_WORDS, "epsilon0 > 0", "|o0| > c0", "eta alpha fixed"),
    steps=(
        step(
            "Measured: t1 within 10 ln(alpha)/alpha; orders of depth and edge at least 0.9, 0.3.",
            holds(_draw, _at_order, examples=2, seed=1),
        ),
    ),
    rests_on=("F4",),
    reason="the matching along the slow curve is done on paper; its error is only measured",
    function="asymptotics.edge_time",
    by_hand="the whole expansion along the slow curve and its matching at both ends are by "
    "hand: the check only measures the result",
)
CLAIMS = (F13D,)
