"""The command: prints, saves one Dataset, exits 0, 1 (no fit) or 2 (bad input)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from linmodel.errors import InvalidInput
from linmodel.store import load, save
from realnet.bridge.command import bridge_command
from tests.realnet.bridge_curves import impossible_run, toy_run

ROOT = Path(__file__).resolve().parents[2]


def test_all_of_it_is_printed_and_saved(tmp_path, capsys):
    run = save(toy_run(end=0.3, step_size=0.003), tmp_path / "run.nc")
    out = tmp_path / "bridge.nc"
    assert bridge_command(run, out, draws=10, step_sizes=(0.006,)) == 0
    text = capsys.readouterr().out
    assert text.startswith("ok: ")
    for word in ("alpha", "95% interval", "inside", "written"):
        assert word in text
    saved = load(out)
    assert saved.attrs["status"] == "ok"
    assert {"toy_sharpness", "toy_descent", "interval_low", "forecast_edge_step"} <= set(saved)


def test_a_poor_fit_exits_with_1(tmp_path, capsys):
    run = save(impossible_run(), tmp_path / "run.nc")
    assert bridge_command(run) == 1
    assert not capsys.readouterr().out.startswith("ok")


def test_bad_output_is_refused_before_any_work(tmp_path):
    with pytest.raises(InvalidInput, match="output folder"):
        bridge_command(tmp_path / "missing", tmp_path / "nowhere" / "out.nc")


def test_shell_says_what_is_wrong_without_a_traceback(tmp_path):
    foreign = tmp_path / "run.nc"
    foreign.write_text("not a NetCDF file")
    for run in (tmp_path / "missing", foreign):
        done = subprocess.run(
            [sys.executable, "-m", "realnet", "bridge", str(run)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=os.environ | {"NO_PROGRESS": "1"},
            check=False,
        )
        assert done.returncode == 2
        assert done.stderr.startswith("error: ")
        assert "Traceback" not in done.stderr
