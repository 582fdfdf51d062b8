"""The maps: small, drawn from their data, and right where the theory says what must be there."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from figures import sweeps
from figures.options import Options, Work
from linmodel.sweeps.frame import REGIMES


def test_maps_hold_what_the_theory_says(tmp_path: Path):
    datasets = sweeps.compute(Work(Options(sweep_points=2), tmp_path))
    flow = datasets["beta_norm"]
    limit = flow.alpha * flow.beta_norm.copy(data=sweeps.limit_square(flow.beta_norm))
    # F10: no rise through 2/eta where alpha c_inf^2 stays below it.
    assert flow.t_edge.where(limit < 2 / sweeps.ETA).isnull().all()
    descent = datasets["descent"]
    settled = descent.over_edge.notnull()
    assert (descent.over_edge.where(settled, 0) <= 1).all()
    below = descent.regime.sel(step_ratio=descent.step_ratio < 0.95)
    names = {REGIMES[code] for code in np.unique(below)}
    assert names <= {"like_flow", "unfinished"}
    figure = sweeps.draw(datasets)
    assert sum(bool(axes.collections) for axes in figure.axes) >= 9
