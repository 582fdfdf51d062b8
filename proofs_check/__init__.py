"""The ledger: every statement about the model, how it is checked, and its verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import proofs_check.installed  # noqa: F401  first: it says which extra is missing
from linmodel.arguments import typed
from linmodel.errors import InvalidInput, refuse
from linmodel.extra import require
from proofs_check.ledger import Claim, Result, Verdict, decide

__all__ = ["Claim", "InvalidInput", "Result", "Verdict", "catalogue", "claims_table", "run"]


@typed
def catalogue(ids: Iterable[str] | None = None) -> list[Claim]:
    """The claims of the ledger (all, or those named), without running anything.

    Raises InvalidInput for an id that the ledger does not have.
    """
    require("the ledger", "prove", "sympy", "z3")
    from proofs_check.claims import all_claims  # late: sympy and z3 take a second to import

    known = all_claims()
    if ids is None:
        return list(known.values())
    wanted = list(ids)
    for name in wanted:
        if name not in known:
            refuse("claim id", name, f"one of {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(wanted)]


def claims_table() -> list[dict[str, str]]:
    """What the report and README need of every claim (`fields` below); runs nothing."""
    fields = ("id", "title", "statement", "latex", "source", "recorded", "function")
    return [{name: str(getattr(claim, name)) for name in fields} for claim in catalogue()]


@typed
def run(
    ids: Iterable[str] | None = None, each: Callable[[Result], object] = lambda result: None
) -> list[Result]:
    """Check the claims (all, or those named, with what they rest on) and return their results.

    each    called with every result as it comes
    Raises InvalidInput for an id that the ledger does not have.
    """
    known = {claim.id: claim for claim in catalogue()}
    wanted = [claim.id for claim in catalogue(ids)]
    done: dict[str, Result] = {}

    def settle(name: str, above: tuple[str, ...] = ()) -> Verdict:
        if name in above:
            raise ValueError(f"claims rest on each other: {' -> '.join((*above, name))}")
        if name not in done:
            base = {other: settle(other, (*above, name)) for other in known[name].rests_on}
            done[name] = decide(known[name], base)
            if name in wanted:
                each(done[name])
        return done[name].verdict

    for name in wanted:
        settle(name)
    return [done[name] for name in wanted]
