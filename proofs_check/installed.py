"""Imported first: the ledger is an extra of its own. Certificates need python-flint only."""

from __future__ import annotations

from linmodel.extra import require

require("proofs_check", "prove", "flint")
