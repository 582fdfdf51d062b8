"""Command line: check the ledger, print it, save it, or read one claim with its proof."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from linmodel import console, store
from proofs_check import Result, catalogue, commands, run
from proofs_check.credit import totals
from proofs_check.readable import explain

app = console.new_app("Check every statement about the model and say how strong each verdict is.")
COLOURS = {"proved": "green", "certified": "green", "tested": "yellow", "open": "yellow"}


@app.callback(invoke_without_command=True, no_args_is_help=False)
def check(
    context: typer.Context,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the results as JSON.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="ID...", help="Check these claims only.")
    ] = None,
) -> None:
    """Check the ledger and print it. Exit status 0: every verdict is the recorded one; 1: not."""
    if context.invoked_subcommand is not None:
        return
    wanted = [claim.id for claim in catalogue(only)]
    if json_file is not None:
        store.require_writable(json_file)
    with console.progress(len(wanted), "checking") as advance:
        results = run(wanted, each=lambda result: advance(1, result.claim.id))
    if json_file is not None:
        rows = [result.as_dict() for result in results]
        store.write_text(json_file, json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    _print_table(results)
    wrong = [result for result in results if not result.as_recorded]
    for result in wrong:
        recorded, got = result.claim.recorded, result.verdict
        print(f"{result.claim.id}: recorded {recorded}, got {got}: {result.evidence}")
    raise typer.Exit(1 if wrong else 0)


@app.command()
def show(identifier: Annotated[str, typer.Argument(metavar="ID", help="A claim, such as F4.")]):
    """Print one claim: statement, hypotheses, each step of the proof, and what was checked."""
    result = run([identifier])[0]
    print(explain(result))
    raise typer.Exit(0 if result.as_recorded else 1)


@app.command()
def theorem(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", help="A TOML file: hypotheses, conclusion.")
    ],
) -> None:
    """Check a theorem of your own. Exit status 0: proved or certified; 1: anything weaker.

    FILE holds, in TOML:

    \b
      hypotheses = ["c0 == 1", "epsilon0 > 0", "epsilon0 < B", "alpha >= C*B"]
      conclusion = "opposing_curvature <= alpha*B**2/epsilon**2"
      when = "always"         # every t >= 0; or "start", "dip", "limit", "step"
      examples = 50           # random problems, where nothing is decided
      constants = {C = "3/2"}
      ranges = {alpha = [1, 1000]}    # where problems are drawn from

    \b
    Names: alpha, B, k, eta; the start c0, epsilon0, n0, o0, kappa; at the time t
    (or after a step of descent of size eta: "step")
    c, epsilon, n, o, sharpness, opposing_curvature; your constants.
    A formula is one comparison of + - * / **, exp, log, sqrt, min, max.
    A counterexample comes with a line of Python that shows it again.
    """
    from proofs_check.theorem import check_theorem  # late: the ledger does not need the simulator

    result = check_theorem(path)
    print(explain(result))
    raise typer.Exit(0 if result.verdict in ("proved", "certified") else 1)


commands.add_to(app)


def _print_table(results: list[Result]) -> None:
    table = Table(title="Ledger")
    for heading in ("id", "verdict", "method", "s", "statement"):
        table.add_column(heading, justify="right" if heading == "s" else "left")
    for result in results:
        colour = COLOURS.get(result.verdict, "red") if result.as_recorded else "bold red"
        verdict = f"[{colour}]{result.verdict}[/]"
        seconds = f"{result.seconds:.1f}"
        table.add_row(result.claim.id, verdict, result.method, seconds, result.claim.title)
    Console(width=None if sys.stdout.isatty() else 140).print(table)
    count: dict[str, int] = {}
    for result in results:
        count[result.verdict] = count.get(result.verdict, 0) + 1
    total = ", ".join(f"{number} {verdict}" for verdict, number in count.items())
    print(f"{len(results)} claims: {total}; {sum(r.seconds for r in results):.0f} s of checking")
    print(totals([result.claim for result in results]))


def spread(arguments: list[str]) -> list[str]:
    """Let one --only take several ids: --only F4 F5 becomes --only F4 --only F5."""
    out: list[str] = []
    within = False
    for word in arguments:
        if word.startswith("-"):
            within = word == "--only"
            out.append(word)
        else:
            out += ["--only", word] if within and out[-1] != "--only" else [word]
    return out


def main() -> None:
    """Entry point: `python -m proofs_check`."""
    sys.argv[1:] = spread(sys.argv[1:])
    console.run(app, "python -m proofs_check")


if __name__ == "__main__":
    main()
