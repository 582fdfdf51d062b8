"""`opposing-signals COMMAND ...`: the four packages' commands under one name, as installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from linmodel.console import new_app, run
from linmodel.errors import InvalidInput
from linmodel.extra import MissingExtra
from linmodel.store import versions

NAME = "opposing-signals"
ABOUT = "The two-layer linear model of opposing signals, its ledger, and real networks."


def _show_version(wanted: bool) -> None:
    if wanted:
        print(NAME, versions()[NAME])
        raise typer.Exit


def _prove(app: typer.Typer) -> None:
    import proofs_check.__main__

    app.add_typer(proofs_check.__main__.app, name="prove")


def _networks(app: typer.Typer) -> None:
    import realnet.__main__

    app.registered_commands += realnet.__main__.app.registered_commands


def _figures(app: typer.Typer) -> None:
    import figures.__main__

    app.registered_commands += figures.__main__.app.registered_commands


# What adds commands, and the extra of each.
PARTS: tuple[tuple[Callable[[typer.Typer], None], dict[str, str]], ...] = (
    (_prove, {"prove": "prove"}),
    (
        _networks,
        {"bridge": "sweep", "train": "realnet", "signals": "realnet", "experiments": "realnet"},
    ),
    (_figures, {"draw": "figures", "explore": "figures"}),
)
ANYTHING = {"ignore_unknown_options": True, "allow_extra_args": True}


def _absent(reason: str) -> Callable[[], None]:
    """A command that only says what to install."""

    def command() -> None:
        raise InvalidInput(reason)

    return command


def program() -> typer.Typer:
    """The application. Its parts are imported here: they are programs of their own, too."""
    import linmodel.__main__

    app = new_app(ABOUT, completion=True)

    @app.callback(help=ABOUT)
    def everything(
        version: Annotated[
            bool, typer.Option("--version", callback=_show_version, is_eager=True, help="And exit.")
        ] = False,
    ) -> None: ...

    app.registered_commands += linmodel.__main__.app.registered_commands
    for add, extras in PARTS:
        try:
            add(app)
        except MissingExtra as missing:
            came = str(missing).partition(" Run: ")[0]
            for name, extra in extras.items():
                absent = _absent(f"{came} Run: pip install '.[{extra}]' in this project's folder")
                app.command(name, hidden=True, context_settings=ANYTHING)(absent)
    return app


def main() -> None:
    """Run the command line."""
    run(program(), NAME)
