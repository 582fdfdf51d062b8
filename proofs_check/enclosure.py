"""Bounds over whole boxes of parameters, by Arb intervals with bisection (python-flint)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flint import arb, ctx

from linmodel.errors import refuse
from proofs_check.ledger import Check, Outcome, Verdict

Box = Mapping[str, tuple[Any, Any]]  # numbers, strings or arb
BITS = 100
BOXES = 20_000


def positive(
    function: Callable[..., arb], box: Box, *, formula: str = "", boxes: int = BOXES
) -> Check:
    """Check function > 0 on the whole closed box; function takes arb keyword arguments.

    Cuts the widest side in two until every part is decided. `refuted` when a part has an interval
    wholly <= 0, `open` when `boxes` parts were not enough, or when an interval is not finite;
    `error` when the function returns anything but an arb: floats and booleans certify nothing.
    Ends given as strings ("0.1") are enclosed exactly, as floats are taken as they stand.
    Raises InvalidInput for a box with inverted ends.
    """
    ends = {name: _ends(name, pair) for name, pair in box.items()}
    return Check("arb", lambda: _bisect(function, ends, boxes), lambda: formula)


def certified(decide: Callable[[], tuple[bool | None, str]], *, formula: str = "") -> Check:
    """A check by one interval comparison: True, False (a counterexample) or None (undecided)."""

    def run() -> Outcome:
        with ctx.workprec(BITS):
            answer, evidence = decide()
        if answer is True:
            return Outcome(Verdict.CERTIFIED, evidence)
        return Outcome(Verdict.REFUTED if answer is False else Verdict.OPEN, evidence)

    return Check("arb", run, lambda: formula)


def below(*pairs: tuple[arb, arb]) -> bool | None:
    """Is a < b for every pair? None where balls overlap, so that nothing is certain."""
    if all(a < b for a, b in pairs):
        return True
    return False if any(a >= b for a, b in pairs) else None


def _ends(name: str, pair: tuple[Any, Any]) -> tuple[arb, arb]:
    low, high = arb(pair[0]), arb(pair[1])
    if not (low.is_finite() and high.is_finite()):
        refuse(f"box side {name}", pair, "two finite numbers, the lower first")
    if not (low.mid() <= high.mid()):
        refuse(f"box side {name}", pair, "the lower end first", "Swap the ends.")
    return low.lower(), high.upper()


def hull(low: arb, high: arb) -> arb:
    """The smallest ball that holds both ends."""
    return low.union(high)


def _bisect(function: Callable[..., arb], ends: dict[str, tuple[arb, arb]], boxes: int) -> Outcome:
    with ctx.workprec(BITS):
        waiting = [ends]
        done = 0
        while waiting:
            if done + len(waiting) > boxes:
                return Outcome(Verdict.OPEN, f"undecided after {done} parts; near {_show(ends)}")
            ends = waiting.pop()
            value = _ball(function(**{name: hull(*pair) for name, pair in ends.items()}))
            if value > 0:
                done += 1
                continue
            if value <= 0:
                return Outcome(Verdict.REFUTED, f"not positive on all of {_show(ends)}: {value}")
            middle = {name: (low + high) / 2 for name, (low, high) in ends.items()}
            if _ball(function(**middle)) <= 0:
                return Outcome(Verdict.REFUTED, f"not positive at {_show_point(middle)}")
            if all(low == high for low, high in ends.values()):
                return Outcome(Verdict.OPEN, f"undecided at the point {_show(ends)}: {value}")
            waiting += _halves(ends)
    return Outcome(Verdict.CERTIFIED, f"positive on every one of {done} parts of the box (Arb)")


def _ball(value: Any) -> arb:
    if not isinstance(value, arb):
        raise TypeError(f"{value!r} is not an arb: it encloses nothing")
    return value


def _halves(ends: dict[str, tuple[arb, arb]]) -> list[dict[str, tuple[arb, arb]]]:
    widest = max(ends, key=lambda name: float(ends[name][1] - ends[name][0]))
    low, high = ends[widest]
    middle = ((low + high) / 2).mid()
    return [{**ends, widest: (low, middle)}, {**ends, widest: (middle, high)}]


def _show(ends: dict[str, tuple[arb, arb]]) -> str:
    return ", ".join(f"{name} in [{float(a):.6g}, {float(b):.6g}]" for name, (a, b) in ends.items())


def _show_point(point: dict[str, arb]) -> str:
    return ", ".join(f"{name} = {float(value.mid()):.6g}" for name, value in point.items())
