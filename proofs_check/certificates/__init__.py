"""Exact certificates of the ledger's inequalities, checked with neither sympy nor z3.

`store.recheck_all()` re-checks what is stored; `finder.find` finds a certificate of a statement.
"""
