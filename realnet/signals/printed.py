"""Answers as lines to read and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from realnet.signals.answer import Answer


def lines(signals: Sequence[Answer], notes: Sequence[str]) -> list[str]:
    """One paragraph a signal that was found; one line for each that was not, with its p-value."""
    printed = [f"note: {note}" for note in notes]
    for index, one in enumerate(signals, 1):
        if not one.found:
            printed.append(
                f"not found: {one.sentence[:-1]}, p = {one.p_value:.2g}; "
                f"holds: {', '.join(one.holds) or 'nothing'}."
            )
            continue
        printed.append(f"signal {index} ({one.mode}), p = {one.p_value:.2g}: {one.sentence}")
        printed.append(
            f"  {one.curvature_share:.0%}{_within(one, 'curvature_share')} of the top eigenvalue, "
            f"{one.energy_share:.0%}{_within(one, 'energy_share')} of the swings' "
            f"energy; effective samples {one.effective_plus:.1f} and {one.effective_minus:.1f}; "
            f"holds: {', '.join(one.holds) or 'a jump'}"
        )
        if one.chance is not None:
            printed.append(
                f"  swings {one.chance.swing_ratio:.2g} times random groups of the same classes "
                f"(p = {one.chance.swing_p:.2g}); antiphase {one.chance.antiphase:.2f}, of random "
                f"groups down to {one.chance.antiphase_low:.2f}"
            )
    if not any(one.found for one in signals):
        printed.append("no opposing signal beats its null")
    return printed


def _within(one: Answer, name: str) -> str:
    low, high = one.intervals.get(name, (float("nan"),) * 2)
    return f" [{low:.0%}, {high:.0%}]" if low == low else ""


def as_json(signals: Sequence[Answer], notes: Sequence[str]) -> str:
    """{"pairs": those found, "not_found": the others, "notes": [...]}; fields as in `Answer`."""
    content = {
        "pairs": [one.as_dict() for one in signals if one.found],
        "not_found": [one.as_dict() for one in signals if not one.found],
        "notes": list(notes),
    }
    return json.dumps(content, indent=1, allow_nan=False) + "\n"
