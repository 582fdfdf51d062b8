"""`opposing-signals COMMAND ...`: the four packages' commands under one name, as installed."""

from __future__ import annotations

from typing import Annotated

import typer

import linmodel.__main__
import proofs_check.__main__
import realnet.__main__
from figures.__main__ import explore
from linmodel.console import new_app, run
from linmodel.store import versions

NAME = "opposing-signals"
app = new_app("The two-layer linear model of opposing signals, its ledger, and real networks.")


def _show_version(wanted: bool) -> None:
    if wanted:
        print(NAME, versions()[NAME])
        raise typer.Exit


@app.callback()
def _all(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="And exit.")
    ] = False,
) -> None:
    """The two-layer linear model of opposing signals, its ledger, and real networks."""


app.registered_commands += linmodel.__main__.app.registered_commands
app.add_typer(proofs_check.__main__.app, name="prove")
app.registered_commands += realnet.__main__.app.registered_commands
app.command()(explore)


def main() -> None:
    """Run the command line."""
    run(app, NAME)
