"""Statements that were only tried: random examples, with a seed. Never called a proof."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from proofs_check.ledger import Check, Outcome, Verdict


def holds(
    draw: Callable[[np.random.Generator], dict],
    predicate: Callable[..., bool],
    *,
    examples: int,
    seed: int = 0,
    formula: str = "",
) -> Check:
    """Try predicate(**draw(rng)) on `examples` draws; the first failure refutes.

    `error` unless the predicate answers True or False: a NaN counts as true in Python.
    """
    if examples < 1:
        raise ValueError(f"examples is {examples}; at least one is needed")

    def decide() -> Outcome:
        rng = np.random.default_rng(seed)
        for i in range(examples):
            example = draw(rng)
            answer = predicate(**example)
            if not isinstance(answer, bool | np.bool_):
                return Outcome(Verdict.ERROR, f"example {i}: {answer!r} is neither true nor false")
            if not answer:
                return Outcome(Verdict.REFUTED, f"example {i} fails: {example}")
        return Outcome(Verdict.TESTED, f"{examples} examples, seed {seed}")

    return Check("sampling", decide, lambda: formula)
