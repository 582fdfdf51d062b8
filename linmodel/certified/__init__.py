"""Certified integration: polynomial pieces proposed, then proved, in Arb."""

from linmodel.certified.ending import certified_end
from linmodel.certified.intervals import CannotEnclose, certified_flow, outward, reference

__all__ = ["CannotEnclose", "certified_end", "certified_flow", "outward", "reference"]
