"""A curve from a file of one's own: what is read, and what is said of a file that lacks it."""

import numpy as np
import pytest
import xarray as xr

from linmodel.errors import InvalidInput
from linmodel.store import save
from realnet.bridge.fitting import fit
from realnet.bridge.reading import Columns, read_curve

STEPS = np.arange(0, 100, 10)
SHARPNESS = 1.0 + 0.01 * STEPS


def written(path, header, *columns, mark=",", before=""):
    rows = [mark.join(str(cell) for cell in row) for row in zip(*columns, strict=True)]
    path.write_text(before + "\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("header", "columns", "mark", "before"),
    [
        ("step,sharpness", (STEPS, SHARPNESS), ",", ""),
        ("Step, Sharpness", (STEPS, SHARPNESS), ",", "\ufeff"),
        ("time;sharpness", (0.05 * STEPS, SHARPNESS), ";", "# from a notebook\n"),
        ("loss\titer\tlambda_max", (STEPS, STEPS, SHARPNESS), "\t", ""),
        ("time,step,sharpness", (0.05 * STEPS, STEPS, SHARPNESS), ",", ""),
    ],
)
def test_text_is_read_by_the_names_of_its_columns(tmp_path, header, columns, mark, before):
    path = written(tmp_path / "run.csv", header, *columns, mark=mark, before=before)
    run = read_curve(path, step_size=0.05)
    np.testing.assert_allclose(run.time, 0.05 * STEPS)
    np.testing.assert_allclose(run.sharpness, SHARPNESS)
    assert run.attrs["step_size"] == 0.05


def test_rows_without_a_sharpness_are_skipped(tmp_path):
    cells = [value if i % 2 else "" for i, value in enumerate(SHARPNESS)]
    path = written(tmp_path / "run.csv", "step,loss,sharpness", STEPS, STEPS, cells)
    np.testing.assert_allclose(read_curve(path, step_size=0.1).time, 0.1 * STEPS[1::2])


def test_a_column_of_step_sizes_is_read(tmp_path):
    lr = np.full(10, 0.2)
    path = written(tmp_path / "run.csv", "step,lr,sharpness", STEPS, lr, SHARPNESS)
    assert read_curve(path).attrs["step_size"] == 0.2


def test_columns_can_be_chosen(tmp_path):
    path = written(tmp_path / "run.csv", "a,b,step", 0.1 * STEPS, SHARPNESS, STEPS)
    run = read_curve(path, columns=Columns(time="a", sharpness="b"))
    np.testing.assert_allclose(run.time, 0.1 * STEPS)


def test_netcdf_on_steps_is_read(tmp_path):
    foreign = xr.Dataset({"sharpness": ("step", SHARPNESS)}, coords={"step": STEPS})
    run = read_curve(save(foreign, tmp_path / "run.nc"), step_size=0.5)
    np.testing.assert_allclose(run.time, 0.5 * STEPS)


def test_a_strange_step_size_gives_way_to_the_option(tmp_path):
    foreign = xr.Dataset({"sharpness": ("time", SHARPNESS)}, {"time": 1.0 * STEPS})
    path = save(foreign.assign_attrs(step_size="fast"), tmp_path / "run.nc")
    with pytest.raises(InvalidInput, match="attribute step_size"):
        read_curve(path)
    assert read_curve(path, step_size=0.5).attrs["step_size"] == 0.5


@pytest.mark.parametrize(
    ("header", "columns", "step_size", "words"),
    [
        ("step,sharpness", (STEPS, SHARPNESS), None, "--of-step-size"),
        ("step,sharpness", (STEPS, SHARPNESS), -1.0, "step size"),
        ("epoch,sharpness", (STEPS, SHARPNESS), 0.1, "neither time nor step"),
        ("step,loss", (STEPS, SHARPNESS), 0.1, "a column sharpness"),
        ("step,sharpness", (STEPS, ["x"] * 10), 0.1, "a number"),
        ("step,sharpness", (STEPS, [""] * 10), 0.1, "without a value"),
        ("time,step,sharpness", (STEPS, STEPS, SHARPNESS), 0.1, "allowed: time = step size"),
        ("step,lr,sharpness", (STEPS, np.full(10, 0.2), SHARPNESS), 0.1, "as the file says"),
        ("step,lr,sharpness", (STEPS, 1 + STEPS, SHARPNESS), None, "changes"),
        ("step,step,sharpness", (STEPS, STEPS, SHARPNESS), 0.1, "different"),
    ],
)
def test_what_is_missing_is_said(tmp_path, header, columns, step_size, words):
    path = written(tmp_path / "run.csv", header, *columns)
    with pytest.raises(InvalidInput, match=words):
        read_curve(path, step_size=step_size)


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (xr.Dataset(), "allowed: sharpness on one dimension"),
        (xr.Dataset({"sharpness": ("time", [np.nan] * 9)}, {"time": range(9)}), "not finite"),
        (xr.Dataset({"sharpness": ("time", range(9))}, {"time": [np.nan] * 9}), "not finite"),
        (xr.Dataset({"sharpness": ("time", [])}, {"time": []}), "0 points"),
    ],
)
def test_netcdf_without_numbers_is_refused_in_a_sentence(tmp_path, run, words):
    run.assign_attrs(step_size=0.1).to_netcdf(tmp_path / "run.nc", engine="h5netcdf")
    with pytest.raises(InvalidInput, match=words) as error:
        fit(read_curve(tmp_path / "run.nc"))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01", b"step,sharpness\n1,2,3\n"])
def test_files_that_are_no_curve(tmp_path, content):
    path = tmp_path / "run.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidInput):
        read_curve(path, step_size=0.1)
    with pytest.raises(InvalidInput, match="exists"):
        read_curve(tmp_path / "missing.csv")


def test_a_column_that_is_not_there_is_not_chosen(tmp_path):
    path = written(tmp_path / "run.csv", "step,sharpness", STEPS, SHARPNESS)
    with pytest.raises(InvalidInput, match="one of step, sharpness"):
        read_curve(path, step_size=0.1, columns=Columns(time="hours"))
