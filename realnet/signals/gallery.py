"""Both ends of each signal as pictures: what the two sides look like."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from linmodel.errors import refuse

SHOWN = 12  # of each side
INCH = 0.85
WIDE = 118  # characters of a heading's line


class Ends(NamedTuple):
    """One signal: a heading, and the samples of each side, the strongest first."""

    heading: str
    plus: NDArray
    minus: NDArray


def gallery(
    images: NDArray, signals: Sequence[Ends], captions: Sequence[str] | None = None
) -> Figure:
    """Up to 12 images of each side of each signal; `captions[i]` (its class, say) under image i.

    images  (N, C, H, W); values are stretched to [0, 1] over all of them.
    Raises InvalidInput: not images, or no signals to show.
    """
    if np.ndim(images) != 4:
        refuse("images", np.shape(images), "(N, C, H, W)")
    if not signals:
        refuse("signals", "none", "at least one to show", "No signal was found in this run.")
    low, high = float(np.min(images)), float(np.max(images))
    pictures = (np.moveaxis(images, 1, -1) - low) / max(high - low, 1e-12)
    figure = Figure(figsize=(INCH * SHOWN + 1, len(signals) * (2.5 * INCH + 0.7)))
    rows = figure.subfigures(len(signals), 1, squeeze=False)[:, 0]
    for part, ends in zip(rows, signals, strict=True):
        part.suptitle(textwrap.fill(ends.heading, WIDE), fontsize=9, x=0.02, ha="left")
        grid = part.subplots(2, SHOWN)
        part.subplots_adjust(left=0.07, right=0.99, top=0.80, bottom=0.06, wspace=0.05)
        for side, name, axes in (
            (ends.plus, "loss rises", grid[0]),
            (ends.minus, "loss falls", grid[1]),
        ):
            axes[0].set_ylabel(name, fontsize=8)
            for place, ax in enumerate(axes):
                _thumbnail(ax, pictures, side, place, captions)
    return figure


def _thumbnail(ax, pictures, side, place, captions) -> None:
    ax.set_xticks([])
    ax.set_yticks([])
    if place >= len(side):
        for spine in ax.spines.values():
            spine.set_visible(False)
        return
    sample = int(side[place])
    picture = pictures[sample]
    ax.imshow(picture.squeeze(), cmap="gray" if picture.shape[-1] == 1 else None, vmin=0, vmax=1)
    if captions is not None:
        ax.set_xlabel(captions[sample], fontsize=6, labelpad=1)
