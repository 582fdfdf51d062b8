"""Certified integration: polynomial pieces proposed, then proved, in Arb."""
