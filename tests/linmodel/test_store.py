import numpy as np
import pytest
import xarray as xr

from linmodel import InvalidInput, OpposingSignals, State, gradient_descent
from linmodel.store import configuration, load, save


def test_round_trip_keeps_numbers_units_and_configuration(tmp_path):
    steps = gradient_descent(OpposingSignals(50.0, 10.0), State(1.0, 0.1, 0.4, 0.9), 0.004, 50)
    back = load(save(steps, tmp_path / "steps.nc"))
    xr.testing.assert_identical(back, steps)
    assert configuration(back)["settings"]["step_size"] == 0.004


def test_a_dataset_without_a_configuration_is_refused():
    with pytest.raises(InvalidInput, match="allowed: attribute configuration"):
        configuration(xr.Dataset())


def test_refuses_missing_folder_folder_as_file_and_foreign_file(tmp_path):
    dataset = xr.Dataset({"x": ("time", np.ones(2))})
    with pytest.raises(InvalidInput, match="existing folder"):
        save(dataset, tmp_path / "nowhere" / "x.nc")
    with pytest.raises(InvalidInput, match="It is a folder"):
        save(dataset, tmp_path)
    with pytest.raises(InvalidInput, match="existing NetCDF"):
        load(tmp_path / "missing.nc")
    path = save(dataset, tmp_path / "x.nc")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InvalidInput, match="truncated or not NetCDF"):
        load(path)


def test_a_flipped_bit_is_never_another_number(tmp_path):
    dataset = xr.Dataset({"x": ("time", np.arange(300.0))}, {"time": np.arange(300.0)})
    path = save(dataset, tmp_path / "x.nc")
    content, generator = bytearray(path.read_bytes()), np.random.default_rng(0)
    refused = 0
    for place in generator.integers(0, 8 * len(content), 200):
        harmed = bytearray(content)
        harmed[place // 8] ^= 1 << (place % 8)
        path.write_bytes(harmed)
        try:
            assert load(path).identical(dataset)
        except InvalidInput:
            refused += 1
    assert refused > 190


@pytest.mark.parametrize(("engine", "format"), [("scipy", "NETCDF3_64BIT"), ("h5netcdf", None)])
def test_netcdf_3_and_4_of_others_are_read_and_times_stay_numbers(tmp_path, engine, format):
    foreign = xr.Dataset({"sharpness": ("time", [1.0, 2.0])}, {"time": [0.0, 0.5]})
    for units in ("seconds since 2000-01-01", "s", "days"):
        foreign["time"].attrs["units"] = units
        foreign.to_netcdf(tmp_path / "run.nc", engine=engine, format=format)
        found = load(tmp_path / "run.nc")
        assert found.time.values.tolist() == [0.0, 0.5] and found.time.attrs["units"] == units
