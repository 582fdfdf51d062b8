"""One command for the four packages."""

from typer.testing import CliRunner

import linmodel
from figures.program import NAME, app


def test_every_package_is_reached() -> None:
    told = CliRunner().invoke(app, ["--help"]).output
    for command in ("flow", "descent", "sweep", "prove", "train", "bridge", "signals", "explore"):
        assert f" {command} " in told


def test_the_version_is_the_installed_one() -> None:
    told = CliRunner().invoke(app, ["--version"])
    assert told.exit_code == 0 and told.output.split() == [NAME, linmodel.__version__]


def test_a_claim_is_read_through_it() -> None:
    told = CliRunner().invoke(app, ["prove", "show", "F4"])
    assert told.exit_code == 0 and "F4" in told.output
