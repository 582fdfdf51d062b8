"""Page of the decisive plot: unrest with and without the planted groups."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.experiments.kit.marks import INTERVAL, PALETTE, TIME, band, bars, edge
from figures.experiments.kit.tables import interval_table
from figures.style import COLOURS, label_axes, mosaic
from figures.table import Table
from realnet.bridge.threshold import level

PLACE = 20
# By the one definition, or by an earlier one (results carried over).
ANTIPHASE = ("antiphase", "antiphase_detrended")
CAPTIONS = {
    "decisive_strong": (
        "One network on data with a planted pair of opposing groups, in eight arms: untouched, the "
        "groups removed, as many random samples removed, two strengths of label smoothing, and the "
        "groups' background randomised on a quarter, a half or all of them. Instability is the "
        "share of steps on which the "
        "full loss rises, and its largest rise. Look for: whether removing the groups does what "
        "removing random samples does not."
    ),
    "decisive_weak": (
        "The same arms where the planted groups are too weak to carry the top of the spectrum: "
        "a control of the control."
    ),
}
# Sharpness over 2/eta, in which the share of rising steps is averaged.
BINS = np.array([0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 1.7, 2.5])


def draw(data: xr.Dataset) -> Figure:
    """Sharpness by arm; instability against sharpness; four numbers with intervals."""
    drawn, axes = mosaic(
        [["sharpness", "against"], ["rising", "early"], ["largest", "edge"]], (10.5, 11)
    )
    edge_level = level(data.attrs)
    for i, arm in enumerate(data.arm.values):
        own, colour = data.sel(arm=arm), PALETTE[i % len(PALETTE)]
        band(axes["sharpness"], own.at_time.isel(seed=0), own.sharpness, colour, str(arm))
        x, y = own.sharpness.values / edge_level, own.rising.values
        bins = np.digitize(x, BINS)
        many = [bins == b for b in range(1, len(BINS)) if (bins == b).sum() > 4]
        centre, share = ([np.nanmean(values[at]) for at in many] for values in (x, y))
        axes["against"].plot(centre, share, "o-", color=colour, markersize=4)
    edge(axes["sharpness"], edge_level)
    axes["sharpness"].set_ylim(0, 2.2 * edge_level)
    axes["against"].axvline(1, color=COLOURS["edge"], linestyle="--", linewidth=1.2)
    axes["sharpness"].legend(fontsize=7, loc="upper left", ncols=2)
    title = "Sharpness: mean, 95% over seeds (dashed: 2/η)"
    label_axes(axes["sharpness"], TIME, "sharpness [1/time]", title)
    label_axes(
        axes["against"], "sharpness × η/2", "share of rising steps", "Instability against sharpness"
    )
    for panel, name, title in (
        ("rising", "share_rising", "Share of steps on which the loss rises"),
        ("early", "early_sharpness", "Sharpness × η/2, mean over the first quarter"),
        ("largest", "largest_rise", "Largest rise of the loss in one step"),
        ("edge", "edge_time", "Time to 2/η, of the seeds that reach it"),
    ):
        bars(axes[panel], data, name)
        label_axes(axes[panel], INTERVAL, "", title)
    return drawn


def tables(data: xr.Dataset) -> list[Table]:
    """Numbers of the arms, and each arm less the untouched one, paired over seeds."""
    names = ["share_rising", "largest_rise", "total_rise", "early_share_rising", "early_sharpness"]
    names += ["late_sharpness", "edge_time"]
    names += [name for name in (*ANTIPHASE, "accuracy") if name in data]
    reach = np.isfinite(data.edge_time).sum("seed").values
    own = interval_table(data, f"Arms: mean [95%] over {data.sizes['seed']} seeds", names)
    counted = [[*row, str(count)] for row, count in zip(own.rows, reach, strict=True)]
    difference = interval_table(
        data.isel(arm=slice(1, None)),
        "Less the untouched arm, paired over seeds",
        names[:6],
        ends="_difference",
    )
    return [Table(own.title, [*own.heading, "seeds that reach 2/η"], counted), difference]
