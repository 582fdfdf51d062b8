"""What survives noise and which optimisers oscillate: what the module's text says it finds."""

import numpy as np
import pytest

from linmodel import (
    InvalidInput,
    OpposingSignals,
    Parameters,
    draw,
    gradient_descent,
    reduce,
    standard_parameters,
)
from linmodel.network.case_study import compare, oscillation
from linmodel.network.full_network import train_network
from linmodel.network.optimisers import Adam, Clipped, GradientDescent, HeavyBall, SharpnessAware
from tests.tolerances import FLOW

PROBLEM = OpposingSignals(50.0, 10.0, 4.0, d1=10)
PARAMETERS = standard_parameters(PROBLEM, np.random.default_rng(4))
PAST_EDGE = 1.3 * 2 / (50 * 10)  # eta alpha c_inf^2 is near 2.6
BELOW_EDGE = PAST_EDGE / 3


@pytest.fixture(scope="module")
def optimisers():
    """All on the population, 1,500 steps."""
    runs = {
        "GD": GradientDescent(PAST_EDGE),
        "heavy ball": HeavyBall(PAST_EDGE / 10, 0.9),
        "Adam": Adam(0.03),
        "Adam without momentum": Adam(0.03, beta1=0.0),
        "SAM": SharpnessAware(PAST_EDGE, 0.05),
        "clipped": Clipped(PAST_EDGE, 1.0),
    }
    return compare(PROBLEM, PARAMETERS, runs, 1500)


@pytest.fixture(scope="module")
def batches():
    """SGD on fresh samples at a step below the edge: batch size -> measures."""
    return {
        size: compare(
            PROBLEM, PARAMETERS, {"SGD": GradientDescent(BELOW_EDGE)}, 1500, batch_size=size
        ).isel(optimiser=0)
        for size in (32, 512)
    }


def test_without_noise_s2_s3_s4_hold(optimisers):
    gd = optimisers.sel(optimiser="GD")
    assert gd.dip < 0.5 and gd.peak > 1 and gd.back <= FLOW  # S2
    assert gd.flips == 1 and gd.share > 0.99 and gd.burst > 1  # S3, S4
    assert gd.final < 1  # thrown to a flatter minimum (G4)


def test_noise_keeps_the_dip_and_stops_the_rise(batches):
    still = compare(PROBLEM, PARAMETERS, {"GD": GradientDescent(BELOW_EDGE)}, 1500)
    assert all(found.dip < 0.5 for found in batches.values())
    assert batches[32].peak < batches[512].peak < float(still.peak[0])
    assert all(found.back > 0.2 for found in batches.values())
    assert float(still.back[0]) <= FLOW
    assert batches[32].final < batches[512].final < float(still.final[0])


def test_noise_keeps_sgd_from_the_threshold_that_descent_passes():
    step = {"SGD": GradientDescent(PAST_EDGE)}
    found = compare(PROBLEM, PARAMETERS, step, 1500, batch_size=512)
    assert float(found.peak[0]) < 0.9


def test_noise_moves_b_o_but_without_a_period(batches):
    assert all(found.share > 0.95 and found.flips < 0.5 for found in batches.values())


def test_adam_removes_the_burst_but_not_the_signs(optimisers):
    gd, adam, bare = (
        optimisers.sel(optimiser=name) for name in ("GD", "Adam", "Adam without momentum")
    )
    assert adam.steps_to_fit < gd.steps_to_fit  # no slower
    assert adam.burst < gd.burst / 100
    assert adam.flips > 0.5
    assert bare.flips > 0.9 and bare.final_loss > 10 * adam.final_loss


def test_heavy_ball_stays_below_its_threshold_at_the_same_effective_step(optimisers):
    ball, gd = optimisers.sel(optimiser="heavy ball"), optimisers.sel(optimiser="GD")
    assert ball.peak * 2 / (PAST_EDGE / 10) > gd.peak * 2 / PAST_EDGE  # as sharp as descent got
    assert ball.peak < 1.9 and ball.burst < gd.burst / 100


def test_clipping_bounds_the_burst_and_sam_does_not(optimisers):
    gd, clipped, sam = (optimisers.sel(optimiser=name) for name in ("GD", "clipped", "SAM"))
    assert clipped.burst < gd.burst / 50
    assert sam.burst > gd.burst / 2 and sam.flips == 1 and sam.final < gd.final


def test_label_noise_on_a_sample_also_stops_the_rise():
    samples = draw(PROBLEM, 400, np.random.default_rng(0))
    step = {"GD": GradientDescent(BELOW_EDGE)}
    clean = compare(PROBLEM, PARAMETERS, step, 1500, samples=samples)
    noisy = compare(PROBLEM, PARAMETERS, step, 1500, samples=samples, label_noise=20.0)
    assert float(noisy.final[0]) < float(clean.final[0])


def test_rounding_hides_what_the_logarithm_shows():
    """Aligned support: b_o's unmoved part swallows a tiny o, in the full network only."""
    problem = OpposingSignals(50.0, 10.0, 4.0, d1=10, support="aligned")
    shifted = Parameters(PARAMETERS.c, PARAMETERS.b, PARAMETERS.b_o + 0.3 / np.sqrt(problem.d2))
    run = train_network(problem, shifted, GradientDescent(PAST_EDGE), 4000)
    exact = gradient_descent(problem, reduce(problem, shifted)[0], PAST_EDGE, 4000)
    assert exact.attrs["status"] == run.attrs["status"] == "completed"
    assert float(exact.opposing_curvature[-1]) < 2 / PAST_EDGE < float(run.opposing_curvature[-1])


def test_divergence_is_a_row_and_bad_input_is_refused():
    found = compare(PROBLEM, PARAMETERS, {"GD": GradientDescent(1.0)}, 50)
    assert found.status[0] == "diverged" and np.isnan(found.dip[0])
    with pytest.raises(InvalidInput):
        compare(PROBLEM, PARAMETERS, {}, 50)
    some = train_network(PROBLEM, PARAMETERS, GradientDescent(0.001), 10, record_every=2)
    with pytest.raises(InvalidInput):
        oscillation(PROBLEM, some)
