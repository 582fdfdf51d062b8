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
from linmodel.network.full_network import train_network
from linmodel.network.optimisers import GradientDescent
from realnet.experiments.kit.definition import Scale
from realnet.experiments.toy_optimisers import PROBLEM, Settings, collect, oscillation
from tests.tolerances import FLOW

PARAMETERS = standard_parameters(PROBLEM, np.random.default_rng(4))
PAST, BELOW = Settings().past, Settings().below


@pytest.fixture(scope="module")
def found():
    """Every arm on one start, 1,500 steps."""
    return collect({}, Settings(seeds=1), Scale()).isel(seed=0)


def test_without_noise_s2_s3_s4_hold(found):
    gd = found.sel(arm="descent")
    assert gd.dip < 0.5 and gd.peak > 1 and gd.back <= FLOW  # S2
    assert gd.flips == 1 and gd.share > 0.99 and gd.burst > 1  # S3, S4
    assert gd.final < 1  # thrown to a flatter minimum (G4)


def test_noise_keeps_the_dip_and_stops_the_rise(found):
    still, large, small = (
        found.sel(arm=f"{name}, step / 3")
        for name in ("descent", "SGD, batch 512", "SGD, batch 32")
    )
    assert large.dip < 0.5 and small.dip < 0.5
    assert small.peak < large.peak < still.peak
    assert large.back > 0.2 and small.back > 0.2 and still.back <= FLOW
    assert small.final < large.final < still.final


def test_noise_keeps_sgd_from_the_threshold_that_descent_passes(found):
    assert found.sel(arm="SGD, batch 512").peak < 0.9


def test_noise_moves_b_o_but_without_a_period(found):
    for size in (32, 512):
        own = found.sel(arm=f"SGD, batch {size}, step / 3")
        assert own.share > 0.95 and own.flips < 0.5


def test_adam_removes_the_burst_but_not_the_signs(found):
    gd, adam, bare = (found.sel(arm=name) for name in ("descent", "Adam", "Adam without momentum"))
    assert adam.steps_to_fit < gd.steps_to_fit  # no slower
    assert adam.burst < gd.burst / 100
    assert adam.flips > 0.5
    assert bare.flips > 0.9 and bare.final_loss > 10 * adam.final_loss


def test_heavy_ball_stays_below_its_threshold_at_the_same_effective_step(found):
    ball, gd = found.sel(arm="heavy ball"), found.sel(arm="descent")
    assert ball.peak * 2 / (PAST / 10) > gd.peak * 2 / PAST  # as sharp as descent got
    assert ball.peak < 1.9 and ball.burst < gd.burst / 100


def test_clipping_bounds_the_burst_and_sam_does_not(found):
    gd, clipped, sam = (found.sel(arm=name) for name in ("descent", "clipped", "SAM"))
    assert clipped.burst < gd.burst / 50
    assert sam.burst > gd.burst / 2 and sam.flips == 1 and sam.final < gd.final


def test_label_noise_on_a_sample_also_stops_the_rise():
    samples = draw(PROBLEM, 400, np.random.default_rng(0))
    clean, noisy = (
        train_network(
            PROBLEM,
            PARAMETERS,
            GradientDescent(BELOW),
            1500,
            samples=samples,
            label_noise=noise,
            rng=0,
        )
        for noise in (0.0, 20.0)
    )
    assert noisy.opposing_curvature[-1] < clean.opposing_curvature[-1]


def test_rounding_hides_what_the_logarithm_shows():
    """Aligned support: b_o's unmoved part swallows a tiny o, in the full network only."""
    problem = OpposingSignals(50.0, 10.0, 4.0, d1=10, support="aligned")
    shifted = Parameters(PARAMETERS.c, PARAMETERS.b, PARAMETERS.b_o + 0.3 / np.sqrt(problem.d2))
    run = train_network(problem, shifted, GradientDescent(PAST), 4000)
    exact = gradient_descent(problem, reduce(problem, shifted)[0], PAST, 4000)
    assert exact.attrs["status"] == run.attrs["status"] == "completed"
    assert float(exact.opposing_curvature[-1]) < 2 / PAST < float(run.opposing_curvature[-1])


def test_what_diverges_is_nan_and_steps_left_out_are_refused():
    gone = collect({}, Settings(steps=50, seeds=1, past=1.0), Scale()).sel(arm="descent", seed=0)
    assert gone.diverged == 1 and np.isnan(gone.dip)
    some = train_network(PROBLEM, PARAMETERS, GradientDescent(0.001), 10, record_every=2)
    with pytest.raises(InvalidInput):
        oscillation(PROBLEM, some)
