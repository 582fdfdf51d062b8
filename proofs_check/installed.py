"""Imported first: the ledger's solvers are an extra of their own."""

from __future__ import annotations

from linmodel.extra import require

require("proofs_check", "prove", "flint", "sympy", "z3")
