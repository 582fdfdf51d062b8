import numpy as np
import pytest
import xarray as xr

from linmodel import InvalidInput, OpposingSignals, State, gradient_descent
from linmodel.store import configuration, load, save, write_whole


def test_round_trip_keeps_numbers_units_and_configuration(tmp_path):
    steps = gradient_descent(OpposingSignals(50.0, 10.0), State(1.0, 0.1, 0.4, 0.9), 0.004, 50)
    back = load(save(steps, tmp_path / "steps.nc"))
    xr.testing.assert_identical(back, steps)
    assert configuration(back)["settings"]["step_size"] == 0.004


def test_failure_leaves_the_old_file_and_no_rubbish(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def fail(temporary):
        temporary.write_text("half")
        raise OSError("disk full")

    with pytest.raises(InvalidInput, match="cannot be written"):
        write_whole(path, fail)
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["file.txt"]


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
    with pytest.raises(InvalidInput, match="File name too long"):
        save(dataset, tmp_path / ("x" * 253))
