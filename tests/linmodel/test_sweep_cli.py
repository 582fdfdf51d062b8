"""The command `sweep` as a shell sees it."""

from __future__ import annotations

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from linmodel import InvalidInput
from linmodel.store import load
from linmodel.sweeps.command import axis, sweep

APP = typer.Typer()
APP.command()(sweep)


def call(*arguments: str):
    return CliRunner().invoke(APP, list(arguments))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("3", [3.0]),
        ("1,2,5e3", [1.0, 2.0, 5000.0]),
        ("0:1:3", [0.0, 0.5, 1.0]),
        ("1:100:3:log", [1.0, 10.0, 100.0]),
    ],
)
def test_axis(text, values):
    np.testing.assert_allclose(axis("alpha", text), values)


@pytest.mark.parametrize("text", ["", "a", "1:2", "1:2:0", "1:2:2.5", "0:1:3:log", "1:2:3:cubic"])
def test_axis_refuses(text):
    with pytest.raises(InvalidInput, match="alpha is"):
        axis("alpha", text)


def test_flow_to_netcdf(tmp_path):
    out = tmp_path / "sweep.nc"
    done = call(
        "--alpha", "10:1e4:5:log", "--beta-norm", "5,10", "--times", "1e-5:1:30:log",
        "--time-scale", "growth", "--variables", "sharpness,t_dip", "--out", str(out),
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "10 cells: 10 kernel" in done.output
    assert "cells/s" in done.output
    assert load(out).sharpness.shape == (5, 2, 1, 30)


def test_descent_to_zarr_twice(tmp_path):
    pytest.importorskip("zarr")
    given = ("--alpha", "100", "--beta-norm", "5", "--step-size", "1e-3:1e-2:4:log",
             "--steps", "500", "--out", str(tmp_path / "sweep.zarr"))  # fmt: skip
    first, second = call(*given), call(*given)
    assert first.exit_code == second.exit_code == 0, first.output
    assert "4 cells" in second.output


def test_a_large_sweep_says_its_size_and_needs_yes(tmp_path, monkeypatch):
    out = tmp_path / "sweep.zarr"
    given = ("--alpha", "10:1e4:2000:log", "--beta-norm", "5", "--out", str(out))
    monkeypatch.setattr("linmodel.sweeps.command.MOST_BYTES", 1000)
    done = call(*given)
    assert isinstance(done.exception, InvalidInput)
    assert "2,000 cells, 64,000 bytes, about" in str(done.exception) and not out.exists()
    assert call(*given, "--yes").exit_code == 0 and out.exists()


def test_sizes_beyond_reason_are_refused_before_axes_are_built():
    wide = ("--alpha", "1:2:100000000", "--beta-norm", "1:2:100000000")
    done = call(*wide)
    assert isinstance(done.exception, InvalidInput) and "along an axis" in str(done.exception)
    done = call("--alpha", "1:2:10000000", "--beta-norm", "1:2:10000000")
    assert isinstance(done.exception, InvalidInput) and "number of cells" in str(done.exception)


def test_bad_input_is_invalid_input():
    done = call("--alpha", "1,nan", "--beta-norm", "5", "--times", "0:1:3")
    assert isinstance(done.exception, InvalidInput)


def test_without_a_file_the_result_is_shown():
    done = call("--alpha", "10,50", "--beta-norm", "5", "--state", "1,0.1,0.4,0.9",
                "--step-size", "1e-3", "--steps", "100")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "2 cells: " in done.output and "final_sharpness" in done.output
    short = call("--alpha", "10", "--beta-norm", "5", "--state", "1,0.1")
    assert isinstance(short.exception, InvalidInput) and "four numbers" in str(short.exception)


@pytest.mark.parametrize("answer", [True, False])
def test_on_a_terminal_a_large_sweep_asks(tmp_path, monkeypatch, answer):
    out = tmp_path / "sweep.zarr"
    monkeypatch.setattr("linmodel.sweeps.command.MOST_BYTES", 1000)
    monkeypatch.setattr("linmodel.sweeps.command.sys.stdin", Terminal())
    monkeypatch.setattr(typer, "confirm", lambda question: answer)
    given = {"alpha": "10:1e4:2000:log", "beta_norm": "5", "out": out}
    if answer:
        sweep(**given)
    else:
        with pytest.raises(InvalidInput, match="one that is confirmed"):
            sweep(**given)
    assert out.exists() == answer


class Terminal:
    """What somebody types at."""

    def isatty(self) -> bool:
        """Somebody is there."""
        return True
