"""The explorer: one HTML page on which the model can be played with, its arithmetic in scripts/."""

from figures.explorer.assemble import CLAIMS, explorer_page, statements, statements_of
from figures.explorer.overlay import overlay

__all__ = ["CLAIMS", "explorer_page", "overlay", "statements", "statements_of"]
