from dataclasses import replace

import pytest
import typer
from typer.testing import CliRunner

from linmodel import InvalidInput
from realnet.experiments import toy_arms
from realnet.experiments.kit import registry
from realnet.experiments.kit.command import experiments


@pytest.fixture
def call(monkeypatch):
    """The command with a toy experiment that takes a second."""
    (one,) = toy_arms.EXPERIMENTS
    small = replace(one, settings=toy_arms.Settings(steps=60, samples=200))
    monkeypatch.setattr(registry, "experiments", lambda: {"toy_arms": small})
    app = typer.Typer()
    app.command()(experiments)

    def run(*arguments):
        return CliRunner().invoke(app, list(map(str, arguments)))

    return run


def test_the_estimate_comes_first_and_a_second_run_has_nothing_to_do(call, tmp_path):
    out = tmp_path / "out"
    first = call("toy_arms", "--out", out)
    assert first.exit_code == 0, first.output
    lines = first.output.splitlines()
    assert lines[0].startswith("toy_arms") and "min" in lines[0] and lines[1].startswith("all:")
    assert (out / "toy_arms.nc").is_file() and (out / "manifest.json").is_file()
    again = call("toy_arms", "--out", out)
    assert "finished" in again.output and "was there" in again.output


def test_list_runs_nothing_and_quick_has_its_own_folder(call, tmp_path):
    listed = call("toy_arms", "--list", "--out", tmp_path)
    assert listed.exit_code == 0 and not (tmp_path / "toy_arms.nc").exists()
    call("toy_arms", "--quick", "--out", tmp_path)
    assert (tmp_path / "quick" / "toy_arms.nc").is_file()
    assert not (tmp_path / "toy_arms.nc").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nothing",), "toy_arms"),
        (("toy_arms", "--device", "tpu"), "auto, cpu, cuda"),
        (("toy_arms", "--size", "3"), ">= 50"),
        (("toy_arms", "--out", "/nowhere/at/all"), "existing folder"),
    ],
)
def test_bad_input_says_what_is_allowed(call, arguments, says):
    failed = call(*arguments)
    assert isinstance(failed.exception, InvalidInput) and says in str(failed.exception)
