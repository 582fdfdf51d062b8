"""A user's script, one of each thing that the tutorials do: what mypy --strict tells its writer.

`make lint` checks it, with the public modules exporting only what they list; nothing runs it.
"""

from pathlib import Path
from typing import assert_type

import numpy as np
import torch
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import linmodel
from figures.explorer import explorer_page, overlay, statements
from linmodel import OpposingSignals, State, gradient_descent, gradient_flow, sharpness, sweep
from linmodel.network import HeavyBall, train_network
from linmodel.problem import Array
from linmodel.sweeps.maps import heat_map, regime_map
from proofs_check import Claim, Result, Verdict, catalogue, run
from proofs_check.claims.field import B, c, epsilon
from proofs_check.ledger import step
from proofs_check.smt import implies
from proofs_check.theorem import check_theorem
from realnet import Critical, Evidence, Run, SharpnessTracker, TrainConfig, bridge, study, train
from realnet.bridge.fitting import BridgeResult
from realnet.curvature.evaluated import Curvature
from realnet.signals.groups import OpposingPair

problem = OpposingSignals(alpha=50.0, beta_norm=10.0, k=4.0, d1=10)
start = State(c=1.0, epsilon=0.1, n=0.4, o=0.9)
flow = gradient_flow(problem, start, np.linspace(0, 1.5, 300), step_size=0.005)
assert_type(flow, xr.Dataset)
assert_type(gradient_descent(problem, start, step_size=0.005, steps=300), xr.Dataset)
assert_type(sharpness(problem, start), float | Array)
assert_type(linmodel.standard_state(problem, 0), State)
assert_type(linmodel.bounds.limit(problem, start).opposing_curvature, Array)
assert_type(linmodel.phases.observe_phase(problem, start, 0.005).name, str)
assert_type(linmodel.__version__, str)
assert_type(linmodel.certified.certified_flow(problem, start, [0.1]), xr.Dataset)

left, right = Figure(figsize=(9, 3.6), layout="constrained").subplots(1, 2)
grid = sweep(alpha=[10, 100], beta_norm=np.geomspace(2, 50, 3), k=4)
assert_type(grid, xr.Dataset)
assert_type(heat_map(grid.dip_depth.squeeze(), ax=left), Axes)
assert_type(regime_map(grid.dip_depth.squeeze(), ax=right), Axes)
first = linmodel.standard_parameters(problem, 0)
assert_type(train_network(problem, first, HeavyBall(0.01), 20), xr.Dataset)

ceiling = implies([c > 0, epsilon > 0, c * epsilon < B], c**2 <= B**2 / epsilon**2)
claim = Claim(
    "U1", "a ceiling", "c^2 <= B^2/epsilon^2", r"c^2\le B^2/\epsilon^2", Verdict.PROVED,
    steps=(step("From c epsilon < B (F2).", ceiling),), rests_on=("F2",),
)  # fmt: skip
assert_type(run([claim]), list[Result])
assert_type(catalogue(["F4"]), list[Claim])
assert_type(check_theorem({"hypotheses": ["c0 > 0"], "conclusion": "c > 0"}).verdict, Verdict)

x, y = torch.randn(60, 3), torch.randn(60, 1)
model = torch.nn.Linear(3, 1)
optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
tracker = SharpnessTracker(lambda: (model(x) - y).square().mean(), model)
tracker.watch(optimiser, every=10)
assert_type(tracker.evaluate(), Curvature)
assert_type(tracker.evaluate().sharpness, float)
assert_type(tracker.history, xr.Dataset)
assert_type(tracker.plot(), Figure)
assert_type(tracker.evaluate([Critical()], optimiser)["critical"].value, float)

evidence = Evidence(lambda z, y: (z - y).square().mean(1), x, y, step_size=0.1, checkpoints=3)
evidence.record(model, 0)
assert_type(study(evidence).pairs, list[OpposingPair])
trained = Run(TrainConfig(data="digits", size=80, net="mlp", step_size=0.1, steps=40, every=2))
assert_type(trained.dataset(), xr.Dataset)
assert_type(train(trained.config, out="run"), xr.Dataset)
curve = bridge.read_curve("run")
assert_type(bridge.forecast(curve, None, [0.2, 0.3]), xr.Dataset)
assert_type(bridge.fit(curve), BridgeResult)
Path("explorer.html").write_text(explorer_page(statements(), overlay(curve, "mine")), "utf-8")

print(linmodel.sharpnes)  # type: ignore[attr-defined]
train(2)  # type: ignore[arg-type]
TrainConfig(stepsize=0.1)  # type: ignore[call-arg]
print(bridge.forecasts)  # type: ignore[attr-defined]
