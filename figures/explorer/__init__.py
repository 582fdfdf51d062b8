"""The explorer: one HTML page on which the model can be played with, its arithmetic in scripts/."""

from figures.explorer.assemble import explorer_page, statements, statements_of
from figures.explorer.overlay import overlay

__all__ = ["explorer_page", "overlay", "statements", "statements_of"]
