"""The ledger: every statement about the model, how it is checked, and its verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import proofs_check.installed  # noqa: F401  first: it says which extra is missing
from linmodel.arguments import typed
from linmodel.errors import InvalidInput, refuse
from linmodel.extra import require
from proofs_check.ledger import Claim, Result, Verdict, decide

__all__ = [
    "Claim",
    "InvalidInput",
    "Result",
    "Verdict",
    "catalogue",
    "claims_table",
    "register",
    "run",
]
_registered: dict[str, Claim] = {}  # claims of a user's own, for this process


@typed
def catalogue(ids: Iterable[str] | None = None) -> list[Claim]:
    """The claims of the ledger (all, or those named) and of `register`, without running anything.

    Raises InvalidInput for an id that the ledger does not have.
    """
    require("the ledger", "prove", "sympy", "z3")
    from proofs_check.claims import all_claims  # late: sympy and z3 take a second to import

    known = all_claims() | _registered
    if ids is None:
        return list(known.values())
    wanted = list(ids)
    for name in wanted:
        if name not in known:
            refuse("claim id", name, f"one of {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(wanted)]


@typed
def register(*claims: Claim) -> None:
    """Add claims of your own to the ledger for as long as this process runs.

    What they rest on must be in the ledger, registered before or given with them. Nothing is run:
    `run([claim.id])` does, and records no certificate.

    Raises InvalidInput for an id that is taken or a claim that rests on an unknown one.
    """
    _registered.update(_own(claims))


def _own(claims: Iterable[Claim]) -> dict[str, Claim]:
    """The user's claims by id, checked against the ledger's."""
    known = {claim.id: claim for claim in catalogue()}
    own: dict[str, Claim] = {}
    for claim in claims:
        if claim.id in own or known.get(claim.id, claim) is not claim:
            refuse("id of a claim", claim.id, "one that no other claim has")
        own[claim.id] = claim
    for claim in own.values():
        for name in claim.rests_on:
            if name not in known | own:
                refuse(
                    f"what {claim.id} rests on", name, "the id of a claim of the ledger or yours"
                )
    return own


def claims_table() -> list[dict[str, str]]:
    """Of every claim id, title, statement, latex, source, recorded, function; runs nothing."""
    fields = ("id", "title", "statement", "latex", "source", "recorded", "function")
    return [{name: str(getattr(claim, name)) for name in fields} for claim in catalogue()]


@typed
def run(
    ids: Iterable[str | Claim] | None = None,
    each: Callable[[Result], object] = lambda result: None,
) -> list[Result]:
    """Check the claims (all, or those named or given, with what they rest on): their results.

    ids     ids, or claims of your own, which may rest on the ledger's and on each other
    each    called with every result as it comes
    Raises InvalidInput for an id that the ledger does not have, and as `register` does.
    """
    given = None if ids is None else list(ids)
    own = _own(one for one in given or () if isinstance(one, Claim))
    known = {claim.id: claim for claim in catalogue()} | own
    names = [one.id if isinstance(one, Claim) else one for one in given or ()]
    ledger = catalogue(None if given is None else [name for name in names if name not in own])
    wanted = list(dict.fromkeys(names)) if given is not None else [claim.id for claim in ledger]
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
