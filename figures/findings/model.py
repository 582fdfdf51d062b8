"""The model: dip and rise, descent past the edge, the oscillation, all problems."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from figures import edge, oscillation, sweeps
from figures.cache import Datasets
from figures.style import axis_text, label_axes, panels
from linmodel.sweeps.frame import REGIMES

SIZE = (5.6, 3.1)
Found = tuple[str, Figure]


def dip_and_rise(datasets: Datasets) -> Found:
    """Where the dip is, how deep, and how far it rises from there."""
    flow = datasets["flow"]
    start, limit = float(flow.opposing_curvature[0]), edge.limit_curvature()
    dip = float(flow.opposing_curvature.min())
    figure, axes = panels(1, 1, SIZE)
    edge.dip_panel(axes[0, 0], flow)
    sentence = (
        f"In the model the opposing curvature $\\alpha c^2$ falls once, to {dip / start:.0%} of "
        f"its "
        f"start at time {float(flow.t_dip):.3f}, and then rises for ever, to {limit:.0f}: "
        f"{limit / dip:.0f} times the dip. On the way it passes $2/\\eta$ = "
        f"{2 / flow.attrs['step_size']:.0f} exactly once, at time {float(flow.t_edge):.2f}."
    )
    return sentence, figure


def flatter_end(datasets: Datasets) -> Found:
    """Descent past the edge: along the flow, thrown, settled flatter."""
    flow, steps = datasets["flow"], datasets["above"]
    level, cross = 2 / steps.attrs["step_size"], float(flow.t_edge)
    before = steps.sel(time=slice(0, cross))
    apart = np.abs(before.sharpness / np.interp(before.time, flow.time, flow.sharpness) - 1)
    figure, axes = panels(1, 1, SIZE)
    edge.descent_panel(axes[0, 0], flow, steps)
    label_axes(axes[0, 0], axis_text(steps.time, "time = η × step"), "sharpness")
    axes[0, 0].legend(loc="upper left")
    sentence = (
        f"Gradient descent at {edge.ABOVE:g} times the threshold step size follows the flow up to "
        f"$2/\\eta$ (sharpness at most {float(apart.max()):.0%} apart at equal time), overshoots "
        f"to {float(steps.sharpness.max()) / level:.1f} of it, is thrown, and settles at "
        f"{float(steps.sharpness[-1]) / level:.2f} of $2/\\eta$: "
        f"{float(flow.sharpness[-1] / steps.sharpness[-1]):.1f} times flatter than the flow's end."
    )
    return sentence, figure


def antiphase(datasets: Datasets) -> Found:
    """The two groups' losses move against each other at every step while |co| < 1."""
    steps = datasets["descent"]
    first, last = oscillation.window(steps)
    cut = steps.isel(time=slice(first, last + 1))
    small = (np.abs(cut.c * cut.o) < 1).values
    pairs = small[1:] & small[:-1]
    against = (np.diff(cut.loss_plus) * np.diff(cut.loss_minus) < 0) & pairs
    flips = np.diff(np.sign(cut.o)) != 0
    figure, axes = panels(1, 1, SIZE)
    oscillation.groups_panel(axes[0, 0], cut)
    sentence = (
        f"The oscillation is in one weight, $b_o$: in the {cut.sizes['time']} steps around the "
        f"first "
        f"burst it changes sign {int(flips.sum())} times, and while $|co| < 1$ the losses of the "
        f"two "
        f"groups of outliers move in opposite directions on {int(against.sum())} of "
        f"{int(pairs.sum())} steps."
    )
    return sentence, figure


def every_problem(datasets: Datasets) -> Found:
    """Shares of the regimes over a grid of step sizes and alphas."""
    data = datasets["descent"]
    regime, ratio = data.regime.values, np.broadcast_to(data.step_ratio.values, data.regime.shape)
    past = ratio > 1
    shares = {name: float((regime[past] == i).mean()) for i, name in enumerate(REGIMES)}
    said = [
        f"{share:.0%} {name.replace('_', ' ')}" for name, share in shares.items() if share >= 0.005
    ]
    below = float((regime[~past] == REGIMES.index("like_flow")).mean())
    figure, axes = panels(1, 1, SIZE)
    sweeps.regime_panel(figure, axes[0, 0], data)
    sentence = (
        f"Of {data.regime.size:,} problems, {below:.1%} of those with $\\eta\\alpha c_\\infty^2 "
        f"< 2$ end "
        f"as the flow does; of those beyond it {', '.join(said)}. No single value "
        f"of "
        f"$\\eta\\alpha c_\\infty^2$ divides settling from diverging (G4b)."
    )
    return sentence, figure
