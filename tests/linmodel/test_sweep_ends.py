"""How descents end in a sweep: one vocabulary, no final numbers of what diverged, files by name."""

import numpy as np
import pytest
import xarray as xr

from linmodel import InvalidInput, OpposingSignals, State, gradient_flow, sharpness, sweep
from linmodel.phases import observe_phase, predict_phase
from linmodel.sweeps.frame import REGIMES
from linmodel.sweeps.maps import COLOURS, heat_map, regime_map
from tests.tolerances import ALGEBRA

START = State(c=1.0, epsilon=0.1, n=0.4, o=0.9)


@pytest.fixture(scope="module")
def ends():
    """Descent at step sizes from far below to far beyond the edge."""
    etas = np.geomspace(1e-3, 0.05, 12)
    return sweep([50.0], 10.0, 4.0, etas, state=START, steps=3000).squeeze()


def test_what_diverged_has_no_end_and_its_size_is_kept(ends):
    gone = (ends.regime == REGIMES.index("diverged")).values
    assert gone.any() and not gone.all()
    for name in ("c", "epsilon", "n", "log_abs_o", "sharpness"):
        assert (np.isnan(ends[f"final_{name}"].values) == gone).all()
    assert (ends.peak_curvature.values[gone] > 1e10).all()


def test_codes_have_values_and_meanings_as_in_cf(ends):
    words = ends.regime.attrs["flag_meanings"].split()
    assert words == list(REGIMES) and len(words) == len(COLOURS)
    assert list(ends.regime.attrs["flag_values"]) == list(range(len(words)))
    assert set(np.unique(ends.regime)) <= set(ends.regime.attrs["flag_values"])


def test_sweeps_and_phases_use_the_same_words(ends):
    problem = OpposingSignals(50.0, 10.0, 4.0)
    for eta in ends.step_size.values[::4]:
        seen = observe_phase(problem, START, float(eta)).name
        assert seen == REGIMES[int(ends.regime.sel(step_size=eta))]


def test_on_its_way_out_is_not_an_oscillation():
    one = {"alpha": 2453.751106639819, "beta_norm": 9.595722768235655, "k": 1, "step_size": 1e-3}
    found = sweep(**one, steps=5000).squeeze()
    assert float(found.final_sharpness) > 1e20
    assert REGIMES[int(found.regime)] == "unfinished"


@pytest.mark.parametrize("o", [0.9, 0.0])
def test_where_o_is_exactly_0_nothing_throws_descent(o):
    """eta alpha c0^2 = 1 to rounding: the first step puts o to 0, and it rests past 2/eta."""
    problem, start = OpposingSignals(1000.0, 10.0), State(1.0, 0.1, 0.4, o)
    for steps in (20_000, 60_000):
        found = sweep([1000.0], 10.0, 1.0, 1e-3, state=start, steps=steps).squeeze()
        assert REGIMES[int(found.regime)] == observe_phase(problem, start, 1e-3, steps).name
        assert REGIMES[int(found.regime)] == "like_flow"
        assert float(found.final_sharpness) > 4 * 2 / 1e-3
    assert predict_phase(problem, State(1.0, 0.1, 0.4, 0.0), 1e-3).name == "like_flow"


@pytest.mark.parametrize("name", ["sweep.csv", "sweep", "sweep.zip"])
def test_a_name_that_is_no_store_and_no_netcdf_is_refused(tmp_path, name):
    with pytest.raises(InvalidInput, match=r"\.zarr or \.nc"):
        sweep([10.0], 5.0, out=tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_netcdf_file_holds_what_is_returned(tmp_path):
    found = sweep([10.0, 20.0], 5.0, out=tmp_path / "sweep.nc")
    xr.testing.assert_allclose(found, sweep([10.0, 20.0], 5.0))
    assert (tmp_path / "sweep.nc").is_file()


def test_maps_return_axes_and_refuse_what_they_cannot_show():
    flow = sweep(np.geomspace(3, 100, 6), np.geomspace(2, 20, 5), 4.0)
    axes = heat_map(flow.dip_depth.squeeze())
    assert axes.get_xlabel() == "beta_norm" and axes.get_xscale() == "log"
    assert regime_map(xr.DataArray(np.zeros((2, 3), int), dims=("a", "b"))).get_ylabel() == "a"
    with pytest.raises(InvalidInput, match="two dimensions"):
        heat_map(flow.dip_depth)
    with pytest.raises(InvalidInput, match="at least one number"):
        heat_map(xr.full_like(flow.dip_depth.squeeze(), np.nan))
    for bad in (flow.dip_depth.squeeze(), flow.dip_depth.squeeze()[:0]):
        with pytest.raises(InvalidInput, match="codes from 0"):
            regime_map(bad)


def test_lists_are_taken_where_arrays_are_meant():
    problem = OpposingSignals(50.0, 10.0, 4.0)
    batch = State([1.0, 0.9], [0.1, 0.1], [0.4, 0.3], [0.9, 0.8])
    single = [sharpness(problem, State(1.0, 0.1, 0.4, 0.9))]
    single += [sharpness(problem, State(0.9, 0.1, 0.3, 0.8))]
    assert sharpness(problem, batch) == pytest.approx(single, rel=ALGEBRA)
    assert gradient_flow(problem, START, [0, 1]).time.size == 2
