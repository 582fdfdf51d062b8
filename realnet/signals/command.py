"""The command `signals`: find opposing groups along training, measure them, save everything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from linmodel import store
from linmodel.console import progress
from linmodel.errors import integer, refuse
from linmodel.extra import require
from linmodel.files import require_writable
from realnet.config import LOSSES, TrainConfig, read_dials
from realnet.options import (
    Activation,
    Data,
    Depth,
    Device,
    Dial,
    Net,
    Norm,
    Size,
    Width,
    one_of,
)

CHUNK = 256


def signals(
    run: Annotated[
        Path | None,
        typer.Option(help="Search this run folder, from its checkpoint on; no training options."),
    ] = None,
    data: Data = "planted",
    net: Net = "auto",
    width: Width = None,
    depth: Depth = None,
    activation: Activation = "tanh",
    norm: Norm = "none",
    loss: Annotated[str, typer.Option(help=one_of(LOSSES))] = "cross-entropy",
    size: Size = 400,
    step_size: Annotated[float, typer.Option(help="eta of full-batch gradient descent.")] = 0.2,
    steps: Annotated[
        int | None, typer.Option(help="Number of steps; 100, or 40 further ones of --run.")
    ] = None,
    directions: Annotated[int, typer.Option(help="Top eigenvectors at each checkpoint.")] = 4,
    chunk_size: Annotated[
        int | None,
        typer.Option(help="Samples at a time; absent: 256 on a CPU, all with batch norm or a GPU."),
    ] = None,
    dial: Dial = None,
    device: Device = "auto",
    seed: Annotated[int, typer.Option(help="Of the data, the network and the search.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Write all numbers to this NetCDF file.")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the signals to this JSON file.")
    ] = None,
    gallery: Annotated[
        Path | None, typer.Option(help="Draw both ends of each signal to this PNG file.")
    ] = None,
) -> None:
    """Find opposing groups along training and print the numbers that measure them."""
    require("the search for opposing groups", "realnet", "torch")
    integer("directions", directions, low=1)
    for file in (out, json_file, gallery):
        if file is not None:
            require_writable(file)
    if gallery is not None and gallery.suffix != ".png":
        refuse("gallery", str(gallery), "a file name that ends in .png")
    from realnet.signals.study import study

    if run is not None:
        evidence, samples = _from_folder(run, 40 if steps is None else steps, directions)
    else:
        length = integer("steps", 100 if steps is None else steps, low=1)
        config = TrainConfig(
            data=data,
            net=net,
            width=width,
            depth=depth,
            activation=activation,
            norm=norm,
            loss=loss,
            size=size or None,
            step_size=step_size,
            steps=length,
            every=length,
            eigenvalues=directions,
            tolerance=1e-2,
            chunk_size=usual_chunk(device, norm) if chunk_size is None else chunk_size,
            dials=read_dials(dial),
            device=device,
            seed=seed,
            observe=(f"evidence={directions}",),
        )
        evidence, samples = _from_training(config)
    for note in samples.provenance.get("notes", ()):
        print(note)
    found = study(evidence, seed=seed)
    _print(found, samples.describe)
    _answer(found, samples, seed, json_file, gallery)
    if out is not None:
        print(f"wrote {store.save(found.numbers, out)}")


def usual_chunk(device: str, norm: str) -> int | None:
    """Samples at a time: what stays in a processor's cache; all (None) where a GPU is filled by
    more, and with batch norm, whose statistics are the whole batch's."""
    import torch

    on_cpu = device == "cpu" or (device == "auto" and not torch.cuda.is_available())
    return CHUNK if on_cpu and norm != "batch" else None


def _from_folder(folder: Path, steps: int, directions: int):
    from realnet.signals.folder import evidence_of

    count = integer("steps", steps, low=1)
    with progress(count + 1, str(folder)) as advance:
        return evidence_of(folder, steps=count, directions=directions, report=advance)


def _from_training(config: TrainConfig):
    from realnet.signals.evidence import Evidence
    from realnet.signals.groups import FEWEST
    from realnet.training.building import load_samples
    from realnet.training.run import Run

    samples = load_samples(config)
    if samples.labels.size < FEWEST:
        refuse("number of samples", samples.labels.size, f"at least {FEWEST}")
    run = Run(config, samples)
    (evidence,) = (one for one in run.observers if isinstance(one, Evidence))
    with progress(config.steps + 1, f"{config.net} on {config.data}") as advance:
        evidence.follow(run, advance)
    return evidence, samples


def _answer(found, samples, seed: int, json_file: Path | None, gallery: Path | None) -> None:
    """Crisp and graded signals together: printed, and written where asked."""
    from realnet.signals.answer import answers
    from realnet.signals.drawn import draw
    from realnet.signals.printed import as_json, lines

    images = None if samples.is_text else samples.inputs
    names = samples.provenance.get("classes")
    known = names if names is not None and len(names) == samples.n_classes else None
    signals, notes = answers(found.evidence, found.pairs, images, known, seed=seed)
    for line in lines(signals, notes):
        print(line)
    if json_file is not None:
        print(f"wrote {store.write_text(json_file, as_json(signals, notes))}")
    if gallery is not None:
        print(draw(gallery, samples, signals, known))


def _print(found, show) -> None:
    from realnet.signals.numbers import rows

    status, steps = found.evidence.attrs["status"], found.evidence.sizes["time"] - 1
    if status != "completed":
        print(f"{status} after {steps} steps: take a smaller step size to see more")
    if not found.pairs:
        print("no crisp groups found: no jump in the samples' sizes")
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
