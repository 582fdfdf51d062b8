"""Page of an experiment. alpha and p measured in the groups found."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.experiments.kit.marks import PALETTE
from figures.style import label_axes, panels
from figures.table import Table, number

PLACE = 50
CAPTIONS = {
    "measured": (
        "Groups found by the search, their share of the data (p) and their strength in the inputs "
        "(α), against the planted ones and against the α that the bridge fits to the sharpness "
        "curve alone."
    ),
}


def draw(data: xr.Dataset) -> Figure:
    """alpha of the groups that are there, that are found, and as fitted; p likewise."""
    drawn, axes = panels(1, 2, (10.5, 4.5))
    places = np.arange(data.sizes["setting"])
    marks = {
        "true": ("s", "in the data"),
        "measured": ("o", "groups found"),
        "fitted": ("^", "fit"),
    }
    for j, (kind, (mark, label)) in enumerate(marks.items()):
        for seed in data.seed.values:
            own = data.sel(seed=seed)
            at = places + 0.22 * (j - 1) + 0.05 * float(seed - data.seed.values.mean())
            values = own[f"alpha_{kind}"].values
            said = label if seed == data.seed.values[0] else None
            axes[0, 0].plot(values, at, mark, color=PALETTE[j], markersize=5, label=said)
            if kind != "true":
                ends = own[f"alpha_{kind}_from"].values, own[f"alpha_{kind}_to"].values
                axes[0, 0].hlines(at, *ends, color=PALETTE[j], linewidth=1)
            if kind != "fitted":
                axes[0, 1].plot(own[f"p_{kind}"].values, at, mark, color=PALETTE[j], markersize=5)
    for axis, name in zip(axes[0], ("alpha", "p"), strict=True):
        axis.set_yticks(places, [str(value) for value in data.setting.values])
        axis.invert_yaxis()
        label_axes(axis, f"{name}, one mark a seed, 95% intervals", "")
    axes[0, 0].set_xscale("log")
    axes[0, 0].legend(fontsize=8)
    axes[0, 0].set_title("α: in the data, measured, fitted to sharpness", loc="left")
    axes[0, 1].set_title("p: in the data, measured (no fit: M2)", loc="left")
    axes[0, 1].set_xlim(left=-0.005)
    return drawn


def tables(data: xr.Dataset) -> list[Table]:
    """p and alpha: true, measured, fitted, by setting and seed."""
    rows = []
    for setting in data.setting.values:
        for seed in data.seed.values:
            own = data.sel(setting=setting, seed=seed)
            spans = [
                f"{number(float(own[name]))} [{number(float(own[f'{name}_from']))}, "
                f"{number(float(own[f'{name}_to']))}]"
                for name in ("alpha_measured", "alpha_fitted")
            ]
            plain = ("p_true", "p_measured", "overlap", "alpha_true")
            numbers = [number(float(own[name])) for name in plain]
            ratio = number(float(own.alpha_ratio))
            agrees = {1.0: "yes", 0.0: "no"}.get(float(own.agrees), "–")
            rows.append(
                [
                    str(setting),
                    str(seed),
                    *numbers,
                    *spans,
                    ratio,
                    agrees,
                    str(own.fit_status.item()),
                ]
            )
    heading = ["setting", "seed", "p true", "p measured", "overlap", "alpha true"]
    heading += ["alpha measured", "alpha fitted", "fitted / measured", "intervals meet", "fit"]
    return [Table("Alpha and p, each with its 95% interval", heading, rows)]
