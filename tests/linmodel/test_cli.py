import numpy as np
import pytest

from linmodel.__main__ import app
from linmodel.console import run
from linmodel.store import load

FLOW = ["flow", "--alpha", "50", "--beta-norm", "10", "--k", "4"]
DESCENT = ["descent", "--alpha", "50", "--beta-norm", "10", "--steps", "50"]


def call(monkeypatch, arguments):
    """Exit status of `python -m linmodel ARGUMENTS`."""
    monkeypatch.setattr("sys.argv", ["linmodel", *arguments])
    with pytest.raises(SystemExit) as caught:
        run(app, "python -m linmodel")
    return caught.value.code


def test_flow_writes_what_it_shows(monkeypatch, tmp_path, capsys):
    out = tmp_path / "flow.nc"
    code = call(monkeypatch, [*FLOW, "--t-end", "1", "--step-size", "0.005", "--out", str(out)])
    assert code == 0
    flow = load(out)
    assert flow.sizes["time"] == 400 and float(flow.time[-1]) == 1
    assert f"t_edge = {float(flow.t_edge):.9g}" in capsys.readouterr().out


def test_descent_reports_divergence_as_a_result(monkeypatch, capsys):
    assert call(monkeypatch, [*DESCENT, "--step-size", "0.5"]) == 0
    assert "status = diverged" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "name"),
    [([*DESCENT, "--step-size", "0.005"], "sharpness"), (["spectrum", *FLOW[1:]], "eigenvalue")],
)
def test_what_is_shown_is_written(monkeypatch, tmp_path, arguments, name):
    assert call(monkeypatch, [*arguments, "--out", str(tmp_path / "shown.nc")]) == 0
    assert np.isfinite(load(tmp_path / "shown.nc")[name]).all()


def test_spectrum_counts_every_eigenvalue(monkeypatch, capsys):
    arguments = ["spectrum", *FLOW[1:], "--state", "1,0.1,0.4,0.9"]
    assert call(monkeypatch, arguments) == 0
    numbers = capsys.readouterr().out
    assert "399" in numbers and "99" in numbers


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["flow", "--alpha", "-1", "--beta-norm", "1"], "alpha is -1.0"),
        ([*FLOW, "--t-end", "-3"], "t_end is -3.0"),
        ([*FLOW, "--seed", "-3"], "seed"),
        ([*FLOW, "--state", "1,2,3"], "four numbers"),
        ([*FLOW, "--state", "1,2,3,nan"], "finite"),
        ([*FLOW, "--points", "1"], "points"),
        ([*FLOW, "--support", "round"], "support"),
        ([*FLOW, "--out", "/nowhere/at/all.nc"], "existing folder"),
        (["flow", "--alpha", "1e300", "--beta-norm", "1"], "the integrator stopped"),
        ([*FLOW, "--points", str(10**14)], "memory"),
        ([*DESCENT, "--step-size", "0.1", "--state", "1e200,0,0,0"], "largest component"),
        ([*DESCENT, "--step-size", "0.1", "--steps", str(10**14)], "memory"),
        ([*DESCENT, "--step-size", "0"], "step_size is 0.0"),
        ([*DESCENT, "--step-size", "0.1", "--steps", "0"], "steps"),
    ],
)
def test_bad_input_is_one_line_and_status_2(monkeypatch, capsys, arguments, what):
    assert call(monkeypatch, arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ") and captured.err.count("\n") == 1
    assert what in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("command", ["flow", "descent", "spectrum"])
def test_help_explains_every_option(monkeypatch, capsys, command):
    assert call(monkeypatch, [command, "--help"]) == 0
    assert "--alpha" in capsys.readouterr().out


def test_default_end_time_has_converged():
    from linmodel import OpposingSignals, State, gradient_flow
    from linmodel.__main__ import _default_end

    problem = OpposingSignals(50.0, 10.0)
    flow = gradient_flow(problem, State(1.0, 0.1, 0.4, 0.9), [_default_end(problem)])
    assert float(flow.loss[0]) < 1e-6 and np.isfinite(flow.sharpness).all()
