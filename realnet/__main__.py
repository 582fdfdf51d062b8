"""Command line: python -m realnet train | bridge | signals | experiments."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from linmodel.console import new_app, progress, run
from realnet.config import (
    ACTIVATIONS,
    DEVICES,
    DTYPES,
    LOSSES,
    NETWORKS,
    NORMALISATIONS,
    OPTIMISERS,
    SCHEDULES,
    TrainConfig,
)
from realnet.experiments.command import experiments
from realnet.extra import need_torch
from realnet.signals.command import signals

app = new_app("Train real networks with their sharpness tracked; compare them with the theory.")
DEFAULT = TrainConfig()


@app.callback()
def main() -> None:
    """Train real networks with their sharpness tracked; compare them with the theory."""


app.command()(signals)
app.command()(experiments)


def _one_of(names: tuple[str, ...]) -> str:
    return "One of " + ", ".join(names) + "."


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="Run folder; a run there is resumed.")],
    data: Annotated[str, typer.Option(help="Data set; an unknown name lists all.")] = DEFAULT.data,
    size: Annotated[int, typer.Option(help="Training samples; 0: all.")] = DEFAULT.size or 0,
    net: Annotated[str, typer.Option(help=_one_of(NETWORKS))] = DEFAULT.net,
    width: Annotated[int | None, typer.Option(help="Units or first channels.")] = None,
    depth: Annotated[int | None, typer.Option(help="Hidden layers, stages or blocks.")] = None,
    activation: Annotated[str, typer.Option(help=_one_of(ACTIVATIONS))] = DEFAULT.activation,
    norm: Annotated[str, typer.Option(help=_one_of(NORMALISATIONS))] = DEFAULT.norm,
    loss: Annotated[str, typer.Option(help=_one_of(LOSSES))] = DEFAULT.loss,
    label_smoothing: Annotated[float, typer.Option(help="In [0, 1).")] = DEFAULT.label_smoothing,
    optimiser: Annotated[str, typer.Option(help=_one_of(OPTIMISERS))] = DEFAULT.optimiser,
    step_size: Annotated[float, typer.Option(help="eta > 0; time is eta x step.")] = (
        DEFAULT.step_size
    ),
    steps: Annotated[int, typer.Option(help="Number of steps.")] = DEFAULT.steps,
    schedule: Annotated[str, typer.Option(help=_one_of(SCHEDULES))] = DEFAULT.schedule,
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
    dtype: Annotated[str, typer.Option(help=_one_of(DTYPES))] = DEFAULT.dtype,
    device: Annotated[str, typer.Option(help=_one_of(DEVICES))] = DEFAULT.device,
    checkpoint_every: Annotated[int, typer.Option(help="Steps between checkpoints.")] = 50,
) -> None:
    """Full-batch gradient descent (or another optimiser), sharpness tracked, in a run folder.

    Cross-entropy is the mean over samples; mse is 1/(2N) sum ||f - onehot||^2. The folder holds
    config.json, curves.nc and checkpoint.pt; killed at any time, the same command resumes it.
    """
    need_torch("realnet train")
    config = TrainConfig(
        data=data,
        size=size or None,
        net=net,
        width=width,
        depth=depth,
        activation=activation,
        norm=norm,
        loss=loss,
        label_smoothing=label_smoothing,
        optimiser=optimiser,
        step_size=step_size,
        steps=steps,
        schedule=schedule,
        warmup=warmup,
        batch_size=batch_size,
        momentum=momentum,
        beta2=beta2,
        sam_radius=sam_radius,
        clip=clip,
        every=every,
        eigenvalues=eigenvalues,
        tolerance=tolerance,
        chunk_size=chunk_size,
        seed=seed,
        dtype=dtype,
        device=device,
    )
    from realnet.training import train as training

    with progress(steps, f"{net} on {data}") as advance:
        curves = training.train(config, out=out, report=advance, checkpoint_every=checkpoint_every)
    last = curves.isel(time=-1)
    print(
        f"{curves.attrs['status']}: step {int(last.step)}, loss {float(last.loss):.4g}, "
        f"sharpness {float(last.sharpness):.4g} (2/eta = {curves.attrs['two_over_eta']:.4g}); {out}"
    )


@app.command()
def bridge(
    run_path: Annotated[
        Path, typer.Argument(metavar="RUN", help="Run folder, or NetCDF with sharpness on time.")
    ],
    out: Annotated[Path | None, typer.Option(help="Write everything to this NetCDF file.")] = None,
    scales: Annotated[
        int,
        typer.Option(help="2: scales of time and sharpness both fitted; 1: their product is 1."),
    ] = 2,
    draws: Annotated[int, typer.Option(help="Bootstrap draws for intervals; 0: none.")] = 0,
    step_size: Annotated[
        list[float] | None, typer.Option(help="Forecast edge and plateau at it (repeatable).")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the starts and the bootstrap.")] = 0,
) -> None:
    """Fit the toy's sharpness curve to a run's (no torch needed); forecast larger step sizes.

    Exit status 1: the toy does not describe the curve, or the fit did not converge.
    """
    from realnet.bridge.command import bridge_command

    etas = tuple(step_size or ())
    status = bridge_command(run_path, out, scales=scales, seed=seed, draws=draws, step_sizes=etas)
    raise typer.Exit(status)


if __name__ == "__main__":
    run(app, "python -m realnet")
