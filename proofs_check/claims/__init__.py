"""Every claim of the ledger: each module here that has a tuple CLAIMS contributes it."""

from __future__ import annotations

import importlib
import pkgutil
import re
from functools import cache

from proofs_check.ledger import Claim


@cache
def all_claims() -> dict[str, Claim]:
    """All claims by id, in the order M, H, F, G, S and others, numbers ascending.

    Raises ValueError when two claims share an id or one rests on an id that does not exist.
    """
    claims: dict[str, Claim] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        for claim in getattr(importlib.import_module(f"{__name__}.{module}"), "CLAIMS", ()):
            if claim.id in claims:
                raise ValueError(f"two claims have the id {claim.id}")
            claims[claim.id] = claim
    for claim in claims.values():
        for name in claim.rests_on:
            if name not in claims:
                raise ValueError(f"{claim.id} rests on {name}, which is not in the ledger")
    return dict(sorted(claims.items(), key=lambda pair: order(pair[0])))


def order(name: str) -> tuple:
    """Sort key of an id: letter in the order M H F E G S T, then number, then the rest."""
    found = re.fullmatch(r"([A-Z]+)(\d+)(.*)", name)
    if not found:
        return (99, 0, name)
    letters, number, rest = found.groups()
    place = "MHFEGST".find(letters)
    return (place if place >= 0 else 50, int(number), rest)
