"""Two short runs from one start, made and taken up by their commands."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from linmodel.errors import InvalidInput
from realnet.__main__ import app
from realnet.bridge.asking import Request, answer_request
from realnet.config import TrainConfig
from realnet.training.runfolder import load_run, runs_of
from realnet.training.two_runs import pair_configs

SMALL = ["--data", "digits", "--size", "20", "--width", "8", "--steps", "128", "--every", "4"]


def test_the_second_run_has_twice_the_step_and_half_the_time():
    small, second = pair_configs(TrainConfig(data="digits", steps=64, every=2, step_size=0.1))
    assert small.step_size == 0.1 and second.step_size == 0.2
    assert second.steps * second.step_size == pytest.approx(0.5 * small.steps * small.step_size)
    assert second.every * second.step_size == small.every * small.step_size
    assert second.seed == small.seed
    with pytest.raises(InvalidInput, match="second run with 8 values"):
        pair_configs(TrainConfig(data="digits", steps=30, every=10))


def test_one_folder_holds_both_and_the_bridge_takes_it(tmp_path, capsys):
    out = tmp_path / "pair"
    done = CliRunner().invoke(app, ["train", *SMALL, "--step-size", "0.05", "--pair", "--out", out])
    assert done.exit_code == 0, done.output
    assert f"realnet bridge {out}" in " ".join(done.output.split())
    first, other = runs_of(out)
    small, second = load_run(first), load_run(other)
    assert small.sharpness.values[0] == second.sharpness.values[0]
    np.testing.assert_allclose(second.time, small.time[: second.sizes["time"]], rtol=1e-12)
    # The edge at twice the sharpness of the start.
    eta = float(1 / small.sharpness[0])
    assert answer_request(Request(small=out, step_sizes=(eta,))) == 0
    assert "two runs" in capsys.readouterr().out


def test_a_pair_goes_into_a_folder_of_its_own(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    done = CliRunner().invoke(app, ["train", *SMALL, "--pair", "--out", tmp_path])
    assert done.exit_code != 0 and "folder of the pair" in str(done.exception or done.output)
    assert runs_of(Path("curve.csv")) == (Path("curve.csv"), None)
