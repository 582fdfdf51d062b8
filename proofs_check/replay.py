"""A counterexample to a user's theorem as one line of Python that shows it again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sympy as sp

from proofs_check.ledger import Outcome, Verdict, replayed

STARTS = ("c0", "epsilon0", "n0", "o0")
DEFAULTS = {"alpha": "1", "B": "1", "k": "1", "eta": "1", **dict.fromkeys(STARTS, "0")}
FLOW = (
    "f = gradient_flow(p, s, [0.0, t] if t > 0 else [0.0]).isel(time=-1); "
    'c, epsilon, n, o, sharpness = (float(f[x]) for x in ("c", "epsilon", "n", "o", "sharpness"))'
)
LIMIT = (
    "from linmodel.bounds import limit; "
    "c, epsilon, _, sharpness = map(float, limit(p, s)); n = o = 0.0"
)
START = "c, epsilon, n, o = s; sharpness = float(sharpness(p, s))"
STEP = (
    "f = gradient_descent(p, s, eta, 1).isel(time=-1); "
    'c, epsilon, n, o, sharpness = (float(f[x]) for x in ("c", "epsilon", "n", "o", "sharpness"))'
)
AT = {"start": START, "limit": LIMIT, "always": FLOW, "step": STEP}


def with_replay(outcome: Outcome, conclusion: Any, when: str, values: Mapping[str, Any],
                time: float = 0.0) -> Outcome:  # fmt: skip
    """`outcome`, a refutation, with the line; or with a word that floats do not show it.

    The line is run before it is shown: it must fail the conclusion in floating point too.
    """
    text = line(conclusion, when, values, time)
    if replayed(text).verdict != Verdict.REFUTED:
        return replace(outcome, evidence=f"{outcome.evidence}; too close to be seen in floats")
    return replace(outcome, replay=text)


def line(conclusion: Any, when: str, values: Mapping[str, Any], time: float = 0.0) -> str:
    """Problem, start, state at the moment, and the assertion that the conclusion is false."""
    given = {name: _number(values.get(name, default)) for name, default in DEFAULTS.items()}
    names = ", ".join(given)
    parts = [
        "import math; from linmodel import *",
        f"{names}, t = {', '.join(given.values())}, {time!r}",
        "p, s = OpposingSignals(alpha, B, k), State(c0, epsilon0, n0, o0)",
        f"kappa = s.kappa; {AT[when]}",
        f"assert not {sp.pycode(conclusion)}",
    ]
    return "; ".join(parts)


def found_by_z3(evidence: str) -> dict[str, str]:
    """The values in "counterexample: B = 1, alpha = 2/3, c0 = 1.41?" (? : rounded)."""
    return {
        name: value.rstrip("?")
        for name, value in re.findall(r"(\w+) = (-?[\d./]+\??)(?=,|$)", evidence)
    }


def _number(value: Any) -> str:
    text = str(value)
    return text if re.fullmatch(r"-?\d+(/\d+)?", text) else repr(float(text))
