"""Maps over whole ranges: dip, edge and final sharpness of the flow; the regimes of descent."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap, LogNorm
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from figures.cache import Datasets
from figures.options import Work
from figures.style import COLOURS, label_axes, panels
from linmodel import OpposingSignals, sweep
from linmodel.bounds import largest_stable_step, limit_c_squared
from linmodel.sweeps.frame import REGIMES

NAME = "sweeps"
TITLE = "Sweeps: what every problem does"
STATEMENTS = ("F4", "F5", "F7", "F10", "G2", "G3", "G4")
OPTIONS = ("sweep_points",)
CAPTION = (
    "Top and middle: the gradient flow over (α, B) and over (α, k). Left, the dip's depth: what is "
    "left of αc² at its minimum (F4; deeper for larger k, F7). Middle, the time at which αc² rises "
    "through 2/η for η = 0.001; white where it never does from below. The lines are the exact "
    "boundaries (F10): ηαc∞² = 2 (solid), and a dip that just reaches 2/η (dashed). Right, the "
    "sharpness it ends at (F5). Bottom: gradient descent over step size and α. "
    "Left, its regime (G4); middle, the sharpness it ends at against 2/η; right, its final αc² "
    "against the flow's αc∞²: how much flatter. Lines: ηαc∞² = 2 (solid) and 4 (dashed), "
    "and η* (dotted), beyond which no minimum is stable (G3)."
)
ETA = 1e-3
BETA_NORM, K = 10.0, 4.0
EPSILON = 0.1
KAPPA = -(EPSILON**2)  # of the sweep's default start, for every k
STEPS = 20_000
TIMES = np.geomspace(1e-6, 1, 2)
FLOW_MAPS = (
    ("dip_depth", "depth of the dip, $c(t_1)^2 / c_0^2$"),
    ("t_edge", r"time of the edge, $\eta = 0.001$"),
    ("final_sharpness", "final sharpness"),
)
RATIO = r"step size, $\eta \alpha c_\infty^2 / 2$"
REGIME_COLOURS = ("#56B4E9", "#009E73", "#E69F00", "#D55E00", "#DDDDDD")


def limit_square(beta_norm: ArrayLike) -> NDArray[np.floating]:
    """c_inf^2 of the sweep's default start (F5)."""
    return limit_c_squared(KAPPA, beta_norm)


def compute(work: Work) -> Datasets:
    """The three maps: two of the flow, and a phase diagram of descent 36 times finer."""
    points = work.options.sweep_points
    alpha = np.geomspace(3, 1e4, 3 * points)
    settings: dict[str, Any] = {"times": TIMES, "time_scale": "growth", "step_size": ETA}
    work.report("sweeps of the flow")
    datasets = {
        "beta_norm": sweep(alpha, np.geomspace(2, 200, 3 * points), K, **settings),
        "k": sweep(alpha, BETA_NORM, np.geomspace(0.5, 50, 3 * points), **settings),
    }
    work.report("phase diagram of descent")
    datasets["descent"] = phase_diagram(36 * points)
    return {key: dataset.squeeze() for key, dataset in datasets.items()}


def phase_diagram(points: int) -> xr.Dataset:
    """points x points cells of descent; dimensions alpha and step_ratio = eta alpha c_inf^2 / 2."""
    alpha, ratio = np.geomspace(3, 1e3, points), np.geomspace(0.3, 12, points)
    c2 = limit_square(BETA_NORM)
    eta = 2 * ratio / (alpha[:, None] * c2)
    found = sweep(
        np.repeat(alpha, points),
        BETA_NORM,
        K,
        eta.ravel(),
        product=False,
        steps=STEPS,
        variables=["regime", "final_sharpness", "final_c"],
    )
    shape, dims = (points, points), ("alpha", "step_ratio")
    regime = found.regime.values.reshape(shape)
    settled = np.isin(regime, [REGIMES.index("like_flow"), REGIMES.index("catapult")])
    sharp = np.where(settled, found.final_sharpness.values.reshape(shape) * eta / 2, np.nan)
    flat = np.where(settled, found.final_c.values.reshape(shape) ** 2 / c2, np.nan)
    return xr.Dataset(
        {
            "regime": (dims, regime, found.regime.attrs),
            "over_edge": (dims, sharp, {"long_name": "final sharpness / (2/eta)", "units": "1"}),
            "flatness": (dims, flat, {"long_name": "final c^2 / c_inf^2", "units": "1"}),
        },
        {"alpha": alpha, "step_ratio": ratio},
        attrs=found.attrs,
    )


def draw(datasets: Datasets) -> Figure:
    """Nine maps: (alpha, B), (alpha, k) of the flow; (step size, alpha) of descent."""
    figure, axes = panels(3, 3, (11, 9.5))
    for row, (key, text) in enumerate((("beta_norm", "signal $B$"), ("k", "pervasiveness $k$"))):
        for column, (name, title) in enumerate(FLOW_MAPS):
            panel = axes[row, column]
            _map(figure, panel, datasets[key][name].transpose(key, "alpha"), LogNorm())
            label_axes(panel, r"$\alpha$", text, title)
            if name != "dip_depth":
                _edge_boundaries(panel, datasets[key], key)
    _descent_maps(figure, axes[2], datasets["descent"])
    return figure


def _map(figure: Figure, panel: Axes, values: xr.DataArray, norm: LogNorm) -> None:
    y, x = values.dims
    mesh = panel.pcolormesh(
        values[x].values, values[y].values, values.values, norm=norm, rasterized=True
    )
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.grid(False)
    figure.colorbar(mesh, ax=panel)


def _edge_boundaries(panel: Axes, data: xr.Dataset, key: str) -> None:
    """eta alpha c_inf^2 = 2, solved for alpha; and eta alpha c(t1)^2 = 2, from the dip's depth."""
    values, limits = data[key].values, panel.get_xlim()
    beta_norm = values if key == "beta_norm" else np.full(len(values), BETA_NORM)
    panel.plot(2 / (ETA * limit_square(beta_norm)), values, color=COLOURS["edge"], linewidth=1.4)
    dip = (data.alpha * data.dip_depth).transpose(key, "alpha")
    if (dip > 2 / ETA).any() and (dip < 2 / ETA).any():
        panel.contour(
            data.alpha, values, dip, levels=[2 / ETA], colors=COLOURS["edge"], linestyles="--"
        )
    panel.set_xlim(limits)


def _descent_maps(figure: Figure, row: NDArray, data: xr.Dataset) -> None:
    _map(figure, row[1], data.over_edge.transpose("step_ratio", "alpha"), LogNorm(0.25, 1.0))
    _map(figure, row[2], data.flatness.transpose("step_ratio", "alpha"), LogNorm(0.1, 1.0))
    titles = ("final sharpness / (2/η)", r"final $c^2 / c_\infty^2$")
    regime_panel(figure, row[0], data)
    for panel, title in zip(row[1:], titles, strict=True):
        label_axes(panel, r"$\alpha$", RATIO, title)
        _descent_boundaries(panel, data.alpha.values)


def regime_panel(figure: Figure, panel: Axes, data: xr.Dataset) -> None:
    """The regime of descent over alpha and step size, with its boundaries."""
    count = len(REGIMES)
    mesh = panel.pcolormesh(
        data.alpha.values,
        data.step_ratio.values,
        data.regime.transpose("step_ratio", "alpha").values,
        cmap=ListedColormap(REGIME_COLOURS),
        norm=BoundaryNorm(np.arange(count + 1) - 0.5, count),
        rasterized=True,
    )
    bar = figure.colorbar(mesh, ax=panel, ticks=range(count))
    bar.ax.set_yticklabels([name.replace("_", " ") for name in REGIMES])
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.grid(False)
    label_axes(panel, r"$\alpha$", RATIO, "regime of descent")
    _descent_boundaries(panel, data.alpha.values)


def _descent_boundaries(panel: Axes, alpha: NDArray[np.float64]) -> None:
    """eta alpha c_inf^2 = 2 and 4, and eta* (G3)."""
    low, high = panel.get_ylim()
    for level, style in ((1.0, "-"), (2.0, "--")):
        panel.axhline(level, color=COLOURS["edge"], linestyle=style, linewidth=1.2)
    largest = np.array([largest_stable_step(OpposingSignals(a, BETA_NORM)) for a in alpha])
    star = largest * alpha * limit_square(BETA_NORM) / 2
    panel.plot(alpha, star, color=COLOURS["edge"], linestyle=":", linewidth=1.6)
    panel.set_ylim(low, high)
