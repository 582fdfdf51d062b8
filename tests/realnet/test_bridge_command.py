"""The command: CSV in, answer out; exits 0, 1 (no fit) or 2 (bad input)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from linmodel.errors import InvalidInput
from linmodel.store import load, save
from realnet.bridge.asking import Request, answer_request
from tests.realnet.bridge_curves import impossible_run, toy_run

ROOT = Path(__file__).resolve().parents[2]
KEYS = {"step_size", "rule", "edge_time", "edge_step", "low", "high", "level", "status"}


def csv_of(run, path):
    rows = np.column_stack([run.time.values, run.sharpness.values])
    np.savetxt(path, rows, delimiter=",", header="time,sharpness", comments="")
    return path


def shell(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "realnet", "bridge", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"NO_PROGRESS": "1"},
        check=False,
    )


def test_csv_in_answer_out(tmp_path):
    small = csv_of(toy_run(end=0.3), tmp_path / "small.csv")
    table, picture = tmp_path / "rows.json", tmp_path / "picture.png"
    done = shell(
        small, "--of-step-size", 0.001, "--step-size", 0.006, "--json", table, "--plot", picture
    )
    assert done.returncode == 0, done.stderr
    assert "step size 0.006: sharpness reaches" in done.stdout
    assert "inside the curve" in done.stdout and "one-sided" in done.stdout
    rows = json.loads(table.read_text())
    assert all(set(row) == KEYS for row in rows)
    assert rows[0]["rule"] == "local exponential" and rows[0]["level"] == 0.9
    assert rows[0]["low"] <= rows[0]["edge_time"] <= rows[0]["high"]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_two_runs_and_the_larger_one(tmp_path, capsys):
    files = [
        csv_of(toy_run(end=end, noise=0.0), tmp_path / f"{end}.csv") for end in (0.3, 0.2, 0.28)
    ]
    request = Request(
        small=files[0],
        second=files[1],
        larger=files[2],
        step_sizes=(0.006,),
        small_step_size=0.001,
        second_step_size=0.002,
        larger_step_size=0.006,
        out=tmp_path / "all.nc",
    )
    assert answer_request(request) == 0
    text = capsys.readouterr().out
    assert "The larger run (0.006) reaches its edge" in text and "inside its interval" in text
    saved = load(tmp_path / "all.nc")
    assert saved.attrs["forecast_answer"] == "two runs"
    assert {"toy_sharpness", "forecast_edge_step"} <= set(saved)


def test_a_fit_alone_is_printed_and_saved(tmp_path, capsys):
    run = save(toy_run(end=0.3, step_size=0.003), tmp_path / "run.nc")
    out = tmp_path / "bridge.nc"
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 4))
    np.savez(tmp_path / "data.npz", x=x, y=x[:, 0])
    request = Request(small=run, out=out, draws=10, data=str(tmp_path / "data.npz"))
    assert answer_request(request) == 0
    text = capsys.readouterr().out
    assert text.startswith("ok: ")
    for word in ("alpha", "95% interval", "written", "spectrum toy (ok)", "l_half"):
        assert word in text
    assert {"toy_sharpness", "interval_low"} <= set(load(out))


def test_a_poor_fit_exits_with_1(tmp_path, capsys):
    run = save(impossible_run(), tmp_path / "run.nc")
    assert answer_request(Request(small=run)) == 1
    assert not capsys.readouterr().out.startswith("ok")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"out": Path("nowhere") / "out.nc"}, "output folder"),
        ({"plot": Path("picture.gif")}, "picture"),
        ({"json": Path("same"), "out": Path("same")}, "different names"),
        ({"step_sizes": ()}, "give --step-size"),
        ({"step_sizes": (-1.0,)}, "--step-size"),
        ({"level": 2.0}, "level"),
        ({"scales": 3}, "--scales"),
        ({"draws": 3}, "--draws"),
    ],
)
def test_bad_options_are_refused_before_anything_is_read(changed, words):
    known = {"small": Path("missing"), "second": Path("missing"), "step_sizes": (0.1,)}
    with pytest.raises(InvalidInput, match=words):
        Request(**(known | changed))


def test_shell_says_what_is_wrong_without_a_traceback(tmp_path):
    foreign = tmp_path / "run.nc"
    foreign.write_text("not a NetCDF file")
    for run in (tmp_path / "missing", foreign):
        done = shell(run)
        assert done.returncode == 2
        assert done.stderr.startswith("error: ")
        assert "Traceback" not in done.stderr
