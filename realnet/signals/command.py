"""The command `signals`: train, find opposing groups, measure them, save everything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from linmodel import store
from linmodel.console import progress
from linmodel.errors import integer, real, refuse
from linmodel.files import require_writable
from realnet.config import ACTIVATIONS, LOSSES, NETWORKS, check_pair, read_dials, usual
from realnet.extra import need_torch


def signals(
    data: Annotated[str, typer.Option(help="Data set; an unknown name lists all.")] = "planted",
    net: Annotated[str, typer.Option(help="One of auto, " + ", ".join(NETWORKS))] = "auto",
    activation: Annotated[str, typer.Option(help="One of " + ", ".join(ACTIVATIONS))] = "tanh",
    loss: Annotated[str, typer.Option(help="One of " + ", ".join(LOSSES))] = "cross-entropy",
    size: Annotated[int, typer.Option(help="Images or text windows; 0: all.")] = 400,
    step_size: Annotated[float, typer.Option(help="eta of full-batch gradient descent.")] = 0.2,
    steps: Annotated[int, typer.Option(help="Number of steps.")] = 100,
    directions: Annotated[int, typer.Option(help="Top eigenvectors at each checkpoint.")] = 4,
    chunk_size: Annotated[
        int | None, typer.Option(help="Samples at a time; all if absent.")
    ] = None,
    dial: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE, of the data, e.g. fraction=0.05 (repeatable)."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    seed: Annotated[int, typer.Option(help="Of the data, the network and the search.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Write all numbers to this NetCDF file.")] = None,
) -> None:
    """Find opposing groups along training and print the numbers that measure them."""
    need_torch("the search for opposing groups")
    net = usual(data)[0] if net == "auto" else net
    check_pair(data, net)
    if activation not in ACTIVATIONS:
        refuse("activation", activation, "one of " + ", ".join(ACTIVATIONS))
    steps, seed = integer("steps", steps, low=1), integer("seed", seed, low=0)
    step_size = real("step_size", step_size, above=0)
    directions = integer("directions", directions, low=1)
    if loss not in LOSSES:
        refuse("loss", loss, "one of " + ", ".join(LOSSES))
    if chunk_size is not None:
        chunk_size = integer("chunk_size", chunk_size, low=1)
    if out is not None:
        require_writable(out)

    from realnet.networks import build_network
    from realnet.signals.gradients import study
    from realnet.training.losses import sample_loss
    from realnet.training.run import pick_device
    from realnet.training.samples import load_samples

    samples = load_samples(data, size or None, seed, read_dials(dial))
    place = pick_device(device)
    model = build_network(net, samples.shape, activation=activation, seed=seed).to(place)
    with progress(steps + 1, f"{net} on {data}") as advance:
        found = study(
            model,
            sample_loss(loss),
            samples.inputs.to(place),
            samples.labels.to(place),
            step_size=step_size,
            steps=steps,
            directions=directions,
            chunk_size=chunk_size,
            seed=seed,
            report=advance,
        )
    _print(found, samples.describe)
    if out is not None:
        print(f"wrote {store.save(found.numbers, out)}")


def _print(found, show) -> None:
    from realnet.signals.numbers import rows

    status, steps = found.evidence.attrs["status"], found.evidence.sizes["time"] - 1
    if status != "completed":
        print(f"{status} after {steps} steps: take a smaller step size to see more")
    if not found.pairs:
        print("no opposing groups found")
    for index, pair in enumerate(found.pairs):
        print(f"pair {index + 1}: response exceeds all others' {pair.score:.3g} times, ", end="")
        print(f"p = {pair.p_value:.2g}")
        for name, members in (("plus", pair.plus), ("minus", pair.minus)):
            print(f"  {name}: {len(members)} samples")
            for line in show(members):
                print(f"    {line}")
        for name, value, low, high, definition in rows(found.numbers, index):
            interval = "" if low != low else f" [{low:.3g}, {high:.3g}]"
            print(f"  {name:16} {value:8.3g}{interval:20} {definition}")
