"""The fit: it finds what made a curve, says when it cannot, and refuses what is no curve."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from linmodel import OpposingSignals, State
from linmodel.errors import InvalidInput
from linmodel.flow import gradient_flow
from realnet.bridge.fitting import fit
from realnet.bridge.toy import ToyParameters, flow_curves, real_curve, start_of
from tests.realnet.bridge_curves import TOY, TRUTH, fitted, impossible_fit, run_of, toy_run
from tests.tolerances import BRIDGE_RECOVERY, BRIDGE_TOY


@pytest.mark.parametrize(
    ("alpha", "b_norm", "start"),
    [
        (50.0, 10.0, start_of(4.0, 0.2)),
        (1e4, 100.0, start_of(50.0, 0.01)),
        (1.0, 0.5, start_of(0.1, 0.9)),
        (20.0, 3.0, State(1.0, 0.1, 0.4, 1.5)),
    ],
)
def test_fast_toy_is_the_gradient_flow(alpha, b_norm, start):
    times = np.linspace(0, 3 * np.log(100 * b_norm) / b_norm, 40)
    slow = gradient_flow(OpposingSignals(alpha, b_norm), start, times).sharpness.values
    fast = real_curve(ToyParameters(alpha, b_norm, 1.0, 0.5), times, start)
    np.testing.assert_allclose(fast, slow, rtol=BRIDGE_TOY)


def test_many_toys_at_once_are_each_by_itself():
    """Also one that the compiled kernel hands back: it is solved by the flow."""
    stiff = ToyParameters(1.37, 278.6, 22.7, 0.00232, 1.0, 0.01)
    toys = [TOY, replace(TOY, alpha=7.0, time_scale=2.0, sharpness_scale=3.0), stiff]
    times = np.linspace(0, 0.3, 20)
    together = flow_curves(np.array([list(toy.as_dict().values()) for toy in toys]), times)
    for toy, curve in zip(toys, together, strict=True):
        problem = OpposingSignals(toy.alpha, toy.beta_norm, toy.k)
        slow = gradient_flow(problem, toy.start, times / toy.time_scale).sharpness.values
        np.testing.assert_allclose(curve, toy.sharpness_scale * slow, rtol=BRIDGE_TOY)


def test_final_sharpness_is_the_flow_s_limit():
    late = real_curve(TOY, np.array([0, 9.0]))[-1]
    assert replace(TOY, sharpness_scale=2.0).final_sharpness == pytest.approx(2 * late, rel=1e-6)


@pytest.mark.parametrize("name", ["alpha", "time_scale"])
def test_toy_parameters_are_positive(name):
    with pytest.raises(InvalidInput, match=name):
        replace(TOY, **{name: 0.0})


def test_fit_recovers_what_made_the_curve():
    time_scale, sharpness_scale = 30.0, 0.02
    result = fit(toy_run(time_scale=time_scale, sharpness_scale=sharpness_scale))
    assert result.status == "ok"
    assert result.error < 0.03
    found = result.values
    # k and the aligned share are not pinned down by such a curve; these are.
    expected = {
        "alpha": TRUTH["alpha"],
        "beta_norm": TRUTH["beta_norm"],
        "time_scale": time_scale,
        "sharpness_scale": sharpness_scale,
    }
    for name, value in expected.items():
        assert np.log(getattr(found, name) / value) == pytest.approx(0, abs=BRIDGE_RECOVERY), name


def test_fit_is_repeatable_and_labelled():
    first = fit(toy_run(step_size=0.003))
    # 2/eta is never reached: the same curve as without a step size, and the same fit.
    assert first.values == fitted().values
    dataset = first.dataset
    assert set(dataset.parameter.values) == set(first.values.as_dict())
    assert dataset.toy_sharpness.dims == ("time",)
    assert {"status", "message", "fixed", "configuration", "versions"} <= set(dataset.attrs)
    np.testing.assert_allclose(first.predict(dataset.time.values), dataset.toy_sharpness, rtol=1e-5)


def test_only_the_part_before_the_rise_through_the_edge_is_fitted():
    eta = 2 / 130
    real = toy_run(step_size=eta, points=200, noise=0.0)
    sharpness = real.sharpness.values
    result = fit(real)
    last = int(np.flatnonzero(result.dataset.fitted.values)[-1])
    # The curve begins above 2/eta and falls: that is not the edge.
    assert sharpness[0] > 2 / eta
    assert sharpness[last] < 2 / eta <= sharpness[last + 1]
    assert result.status == "ok"


def test_one_scale_ties_time_to_sharpness():
    result = fit(toy_run(), scales=1)
    assert result.status == "ok"
    assert "time_scale" not in result.free
    assert result.values.time_scale * result.values.sharpness_scale == pytest.approx(1)
    assert "time_scale" in result.dataset.attrs["fixed"]


def test_descent_takes_the_network_s_steps():
    """With one scale a step of the toy lasts as long as the network's; with two there is none."""
    real = toy_run(step_size=0.003)
    assert "toy_descent" not in fit(real).dataset
    descent = fit(real, scales=1).dataset.toy_descent
    np.testing.assert_allclose(np.diff(descent.descent_time), 0.003, rtol=1e-6)


def test_a_curve_that_no_toy_makes_is_not_called_ok():
    result = impossible_fit()
    assert result.status in {"poor", "not_converged"}
    assert "R^2" in result.message


def test_a_slow_misfit_is_called_systematic():
    time = np.linspace(0, 1, 60)
    wave = toy_run(noise=0.0).sharpness.values * (1 + 0.05 * np.sin(12 * time + 2))
    result = fit(run_of(time, wave))
    assert result.status == "systematic"


def test_a_step_is_not_described():
    time = np.linspace(0, 1, 60)
    result = fit(run_of(time, np.where(time < 0.5, 1.0, 5.0)))
    assert result.status == "poor" and result.dataset.attrs["noise_ratio"] > 2


def test_absurd_scales_do_not_crash():
    time = np.linspace(0, 1, 20)
    result = fit(run_of(time, 1e-300 * (1 + 5 * time), step_size=1e-6))
    assert np.isfinite(result.dataset.toy_sharpness).all()


GRID = np.linspace(0, 1, 30)


@pytest.mark.parametrize(
    ("real", "words"),
    [
        (run_of(GRID[:5], 1 + GRID[:5]), "5 points"),
        (run_of(GRID, np.ones(30)), "rises by a factor 1"),
        (run_of(GRID, np.exp(-GRID)), "no progressive sharpening"),
        (run_of(GRID, np.where(GRID > 0.5, np.nan, 1 + GRID)), "not finite"),
        (run_of(GRID, GRID - 0.5), "values > 0"),
        (run_of(GRID[::-1].copy(), 1 + GRID), "increas"),
        (run_of(GRID - 0.5, 1 + GRID), "counted from the start"),
        (run_of(GRID, 1 + GRID).rename(sharpness="loss"), "sharpness on time"),
    ],
)
def test_bad_curves_are_refused(real, words):
    with pytest.raises(InvalidInput, match=words):
        fit(real)


def test_bad_options_are_refused():
    with pytest.raises(InvalidInput, match="scales"):
        fit(toy_run(), scales=3)
    with pytest.raises(InvalidInput, match="seed"):
        fit(toy_run(), seed=-1)


def test_the_bridge_needs_no_torch():
    code = "import sys; sys.modules['torch'] = None; import realnet.bridge.command"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
