"""The command `signals`: train, find opposing groups, measure them, save everything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from linmodel import store
from linmodel.console import progress
from linmodel.errors import integer, real, refuse
from realnet.config import ACTIVATIONS, LOSSES, NETWORKS
from realnet.extra import need_torch

TEXT = "moby-dick"


def signals(
    data: Annotated[str, typer.Option(help=f"Data set, or {TEXT} (net gpt).")] = "planted",
    net: Annotated[str, typer.Option(help="One of " + ", ".join(NETWORKS))] = "mlp",
    activation: Annotated[str, typer.Option(help="One of " + ", ".join(ACTIVATIONS))] = "tanh",
    loss: Annotated[str, typer.Option(help="One of " + ", ".join(LOSSES))] = "cross-entropy",
    size: Annotated[int, typer.Option(help="Number of images, or of text windows.")] = 400,
    step_size: Annotated[float, typer.Option(help="eta of full-batch gradient descent.")] = 0.2,
    steps: Annotated[int, typer.Option(help="Number of steps.")] = 100,
    directions: Annotated[int, typer.Option(help="Top eigenvectors at each checkpoint.")] = 4,
    chunk_size: Annotated[
        int | None, typer.Option(help="Samples at a time; all if absent.")
    ] = None,
    fraction: Annotated[float | None, typer.Option(help="planted: members' share.")] = None,
    magnitude: Annotated[float | None, typer.Option(help="planted: background's strength.")] = None,
    folder: Annotated[Path | None, typer.Option(help="cifar10, cifar100: their folder.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    seed: Annotated[int, typer.Option(help="Of the data, the network and the search.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Write all numbers to this NetCDF file.")] = None,
) -> None:
    """Find opposing groups along training and print the numbers that measure them."""
    need_torch("the search for opposing groups")
    if net not in NETWORKS:
        refuse("net", net, "one of " + ", ".join(NETWORKS))
    if activation not in ACTIVATIONS:
        refuse("activation", activation, "one of " + ", ".join(ACTIVATIONS))
    if (data == TEXT) != (net == "gpt"):
        refuse("net", net, f"gpt for data {TEXT}, another for images")
    steps, seed = integer("steps", steps, low=1), integer("seed", seed, low=0)
    step_size = real("step_size", step_size, above=0)
    if out is not None and not out.parent.is_dir():
        refuse("output folder", str(out.parent), "an existing folder", "Create it.")
    given = {"fraction": fraction, "magnitude": magnitude, "folder": folder}
    dials = {name: value for name, value in given.items() if value is not None}
    inputs, labels, shape, show = _load(data, size, seed, dials)

    from realnet.networks import build_network
    from realnet.signals.gradients import study
    from realnet.training.losses import sample_loss
    from realnet.training.run import pick_device

    place = pick_device(device)
    model = build_network(net, shape, activation=activation, seed=seed).to(place)
    with progress(steps + 1, f"{net} on {data}") as advance:
        found = study(
            model,
            sample_loss(loss),
            inputs.to(place),
            labels.to(place),
            step_size=step_size,
            steps=steps,
            directions=directions,
            chunk_size=chunk_size,
            seed=seed,
            report=advance,
        )
    _print(found, show)
    if out is not None:
        print(f"wrote {store.save(found.numbers, out)}")


def _load(data: str, size: int, seed: int, dials: dict):
    """Inputs, labels, the network's shape, and how to show a sample."""
    import torch

    from realnet.data import datasets
    from realnet.data.text import in_context, load_text
    from realnet.networks import Shape

    if data == TEXT:
        text = load_text(size, seed)
        shape = Shape(text.n_classes, context=text.inputs.shape[1])
        inputs, labels = torch.as_tensor(text.inputs), torch.as_tensor(text.labels)
        return inputs, labels, shape, lambda members: in_context(text, members[:5])
    images = datasets.load(data, size, seed, **dials)
    _, channels, height, width = images.images.shape
    shape = Shape(images.n_classes, channels, height, width)

    def classes(members):
        counts = {int(c): int((images.labels[members] == c).sum()) for c in images.labels[members]}
        return [f"class {name}: {count}" for name, count in sorted(counts.items())]

    return torch.as_tensor(images.images), torch.as_tensor(images.labels), shape, classes


def _print(found, show) -> None:
    from realnet.signals.numbers import rows

    if not found.pairs:
        print("no opposing groups found")
    for index, pair in enumerate(found.pairs):
        print(f"pair {index + 1}: response exceeds all others' {pair.score:.3g} times, ", end="")
        print(f"p = {pair.p_value:.2g}")
        for name, members in (("plus", pair.plus), ("minus", pair.minus)):
            print(f"  {name}: {len(members)} samples; " + "; ".join(show(members)))
        for name, value, low, high, definition in rows(found.numbers, index):
            interval = "" if low != low else f" [{low:.3g}, {high:.3g}]"
            print(f"  {name:16} {value:8.3g}{interval:20} {definition}")
