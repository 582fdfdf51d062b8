"""Opposing signals: evidence along a run, the groups found in it, the numbers that measure them."""
