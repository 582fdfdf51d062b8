"""Small inputs that other tests pass by: each is refused in a sentence, or answered plainly."""

from __future__ import annotations

import os
import warnings

import numpy as np
import pytest
import typer
from hypothesis import find

import linmodel
from linmodel import (
    FlowFailed,
    InvalidInput,
    OpposingSignals,
    State,
    console,
    errors,
    files,
    strategies,
    sweep,
)
from linmodel.arguments import typed
from linmodel.assumptions import require_strengths
from linmodel.envelope import PrecisionExhausted, envelope, negative
from linmodel.network import (
    GradientDescent,
    ModeState,
    Spectra,
    eigenbasis,
    spectral_flow,
    train_network,
)
from linmodel.phases import observe_phase, predict_phase
from linmodel.sweeps import solve as solving

PROBLEM = OpposingSignals(alpha=50.0, beta_norm=10.0, k=4.0, d1=10)
START = State(1.0, 0.1, 0.4, 0.9)
CELL = {"alpha": [50.0], "beta_norm": [5.0], "k": [4.0], "times": [0.0, 0.1]}


def test_the_version_is_there():
    assert linmodel.__version__.count(".") >= 2


def test_a_problem_without_strength_is_refused():
    with pytest.raises(InvalidInput, match="beta_norm > 0"):
        require_strengths(OpposingSignals(alpha=1.0, beta_norm=0.0))


def plainly_typed(*numbers, table=None):
    return len(numbers)


def test_arguments_of_every_shape_are_checked():
    plainly_typed.__annotations__ = {"numbers": float, "table": "dict[str, float]"}
    checked = typed(plainly_typed)
    assert checked(1.0, 2.0, table={"a": 1.0}) == 2
    with pytest.raises(InvalidInput, match="numbers"):
        checked(1.0, "two")
    with pytest.raises(InvalidInput, match="table"):
        checked(1.0, table={"a": "one"})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"times": None, "beta_norm": [0.01]}, "beta_norm"),
        ({"time_scale": [1.0, 2.0]}, "time_scale"),
        ({"time_scale": "weeks"}, "time_scale"),
        ({"variables": ["colour"]}, "variable"),
        ({"k": [[1.0]]}, "array of shape"),
        ({"k": ["four"]}, "k is"),
    ],
)
def test_a_sweep_says_what_it_cannot_run_over(change, says):
    with pytest.raises(InvalidInput, match=says):
        sweep(**(CELL | change))


def test_a_sweep_of_what_was_asked_alone():
    found = sweep(**CELL, variables=["n", "opposing_curvature"])
    whole = sweep(**CELL, variables=["c", "n", "loss", "opposing_curvature"])
    assert set(found) == {"n", "opposing_curvature", "status"}
    np.testing.assert_array_equal(found.n, whole.n)
    np.testing.assert_array_equal(found.opposing_curvature, whole.opposing_curvature)
    nowhere = sweep(**(CELL | {"beta_norm": [0.0]}), variables=["final_sharpness"])
    assert int(nowhere.status.squeeze()) == 1 and np.isfinite(nowhere.final_sharpness).all()


def test_a_cell_that_no_path_can_solve_is_nan_and_said(monkeypatch):
    def failing(*given, **named):
        raise RuntimeError("the integrator stopped")

    monkeypatch.setattr(solving, "gradient_flow", failing)
    found = sweep(**(CELL | {"beta_norm": [0.0]}))
    assert int(found.status.squeeze()) == 2 and np.isnan(found.final_sharpness).all()


def test_the_full_network_is_told_what_its_batches_come_from():
    parameters = linmodel.standard_parameters(PROBLEM, 0)
    with pytest.raises(InvalidInput, match="covariance"):
        train_network(PROBLEM, parameters, GradientDescent(1e-3), 2, covariance=np.eye(10))


def test_spectra_are_square_and_fit():
    with pytest.raises(InvalidInput, match="sigma"):
        eigenbasis(np.ones((2, 3)), np.eye(2), [1.0, 1.0])
    with pytest.raises(InvalidInput, match="beta"):
        eigenbasis(np.eye(2), np.eye(2), [1.0, 1.0, 1.0])


def test_at_time_zero_the_spectral_flow_is_its_start():
    spectra, start = Spectra.of_problem(PROBLEM), ModeState.of_state(START)
    assert float(spectral_flow(spectra, start, [0.0]).c[0]) == 1.0


def test_without_an_outlier_nothing_is_thrown_past_the_edge():
    start = State(1.0, 3.0, 0.4, 0.0)
    predicted, observed = (phase(PROBLEM, start, 0.02) for phase in (predict_phase, observe_phase))
    assert predicted.name == observed.name == "like_flow" and predicted.u_limit > 2


def test_notices_are_one_line_and_other_warnings_are_as_ever(monkeypatch, capsys):
    said = []
    monkeypatch.setattr(warnings, "showwarning", lambda *given, **_more: said.append(given[0]))
    errors.show_notices_on_one_line()
    warnings.showwarning(errors.Notice("put right"), errors.Notice, "file.py", 1)
    assert capsys.readouterr().err == "note: put right\n" and said == []
    warnings.showwarning("careful", UserWarning, "file.py", 1)
    assert said == ["careful"]


def test_a_folder_that_cannot_be_written_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "access", lambda *asked: False)
    with pytest.raises(InvalidInput, match="may write in"):
        files.require_writable(tmp_path / "out.nc")


def test_progress_is_a_bar_on_a_terminal_and_lines_in_a_log(monkeypatch, capsys):
    monkeypatch.delenv("NO_PROGRESS", raising=False)
    for terminal in (True, False):
        monkeypatch.setattr(console.Console, "is_terminal", property(lambda _self, on=terminal: on))
        with console.progress(2, "cells") as advance:
            advance(2, "done")
        assert "2/2" in capsys.readouterr().err


def test_an_envelope_beyond_rounding_names_what_holds_there():
    far = OpposingSignals(1e13, 10.0)
    with pytest.raises(PrecisionExhausted, match="Use linmodel"):
        envelope(far, START, np.array([1e-6, 1.0]))


def test_a_tau_on_the_line_between_the_sides_is_not_reached(monkeypatch):
    monkeypatch.setattr(negative, "DOUBLINGS", 2)
    curve = negative.ClosedCurve(c=1.0, epsilon=-0.1, rest=0.0, b_norm=1e-9)
    with pytest.raises(InvalidInput, match="tau is not reached"):
        curve.epsilon_at(np.array([1e9]))


def test_an_integrator_that_stops_is_no_result(monkeypatch):
    class Stopped:
        success, message = False, "a step became too small."

    monkeypatch.setattr("linmodel.network.spectra.solve_ivp", lambda *given, **named: Stopped)
    spectra = Spectra(beta=[5.0, 0.0], signal=[1.0, 1.0], opposing=[50.0])
    with pytest.raises(FlowFailed, match="a step became too small"):
        spectral_flow(spectra, ModeState(1.0, [0.1, 0.4], [0.9]), [0.0, 1.0])


def test_a_program_without_an_output_ends_well(monkeypatch):
    app = typer.Typer()
    app.command()(lambda: None)
    monkeypatch.setattr("sys.argv", ["nothing"])
    monkeypatch.setattr("sys.stdout", None)
    assert console._status(app, "nothing") == 0


def test_standing_cases_are_of_alpha_from_one():
    with pytest.raises(InvalidInput, match="1 upwards"):
        find(strategies.standing_cases(alpha=(0.1, 0.5)), lambda case: True)


def test_a_log_estimates_nothing_before_the_first_is_done(capsys):
    advance = console._log_lines(2, "cells", log_seconds=0.0)
    advance(0, "begins")
    advance(2, "done")
    first, last = capsys.readouterr().err.splitlines()
    assert first == "cells: 0/2 begins" and "0 s left" in last
