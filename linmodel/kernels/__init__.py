"""Compiled inner loops of the sweeps, each with a naive twin in the tests."""
