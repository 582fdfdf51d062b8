"""`opposing-signals COMMAND ...`: the four packages' commands under one name, as installed."""

from __future__ import annotations

from typing import Annotated

import typer

from linmodel.console import new_app, run
from linmodel.store import versions

NAME = "opposing-signals"
ABOUT = "The two-layer linear model of opposing signals, its ledger, and real networks."


def _show_version(wanted: bool) -> None:
    if wanted:
        print(NAME, versions()[NAME])
        raise typer.Exit


def program() -> typer.Typer:
    """The application. Its parts are imported here: they are programs of their own, too."""
    import linmodel.__main__
    import proofs_check.__main__
    import realnet.__main__
    from figures.__main__ import explore

    app = new_app(ABOUT)

    @app.callback(help=ABOUT)
    def everything(
        version: Annotated[
            bool, typer.Option("--version", callback=_show_version, is_eager=True, help="And exit.")
        ] = False,
    ) -> None: ...

    app.registered_commands += linmodel.__main__.app.registered_commands
    app.add_typer(proofs_check.__main__.app, name="prove")
    app.registered_commands += realnet.__main__.app.registered_commands
    app.command()(explore)
    return app


def main() -> None:
    """Run the command line."""
    run(program(), NAME)
