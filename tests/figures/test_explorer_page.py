"""The explorer's page without a browser: self-contained, escaped, with a real run laid over it."""

import re
import runpy
import sys

import numpy as np
import pytest
import xarray as xr

import figures.explorer
from figures.explorer import assemble, explorer_page, overlay
from tests.figures.made import run_data

CLAIM = {"id": "F4", "title": "</script><b>", "verdict": "proved", "statement": "s"}


def test_page_is_one_small_file_without_addresses():
    text = explorer_page({"F4": CLAIM})
    assert len(text.encode()) < 3_000_000
    assert "{{" not in re.sub(r"\$\{\{", "", text.split("<script>")[0])
    assert not re.search(r"(?:src|href)=\"https?://", text)
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    assert text.count("</script>") == text.count("<script") == 3


def test_every_script_is_used_and_every_statement_exists():
    folder = figures.explorer.__path__[0]
    from pathlib import Path

    there = {path.stem for path in Path(folder, "scripts").glob("*.js")}
    assert there == {*assemble.ARITHMETIC, *assemble.PAGE}
    from proofs_check import catalogue

    assert {claim.id for claim in catalogue(assemble.CLAIMS)} == set(assemble.CLAIMS)
    cited = set()
    for path in Path(folder, "scripts").glob("*.js"):
        cited |= set(re.findall(r'"([MHFGST]\d+[a-z]?)"', path.read_text()))
    assert cited <= set(assemble.CLAIMS)


def test_a_run_is_laid_over_in_the_toys_units():
    run = run_data()["small"]
    made = overlay(run, "small")
    first = made["first"]
    level = 2 / first["step_size"]
    scale = 2 / run.attrs["step_size"] / level
    assert np.allclose(np.array(made["sharpness"]) * scale, run.sharpness.values)
    assert first["start"] == "numbers" and first["alpha"] >= 1
    assert "Real run small: " in made["message"]


def command(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["figures", *arguments])
    with pytest.raises(SystemExit) as end:
        runpy.run_module("figures", run_name="__main__")
    return end.value.code


NAN = xr.Dataset({"sharpness": ("time", [np.nan] * 20)}, {"time": np.arange(20.0)})
RUNS = [None, "time,sharpness\n", "time,sharpness\n0,\n1,\n2,\n", xr.Dataset(), NAN]


@pytest.mark.parametrize("content", RUNS, ids=["missing", "csv", "csv-nan", "empty", "nan"])
def test_a_run_that_is_missing_empty_or_nan_costs_only_the_run(
    tmp_path, monkeypatch, capsys, content
):
    monkeypatch.setattr(figures.explorer, "statements", lambda each: {"F4": CLAIM})
    run = tmp_path / "run"
    if isinstance(content, str):
        run.write_text(content)
    elif content is not None:
        content.assign_attrs(step_size=0.1).to_netcdf(run, engine="h5netcdf")
    out = tmp_path / "explorer.html"
    assert command(monkeypatch, "explore", "--run", str(run), "--out", str(out)) == 1
    said = capsys.readouterr().err
    assert said.count("The run is not shown: ") == 1 and "Traceback" not in said
    assert "The run is not shown: " in out.read_text(encoding="utf-8")


def test_an_output_that_cannot_be_written_is_refused_before_the_work(monkeypatch, capsys, tmp_path):
    out = str(tmp_path / "nowhere" / "x.html")
    assert command(monkeypatch, "explore", "--out", out) == 2
    assert "output folder" in capsys.readouterr().err
