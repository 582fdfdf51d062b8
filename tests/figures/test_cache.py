"""Saved data are used only while settings, source and files are what the manifest says."""

import json

import pytest
import xarray as xr

from figures.cache import MANIFEST, cached, read_manifest


@pytest.fixture
def counted():
    """A compute function that counts its calls."""
    calls = []

    def compute():
        calls.append(1)
        return {"a": xr.Dataset({"x": ("time", [1.0, 2.0])}, coords={"time": [0.0, 1.0]})}

    compute.calls = calls
    return compute


def test_second_time_is_read_from_disk(tmp_path, counted):
    first = cached(tmp_path, "edge", {"seed": 0}, "source", counted)
    second = cached(tmp_path, "edge", {"seed": 0}, "source", counted)
    assert len(counted.calls) == 1
    xr.testing.assert_identical(first["a"], second["a"])
    entry = read_manifest(tmp_path)["edge"]
    assert entry["settings"] == {"seed": 0}
    assert {"versions", "source", "created", "files"} <= set(entry)


def test_other_settings_are_computed_again(tmp_path, counted):
    cached(tmp_path, "edge", {"seed": 0}, "source", counted)
    cached(tmp_path, "edge", {"seed": 1}, "source", counted)
    assert len(counted.calls) == 2


def test_other_source_is_computed_again(tmp_path, counted):
    cached(tmp_path, "edge", {}, "source", counted)
    cached(tmp_path, "edge", {}, "another", counted)
    assert len(counted.calls) == 2


@pytest.mark.parametrize("harm", ["truncate", "delete", "change", "manifest"])
def test_harmed_files_are_made_again(tmp_path, counted, harm):
    cached(tmp_path, "edge", {}, "source", counted)
    file = tmp_path / "edge.a.nc"
    content = file.read_bytes()
    if harm == "truncate":
        file.write_bytes(content[: len(content) // 2])
    elif harm == "delete":
        file.unlink()
    elif harm == "change":
        other = xr.Dataset({"x": ("time", [9.0, 9.0])}, coords={"time": [0.0, 1.0]})
        other.to_netcdf(file, engine="h5netcdf")
    else:
        (tmp_path / MANIFEST).write_text("{")
    again = cached(tmp_path, "edge", {}, "source", counted)
    assert len(counted.calls) == 2
    assert again["a"].x.values.tolist() == [1.0, 2.0]


def test_an_interrupted_part_leaves_nothing_that_is_believed(tmp_path, counted):
    cached(tmp_path, "edge", {}, "source", counted)

    def killed():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached(tmp_path, "oscillation", {}, "source", killed)
    assert list(json.loads((tmp_path / MANIFEST).read_text())) == ["edge"]
