"""One command for the four packages. In processes of its own: other tests run these modules."""

import subprocess
import sys

import linmodel

PROGRAM = "from figures.program import main; main()"


def told(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_every_package_is_reached() -> None:
    said = told("--help")
    for command in ("flow", "descent", "sweep", "prove", "train", "bridge", "signals", "explore"):
        assert f" {command} " in said
    assert "--install-completion" in said


def test_the_version_is_the_installed_one() -> None:
    assert told("--version").split() == ["opposing-signals", linmodel.__version__]


def test_a_claim_is_read_through_it() -> None:
    assert "F4" in told("prove", "show", "F4")
