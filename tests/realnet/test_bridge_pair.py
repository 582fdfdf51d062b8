"""Two runs: the delay between them; the runs that are no pair; curves that are none."""

import numpy as np
import pytest

from linmodel.errors import InvalidInput
from realnet.bridge.curve import curve_of, measured
from realnet.bridge.fitting import fit
from realnet.bridge.local import edge_times, local_exponential
from realnet.bridge.pair import pair_of
from tests.realnet.bridge_curves import run_of

TIME = np.linspace(0, 1, 41)


def rising(eta, delay=0.0, rate=2.0):
    """exp(rate x) with a start from which it is `delay` late."""
    late = delay * (1 - np.exp(-TIME / 0.05))
    return run_of(TIME, 10 * np.exp(rate * (TIME - late)), eta)


def test_the_lag_grows_with_the_step_size():
    pair = pair_of(measured(rising(0.001)), measured(rising(0.002, 0.03)))
    etas = np.array([0.001, 0.002, 0.004])
    lag = pair.lag(etas, np.full(3, 30.0))
    # Linear interpolation of the curves between 41 points is good to 1e-3.
    np.testing.assert_allclose(lag, [0, 0.03, 0.09], atol=1e-3)


def test_the_lag_is_constant_beyond_the_levels_that_both_reach():
    pair = pair_of(measured(rising(0.001)), measured(rising(0.002, 0.03)))
    far, near = pair.lag(np.full(2, 0.004), np.array([1e4, pair.levels[-1]]))
    assert far == near


def test_an_exponential_is_carried_on_exactly():
    curve = measured(rising(0.001))
    levels = 10 * np.exp(2 * np.array([0.5, 1.4, 1.6]))
    times, inside = edge_times(curve, levels)
    np.testing.assert_allclose(times, [0.5, 1.4, np.inf], rtol=1e-3)
    assert inside.tolist() == [True, False, False]
    assert local_exponential(curve).slope == pytest.approx(2)


def test_a_falling_end_is_never_carried_up():
    hump = 10 * np.exp(2 * np.sin(np.pi * TIME))
    times, inside = edge_times(measured(run_of(TIME, hump, 0.001)), np.array([1e3]))
    assert np.isnan(times[0]) and not inside[0]


@pytest.mark.parametrize("bend", [-0.4, 0.4])
def test_a_changing_slope_is_followed_and_shrunk(bend):
    """ln sharpness = 2 t + bend t^2/2: 0.7 of the bend is carried on."""
    curve = measured(run_of(TIME, np.exp(2 * TIME + bend * TIME**2 / 2), 0.001))
    carried = local_exponential(curve)
    assert carried.bend == pytest.approx(0.7 * bend)
    ahead = carried.times(np.exp(np.array([2.5, 3.0])))
    inverse = np.interp(ahead, (t := np.linspace(1, 3, 4001)), 2 * t + bend * t**2 / 2)
    np.testing.assert_allclose(inverse, [2.5, 3.0], atol=0.1)


def test_a_flat_end_never_reaches_what_lies_far_above():
    flat = measured(run_of(TIME, 5 - 4 * np.exp(-4 * TIME), 0.001))
    times, _ = edge_times(flat, np.array([4.95, 8.0]))
    assert times[0] == pytest.approx(1.095, abs=0.005) and np.isnan(times[1])
    assert local_exponential(flat).rest < np.log(8 / 4.9) / 6


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (rising(0.0011), "at least 1.2 times"),
        (rising(None), "--second-step-size"),
        (run_of(TIME, 12 * np.exp(2 * TIME), 0.002), "share their start"),
        (rising(0.25), "below its own 2/eta"),
        (run_of(TIME, 10 * np.exp(-0.5 * TIME + 0.3 * (TIME > 0.9)), 0.002), "in common"),
    ],
)
def test_runs_that_are_no_pair(second, words):
    with pytest.raises(InvalidInput, match=words):
        pair_of(measured(rising(0.001)), measured(second))


def test_a_small_run_of_unknown_step_size_is_no_pair():
    with pytest.raises(InvalidInput, match="--of-step-size"):
        pair_of(measured(rising(None)), measured(rising(0.002)))


@pytest.mark.parametrize(
    ("real", "words"),
    [
        (run_of(TIME[:7], 1 + TIME[:7]), "7 points"),
        (run_of(TIME, 2 - TIME), "rises by a factor 1 at most"),
        (run_of(np.r_[TIME[:10], TIME[30:]], 1 + np.r_[TIME[:10], TIME[30:]]), "no point between"),
        (run_of(TIME, 1 + TIME, step_size=np.array([0.1, 0.2])), "one number > 0"),
        (run_of(TIME, 1 + TIME, step_size="fast"), "step_size"),
        (run_of(TIME, 1 + TIME, step_size=0.0), "step_size"),
        (run_of(TIME, 1 + TIME, step_size=np.nan), "step_size"),
        (run_of(TIME.astype("timedelta64[s]"), 1 + TIME), "dates"),
        (run_of(TIME, (1 + TIME).astype(str)), "numbers"),
    ],
)
def test_curves_that_are_none(real, words):
    with pytest.raises(InvalidInput, match=words):
        measured(real)


def test_a_step_size_of_shape_1_is_a_number():
    assert measured(run_of(TIME, 1 + TIME, step_size=np.array([0.5]))).step_size == 0.5


@pytest.mark.parametrize(
    ("points", "top"),
    [
        # A rise and a fall: 3.5, 8.8, 1.5; the same after a start that falls; and a small fall.
        ([(0, 3.5), (0.4, 8.8), (1, 1.5)], 0.4),
        ([(0, 5), (0.2, 2), (0.6, 12), (1, 4)], 0.6),
        ([(0, 1), (0.8, 15), (1, 13)], 0.8),
    ],
)
def test_cross_entropy_s_curves_are_fitted_to_their_maximum(points, top):
    """Sharpness peaks and falls for good: the fit stops there, and says so."""
    at, values = np.array(points, dtype=float).T
    sharpness = np.exp(np.interp(TIME, at, np.log(values)))
    curve = curve_of(run_of(TIME, sharpness))
    assert curve.span == pytest.approx(top)
    assert "falls for good" in curve.left_out
    assert not curve.used[top + 1e-9 < TIME].any()


def test_too_few_points_say_why_there_are_no_more():
    """A peak at the second point is no edge of stability."""
    with pytest.raises(InvalidInput, match="'2 points, because after its maximum at time"):
        curve_of(run_of(TIME, np.interp(TIME, [0, TIME[1], 1], [18.0, 40.0, 31.0])))


def test_noise_on_a_plateau_is_no_fall():
    noise = np.exp(0.03 * np.random.default_rng(0).standard_normal(41))
    curve = curve_of(run_of(TIME, 10 * (1 - np.exp(-5 * TIME - 0.5)) * noise))
    assert curve.used.all() and not curve.left_out


def test_the_part_that_is_not_described_is_said():
    sharpness = np.interp(TIME, [0, 0.5, 1], [3.5, 8.8, 1.5])
    result = fit(run_of(TIME, sharpness))
    assert "falls for good" in str(result) and len(str(result).splitlines()) <= 10
    assert "falls for good" in result.dataset.attrs["left_out"]
    assert result.dataset.fitted.values.sum() == (TIME <= 0.5).sum()
