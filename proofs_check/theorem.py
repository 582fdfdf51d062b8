"""A theorem that a user enters, with hypotheses and constants of their own: what is its verdict?

A TOML file (or the same as a dict):

    id = "T3.2"
    title = "my reading of Theorem 3.2"
    hypotheses = ["c0 == 1", "epsilon0 > 0", "epsilon0 < B", "alpha >= 1", "alpha >= C*B"]
    conclusion = "opposing_curvature <= alpha*B**2/epsilon**2"
    when = "always"          # at every t >= 0; or "start", "dip", "limit", "step"
    examples = 50            # how many random problems to try where nothing is decided
    [constants]
    C = "3/2"
    [ranges]                 # where to draw from; the rest has defaults
    alpha = [1, 1000]

Names: alpha, B, k, eta; the start c0, epsilon0, n0, o0, kappa; the state c, epsilon, n, o at the
time t; sharpness and opposing_curvature (= alpha c^2) there; your constants. A hypothesis `name ==
value` fixes the name. Loss with factor 1/2. All moments are the flow's but "step": there the state
is the one after a step of descent of size eta from the start.

The verdict is `proved` if the hypotheses and what the ledger has proved of the flow (facts below)
leave no counterexample (z3); `refuted` if a start is one (z3), or a random problem is, confirmed by
interval integration; `tested` if none of the examples is; else `open`. Only alpha >= 0, B >= 0,
k > 0, eta > 0 and t >= 0 count as counterexamples: nothing else is a problem, a step or a time.
What the ledger knows only under the standing hypotheses (F1-F5) is withheld where yours do not
give them, and the evidence says so.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import sympy as sp

from linmodel.errors import InvalidInput, integer, refuse
from proofs_check import catalogue
from proofs_check.claims.descent import NEXT
from proofs_check.claims.field import B, Q, alpha, c, epsilon, eta, n, o, t
from proofs_check.expressions import number, relation
from proofs_check.ledger import Check, Claim, Outcome, Result, Verdict, decide, step
from proofs_check.replay import found_by_z3, with_replay
from proofs_check.smt import implies
from proofs_check.trial import RANGES, Trial, try_examples

START = sp.symbols("c0 epsilon0 n0 o0", real=True)
c0, e0, n0, o0 = START
k, kappa, sharpness = sp.symbols("k kappa sharpness", real=True)
NAMES: dict[str, Any] = {
    str(name): name for name in (alpha, B, k, eta, *START, kappa, c, epsilon, n, o, t, sharpness)
} | {"opposing_curvature": alpha * c**2}
MOMENTS = ("always", "start", "dip", "limit", "step")
KEYS = ("id", "title", "hypotheses", "conclusion", "when", "examples", "constants", "ranges")
ANY_START = ("start", "step")  # what is known there needs no hypotheses
STANDING_START = (c0 > 0) & (e0 >= 0) & (c0 * e0 < B) & (alpha > 0)
ONE_DIP = STANDING_START & (2 * alpha > 1)  # F4
CONSERVED = sp.Eq(c**2 - epsilon**2 - n**2 - o**2, kappa)
AT_START = sp.Eq(kappa, c0**2 - e0**2 - n0**2 - o0**2)
DOMAIN = (alpha >= 0, B >= 0, k > 0, eta > 0, t >= 0)  # what a problem and a time may be at all
# H2, and the upper bound of lambda_max that S5b proves from it
RANGE = (
    sharpness >= alpha * c**2,
    sharpness <= sp.Rational(3, 2) * alpha * (c**2 + o**2) + 2 * (c**2 + epsilon**2 + n**2) + B,
)
EVERYWHERE = (
    *(n**2 <= n0**2, o**2 <= o0**2, n * n0 >= 0, o * o0 >= 0),  # the equations of n and o
    *(CONSERVED, *RANGE),
)
BY_STANDING = (
    *(c > 0, epsilon >= e0, c * epsilon < B),  # F1-F3
    *EVERYWHERE,
)
RESTS_ON = ("F1", "F2", "F3", "F4", "F5", "M6", "M7", "H2", "S5b", "G1")
FACTS: dict[str, tuple[Any, ...]] = {
    "always": BY_STANDING,
    "start": tuple(sp.Eq(a, b) for a, b in zip((c, epsilon, n, o), START, strict=True)) + RANGE,
    "step": tuple(
        sp.Eq(after, step_taken.subs(dict(zip((c, epsilon, n, o), START, strict=True))))
        for after, step_taken in zip((c, epsilon, n, o), NEXT, strict=True)
    )
    + RANGE,
    "dip": (
        *BY_STANDING,
        c <= c0,
        sp.Eq(epsilon * B, c * Q) | (sp.Eq(c, c0) & (epsilon * B >= c * Q)),
    ),
    "limit": (
        *(c > 0, sp.Eq(c * epsilon, B), sp.Eq(n, 0), sp.Eq(o, 0), CONSERVED),
        *(sharpness >= alpha * c**2, sharpness >= c**2 + epsilon**2),
        sp.Eq(sharpness, alpha * c**2) | sp.Eq(sharpness, c**2 + epsilon**2),
    ),
}


ASKED = "hypotheses do not give c0 > 0, epsilon0 >= 0, c0 epsilon0 < B, alpha >"
WITHHELD = {
    "always": f"F1-F3 were withheld: the {ASKED} 0",
    "dip": f"F1-F4, M6, M7, H2 were withheld: the {ASKED} 1/2",
    "limit": f"F5, M6, H2 were withheld: the {ASKED} 0",
}


def check_theorem(source: str | Path | Mapping[str, Any]) -> Result:
    """The verdict on a user's theorem, from a TOML file or a dict: its keys are in
    `python -m proofs_check theorem --help`.

    Raises InvalidInput for a missing or malformed file, an unknown key or name, a bad formula.
    """
    entry = source if isinstance(source, Mapping) else _load(Path(source))
    trial = read(entry)
    check = Check("z3, then sampling", lambda: _settle(trial), lambda: sp.latex(trial.conclusion))
    claim = Claim(
        str(entry.get("id", "T")),
        str(entry.get("title", "a user's theorem")),
        f"{entry['conclusion']} ({trial.when})",
        sp.latex(trial.conclusion),
        Verdict.OPEN,
        source="user",
        hypotheses=tuple(map(str, entry["hypotheses"])),
        steps=(step("the conclusion under the hypotheses", check),),
        rests_on=RESTS_ON,
        reason="entered by a user: nothing is recorded",
    )
    recorded = {base.id: base.recorded for base in catalogue(RESTS_ON)}
    return decide(claim, recorded)


def _load(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        refuse("theorem file", str(path), "an existing TOML file")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        refuse("theorem file", str(path), "a TOML file", str(error))


def read(entry: Mapping[str, Any]) -> Trial:
    """The entry, validated and parsed. Raises InvalidInput."""
    for key in entry:
        if key not in KEYS:
            refuse("key of the theorem", key, f"one of {', '.join(KEYS)}")
    for key in ("hypotheses", "conclusion"):
        if key not in entry:
            raise InvalidInput(f"the theorem has no key {key!r}: it needs hypotheses (a list of "
                               "formulas) and a conclusion (a formula).")  # fmt: skip
    if not isinstance(entry["hypotheses"], list | tuple):
        refuse("hypotheses", entry["hypotheses"], "a list of formulas")
    when = entry.get("when", "always")
    if when not in MOMENTS:
        refuse("when", when, f"one of {', '.join(MOMENTS)}")
    constants = {
        name: number(f"constant {name}", value)
        for name, value in _table(entry, "constants").items()
    }
    for name in constants:
        if name in NAMES or not name.isidentifier():
            refuse("constant's name", name, f"a name other than {', '.join(NAMES)}")
    names = NAMES | constants
    return Trial(
        tuple(relation(text, names) for text in entry["hypotheses"]),
        relation(entry["conclusion"], names),
        when,
        integer("examples", entry.get("examples", 50), low=1),
        _ranges(_table(entry, "ranges")),
    )


def _table(entry: Mapping[str, Any], key: str) -> dict[str, Any]:
    given = entry.get(key, {})
    if not isinstance(given, Mapping):
        refuse(key, given, "a table of names with their values")
    return dict(given)


def _ranges(given: dict[str, Any]) -> dict[str, tuple[float, float]]:
    ranges = dict(RANGES)
    for name, pair in given.items():
        if name not in RANGES:
            refuse("range's name", name, f"one of {', '.join(RANGES)}")
        if not (isinstance(pair, list | tuple) and len(pair) == 2):
            refuse(f"range of {name}", pair, "two numbers, the lower first")
        low, high = (float(number(f"range of {name}", end)) for end in pair)
        if low > high:
            refuse(f"range of {name}", pair, "the lower end first", "Swap the ends.")
        ranges[name] = (low, high)
    return ranges


def _settle(trial: Trial) -> Outcome:
    """Proof; then a counterexample among the starts or the ends; then random examples."""
    given = [*trial.hypotheses, *DOMAIN, AT_START]
    standing = _ask(given, ONE_DIP if trial.when == "dip" else STANDING_START)
    if standing.verdict == Verdict.ERROR:
        return standing
    ready = trial.when in ANY_START or standing.verdict == Verdict.PROVED
    facts = FACTS[trial.when] if ready else EVERYWHERE if trial.when == "always" else None
    if facts is not None:
        found = _ask([*given, *facts], trial.conclusion)
        exact = trial.when == "limit" or (
            trial.when == "step" and not trial.conclusion.has(sharpness)
        )
        if exact and found.verdict == Verdict.REFUTED:
            return with_replay(found, trial.conclusion, trial.when, found_by_z3(found.evidence))
        if found.verdict in (Verdict.PROVED, Verdict.ERROR):
            return found
    tried = _without_proof(trial, given)
    if ready or tried.verdict == Verdict.REFUTED:
        return tried
    return replace(tried, evidence=f"{tried.evidence}; {WITHHELD[trial.when]}")


def _without_proof(trial: Trial, given: list[Any]) -> Outcome:
    """A counterexample among the starts, then random examples."""
    if trial.when in ("always", "start") and not trial.conclusion.has(sharpness, t):
        found = _ask([*given, *FACTS["start"]], trial.conclusion)
        if found.verdict == Verdict.REFUTED:
            shown = Outcome(Verdict.REFUTED, f"at the start: {found.evidence}")
            return with_replay(shown, trial.conclusion, "start", found_by_z3(found.evidence))
    try:
        return try_examples(trial)
    except TypeError as error:  # sympy compares no complex numbers
        if "non-real" not in str(error):
            raise
        refuse(
            "formula",
            f"not a real number where it was tried ({error})",
            "real wherever the hypotheses hold",
        )


def _ask(given: list[Any], then: Any) -> Outcome:
    """z3's answer; open where a formula is outside its language (exp, log, sqrt, min, max)."""
    beyond = (sp.exp, sp.log, sp.Max, sp.Min, sp.NumberSymbol)  # NumberSymbol: e = exp(1)
    if any(part.atoms(*beyond) or _roots(part) for part in [*given, then]):
        return Outcome(Verdict.OPEN, "not polynomial: z3 was not asked")
    return implies(given, then).decide()


def _roots(formula: sp.Basic) -> bool:
    return any(not power.exp.is_Integer for power in formula.atoms(sp.Pow))
