"""linmodel.sweep: every cell as the single-problem functions give it, labelled, and refusals."""

from __future__ import annotations

import json

import numpy as np
import pytest

from linmodel import InvalidInput, OpposingSignals, State, gradient_descent, gradient_flow, sweep
from linmodel.sweeps.frame import REGIMES
from linmodel.sweeps.grid import growth_time, typical_state
from tests.tolerances import ALGEBRA, DESCENT_LOG, EVENT_TIME, KERNEL_SHARPNESS

TIMES = np.linspace(0, 1.5, 16)
GRID = {"alpha": [20.0, 300.0], "beta_norm": [3.0, 10.0], "k": [1.0, 9.0]}


def plain_flow(alpha: float, beta_norm: float, k: float, eta: float | None = None):
    start = typical_state(k)
    return gradient_flow(OpposingSignals(alpha, beta_norm, k), start, TIMES, step_size=eta)


def test_flow_product_is_the_flow_of_each_cell():
    curves = ["sharpness", "c", "o", "loss", "t_dip", "dip_depth", "t_edge", "final_sharpness"]
    found = sweep(**GRID, step_size=[0.01, 0.02], times=TIMES, variables=curves)
    assert found.sharpness.dims == ("alpha", "beta_norm", "k", "step_size", "time")
    assert found.sharpness.attrs["units"] == "curvature"
    for alpha, beta_norm, k, eta in [(20, 3, 9, 0.01), (300, 10, 1, 0.02), (300, 3, 1, 0.01)]:
        cell = found.sel(alpha=alpha, beta_norm=beta_norm, k=k, step_size=eta)
        plain = plain_flow(alpha, beta_norm, k, eta)
        for name in ("sharpness", "c", "o"):
            np.testing.assert_allclose(cell[name], plain[name], rtol=KERNEL_SHARPNESS)
        for name in ("t_dip", "t_edge"):
            np.testing.assert_allclose(cell[name], plain[name], rtol=EVENT_TIME)
        np.testing.assert_allclose(cell.loss, plain.loss, rtol=KERNEL_SHARPNESS, atol=ALGEBRA)
        assert float(cell.final_sharpness) == float(cell.sharpness[-1])
        assert int(cell.status) == 0


def test_list_of_cells_and_time_scale():
    alpha, beta_norm, k = [30.0, 400.0, 5000.0], [2.0, 20.0, 8.0], [0.5, 5.0, 40.0]
    times = np.geomspace(1e-5, 1, 20)
    found = sweep(
        alpha,
        beta_norm,
        k,
        times=times,
        time_scale="growth",
        product=False,
        variables=["sharpness"],
    )
    assert found.sharpness.dims == ("cell", "time")
    np.testing.assert_array_equal(found.time_scale, growth_time(np.array(beta_norm)))
    for cell in range(3):
        plain = gradient_flow(
            OpposingSignals(alpha[cell], beta_norm[cell], k[cell]),
            typical_state(k[cell]),
            times * float(growth_time(beta_norm[cell])),
        )
        np.testing.assert_allclose(found.sharpness[cell], plain.sharpness, rtol=KERNEL_SHARPNESS)


def test_cells_outside_the_kernel_take_the_safe_path_with_a_status():
    states = State([1.0, 1e-9, 0.0], [0.1, 1e-9, 0.1], [0.4, 0.3, 0.4], [0.9, 50.0, 0.9])
    names = ["sharpness", "t_dip", "dip_depth", "final_sharpness"]
    found = sweep([50.0] * 3, 5.0, 4.0, times=TIMES, state=states, product=False, variables=names)
    assert found.status.values.tolist() == [0, 1, 1]
    for cell in range(3):
        start = State(*(float(values[cell]) for values in states))
        plain = gradient_flow(OpposingSignals(50.0, 5.0, 4.0), start, TIMES)
        np.testing.assert_allclose(found.sharpness[cell], plain.sharpness, rtol=KERNEL_SHARPNESS)


def test_zero_signal_takes_the_safe_path():
    found = sweep(50.0, [0.0, 5.0], times=TIMES)
    assert found.status.values.ravel().tolist() == [1, 0]
    assert np.isfinite(found.final_sharpness).all()


def test_descent_is_the_descent_of_each_cell_and_names_its_regime():
    found = sweep(1000.0, 10.0, 4.0, np.array([0.5, 1.9, 3.0, 6.0]) / 1e4, steps=20_000)
    names = [REGIMES[code] for code in found.regime.values.ravel()]
    assert names == ["unfinished", "like_flow", "catapult", "diverged"]
    plain = gradient_descent(
        OpposingSignals(1000.0, 10.0, 4.0), typical_state(4.0), step_size=3e-4, steps=20_000
    )
    cell = found.isel(alpha=0, beta_norm=0, k=0, step_size=2)
    last = plain.isel(time=-1)
    np.testing.assert_allclose(cell.final_c, last.c, rtol=DESCENT_LOG)
    np.testing.assert_allclose(cell.final_sharpness, last.sharpness, rtol=DESCENT_LOG)
    np.testing.assert_allclose(
        cell.peak_curvature, plain.opposing_curvature.max(), rtol=DESCENT_LOG
    )


def test_without_times_the_flow_runs_to_convergence():
    found = sweep(**GRID, step_size=0.01)
    assert set(found.data_vars) == {"t_dip", "dip_depth", "t_edge", "final_sharpness", "status"}
    end = sweep(**GRID, times=[3.0], time_scale="growth").final_sharpness
    np.testing.assert_allclose(found.final_sharpness[..., 0], end, rtol=KERNEL_SHARPNESS)


def test_descent_tells_dip_and_edge():
    """They are those of plain descent, with and without recorded curves."""
    plain = gradient_descent(
        OpposingSignals(1000.0, 10.0, 4.0), typical_state(4.0), step_size=3e-4, steps=2_000
    )
    names = ["t_dip", "dip_depth", "t_edge"]
    for more, steps in ([], 2_000), (["c"], [0, 2_000]):
        found = sweep(1000.0, 10.0, 4.0, 3e-4, steps=steps, variables=names + more)
        np.testing.assert_allclose(found.t_dip.item(), plain.t_dip, rtol=DESCENT_LOG)
        np.testing.assert_allclose(found.t_edge.item(), plain.t_edge, rtol=DESCENT_LOG)
        lowest = float(plain.c.sel(time=float(plain.t_dip), method="nearest")) ** 2
        np.testing.assert_allclose(found.dip_depth.item(), lowest, rtol=DESCENT_LOG)


def test_descent_curves():
    steps = [0, 5, 50]
    found = sweep(30.0, 4.0, 2.0, 0.01, steps=steps, variables=["sharpness", "log_abs_o", "c"])
    plain = gradient_descent(OpposingSignals(30.0, 4.0, 2.0), typical_state(2.0), 0.01, 50)
    for name in ("sharpness", "log_abs_o", "c"):
        expected = plain[name].values[steps]
        np.testing.assert_allclose(found[name].values.ravel(), expected, rtol=DESCENT_LOG)


def test_threads_do_not_change_a_bit():
    settings = {"times": TIMES, "variables": ["sharpness"]}
    alpha = np.geomspace(10, 1e5, 3000)
    one, two = (
        sweep(alpha, np.geomspace(2, 200, 40), threads=threads, **settings) for threads in (1, 2)
    )
    np.testing.assert_array_equal(one.sharpness.values, two.sharpness.values)


def test_configuration_is_recorded_and_progress_is_told():
    told: list[int] = []
    found = sweep(**GRID, times=TIMES, progress=told.append)
    assert sum(told) == 8
    assert json.loads(found.attrs["configuration"])["cells"] == 8
    assert found.status.attrs["flag_meanings"].split()[0] == "kernel"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"alpha": [1.0, float("nan")]}, "alpha is 'nan at position 1'"),
        ({"alpha": []}, "at least one"),
        ({"beta_norm": -1.0}, "beta_norm"),
        ({"k": 0.0}, "k is"),
        ({"step_size": [0.0]}, "step_size"),
        ({"steps": 5}, "not both"),
        ({"times": [1.0, 0.5]}, "strictly increase"),
        ({"times": None, "steps": 5}, "step_size"),
        ({"times": None, "steps": 2.5, "step_size": 0.1}, "whole numbers"),
        ({"variables": ["sharpnes"]}, "sharpnes"),
        ({"variables": ["t_edge"]}, "t_edge needs step_size"),
        ({"state": State([1.0] * 3, 0.1, 0.4, 0.9)}, "as many as values of k"),
        ({"time_scale": "days"}, "time_scale"),
        ({"threads": 0}, "threads"),
        ({"alpha": [1.0] * 2, "beta_norm": [1.0] * 3, "product": False}, "equal lengths"),
        (
            {"alpha": np.ones(10**5), "beta_norm": np.ones(10**5), "k": np.ones(10**4)},
            "would take 3,200,000,000,000,000 bytes",
        ),
        ({"alpha": np.ones(10**6), "beta_norm": np.ones(10**4)}, "Give out="),
    ],
)
def test_refusals(change, says):
    settings = {"alpha": [10.0], "beta_norm": [3.0], "times": [0.0, 1.0]} | change
    with pytest.raises(InvalidInput, match=says):
        sweep(**settings)
