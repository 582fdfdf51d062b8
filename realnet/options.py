"""Options that `train` and `signals` share: the data and the network."""

from __future__ import annotations

from typing import Annotated

import typer

from realnet.config import ACTIVATIONS, DEVICES, NETWORKS, NORMALISATIONS


def one_of(names: tuple[str, ...]) -> str:
    """The help of an option that takes one of these."""
    return "One of " + ", ".join(names) + "."


Data = Annotated[str, typer.Option(help="Data set; an unknown name lists all.")]
Size = Annotated[int, typer.Option(help="Images or text windows; 0: all.")]
Dial = Annotated[
    list[str] | None,
    typer.Option(help="NAME=VALUE, of the data, e.g. fraction=0.05, path=DIR (repeatable)."),
]
Net = Annotated[str, typer.Option(help=one_of(("auto", *NETWORKS)))]
Width = Annotated[int | None, typer.Option(help="Units or first channels.")]
Depth = Annotated[int | None, typer.Option(help="Hidden layers, stages or blocks.")]
Activation = Annotated[str, typer.Option(help=one_of(ACTIVATIONS))]
Norm = Annotated[str, typer.Option(help=one_of(NORMALISATIONS))]
Device = Annotated[str, typer.Option(help=one_of(DEVICES))]
