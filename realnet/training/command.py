"""The command `train`: a network with its sharpness tracked, in a run folder."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
import xarray as xr

from linmodel.console import progress
from linmodel.extra import require
from realnet.config import DTYPES, LOSSES, OPTIMISERS, SCHEDULES, TrainConfig, read_dials
from realnet.data.interventions import ARMS
from realnet.observers import names
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

DEFAULT = TrainConfig()
OPTIONS = tuple(field.name for field in fields(TrainConfig))  # named alike on the command line


def train(
    out: Annotated[Path, typer.Option(help="Run folder; a run there is resumed.")],
    data: Data = DEFAULT.data,
    size: Size = DEFAULT.size or 0,
    dial: Dial = None,
    net: Net = "auto",
    width: Width = None,
    depth: Depth = None,
    activation: Activation = DEFAULT.activation,
    norm: Norm = DEFAULT.norm,
    loss: Annotated[str, typer.Option(help=one_of(("auto", *LOSSES)))] = "auto",
    label_smoothing: Annotated[float, typer.Option(help="In [0, 1).")] = DEFAULT.label_smoothing,
    optimiser: Annotated[str, typer.Option(help=one_of(OPTIMISERS))] = DEFAULT.optimiser,
    step_size: Annotated[float, typer.Option(help="eta > 0; time is eta x step.")] = (
        DEFAULT.step_size
    ),
    steps: Annotated[int, typer.Option(help="Number of steps.")] = DEFAULT.steps,
    schedule: Annotated[str, typer.Option(help=one_of(SCHEDULES))] = DEFAULT.schedule,
    warmup: Annotated[int, typer.Option(help="Steps of linear warm-up.")] = DEFAULT.warmup,
    batch_size: Annotated[int | None, typer.Option(help="None: full batch.")] = None,
    momentum: Annotated[float, typer.Option(help="momentum; Adam's beta1.")] = DEFAULT.momentum,
    beta2: Annotated[float, typer.Option(help="Adam's beta2.")] = DEFAULT.beta2,
    sam_radius: Annotated[float, typer.Option(help="SAM's rho.")] = DEFAULT.sam_radius,
    clip: Annotated[float | None, typer.Option(help="Largest gradient norm.")] = None,
    every: Annotated[int, typer.Option(help="Steps between sharpness values.")] = DEFAULT.every,
    eigenvalues: Annotated[int, typer.Option(help="How many to track.")] = DEFAULT.eigenvalues,
    tolerance: Annotated[float, typer.Option(help="Relative, of eigenvalues.")] = DEFAULT.tolerance,
    chunk_size: Annotated[int | None, typer.Option(help="Samples at once (memory).")] = None,
    seed: Annotated[int, typer.Option(help="Of weights, subset and batches.")] = DEFAULT.seed,
    dtype: Annotated[str, typer.Option(help=one_of(DTYPES))] = DEFAULT.dtype,
    device: Device = DEFAULT.device,
    weight_decay: Annotated[
        float, typer.Option(help="w in gradient + w theta (L2, coupled).")
    ] = DEFAULT.weight_decay,
    dropout: Annotated[
        float, typer.Option(help="Share of a hidden layer's outputs that a step drops.")
    ] = DEFAULT.dropout,
    perp_grad: Annotated[
        bool, typer.Option("--perp-grad", help="Gradients less their part along the weights.")
    ] = DEFAULT.perp_grad,
    arm: Annotated[
        str, typer.Option(help="Done to planted groups: " + ", ".join(ARMS) + ".")
    ] = DEFAULT.arm,
    rho: Annotated[
        float, typer.Option(help="Share of the members whose background arm background changes.")
    ] = DEFAULT.rho,
    observe: Annotated[
        list[str] | None,
        typer.Option(help="NAME or NAME=K, repeatable: " + ", ".join(names()) + "."),
    ] = None,
    checkpoint_every: Annotated[int, typer.Option(help="Steps between checkpoints.")] = 50,
    pair: Annotated[
        bool,
        typer.Option("--pair", help="Also a second run at twice the step size: for `bridge OUT`."),
    ] = False,
) -> None:
    """Full-batch gradient descent (or another optimiser), sharpness tracked, in a run folder.

    Net and loss "auto": gpt and cross-entropy for data text, mlp and mse for images. Cross-entropy
    is the mean over samples (tokens); mse is 1/(2N) sum ||f - onehot||^2. Data "folder" are your
    own images: --dial path=DIR with one sub-folder a class, or path=FILE.npz with x and y. The run
    folder holds config.json, curves.nc and checkpoint.pt; killed at any time, the same command
    resumes it.
    """
    require("realnet train", "realnet", "torch")
    given = {name: value for name, value in locals().items() if name in OPTIONS}
    given |= {"size": size or None, "dials": read_dials(dial), "observe": tuple(observe or ())}
    config = TrainConfig(**given)
    if pair:
        _train_pair(config, out, checkpoint_every)
    else:
        _train_one(config, out, checkpoint_every)


def _train_one(config: TrainConfig, out: Path, checkpoint_every: int) -> None:
    from realnet.training import train as training

    with progress(config.steps, f"{config.net} on {config.data}") as advance:
        curves = training.train(config, out=out, report=advance, checkpoint_every=checkpoint_every)
    last = curves.isel(time=-1)
    print(
        f"{curves.attrs['status']}: step {int(last.step)}, loss {float(last.loss):.4g}, "
        f"sharpness {float(last.sharpness):.4g} ({_edge(last)}); {out}"
    )


def _train_pair(config: TrainConfig, out: Path, checkpoint_every: int) -> None:
    from realnet.training.two_runs import pair_configs, train_pair

    total = sum(each.steps for each in pair_configs(config))
    with progress(total, f"{config.net} on {config.data}, two runs") as advance:
        small, second = train_pair(config, out, report=advance, checkpoint_every=checkpoint_every)
    etas = [float(run.attrs["step_size"]) for run in (small, second)]
    print(
        f"Step sizes {etas[0]:g} and {etas[1]:g}, {total} steps in all; {out}. Next: python -m "
        f"realnet bridge {out} --step-size ETA. It pays for several step sizes, or where these runs"
        " are a quarter or half of the time of interest: one larger run to its edge takes fewer"
        " steps than a pair that covers the same time."
    )


def _edge(last: xr.Dataset) -> str:
    """What the sharpness is to be held against: the optimiser's own threshold by then."""
    if "preconditioned_threshold" in last:
        level = float(last.preconditioned_threshold)
        return f"Adam's threshold {level:.4g} is of the preconditioned one: --observe edges"
    if np.isnan(last.threshold):
        return "no threshold: the flow is stable"
    return f"threshold {float(last.threshold):.4g}"
