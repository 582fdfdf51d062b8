"""Sharpness that can be trusted: objective, eigensolver, tracker, layers and samples."""
