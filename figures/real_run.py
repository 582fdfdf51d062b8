"""A real network at the edge of stability: loss and sharpness at two step sizes, with 2/eta."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.cache import Datasets, Unavailable
from figures.options import Options, Work
from figures.style import COLOURS, axis_text, curve, edge_line, label_axes, panels
from linmodel.store import configuration

NAME = "real_run"
TITLE = "A real network: progressive sharpening and the edge of stability"
STATEMENTS = ("S1", "S2", "S3", "S13")
OPTIONS = ("train_size", "steps", "step_size", "every", "seed")
CAPTION = (
    "Full-batch gradient descent of a small convolutional network on MNIST digits, squared "
    "loss, at two step sizes, against time = step size × step. Top: training loss. Bottom: "
    "the largest eigenvalue of the loss Hessian. Until the larger step size's 2/η the two "
    "runs lie close together (S1) and sharpness rises (S2); there the run at the larger step "
    "size leaves the other, its loss is no longer monotone (S3, S13), and its sharpness is "
    "thrown down."
)
# The second run's step size is this share of the first's, with as many steps.
SMALL = 0.4
RUN_COLOURS = {"large": COLOURS["sharpness"], "small": COLOURS["reference"]}


def compute(work: Work) -> Datasets:
    """Train (or resume) both runs in the data folder's `runs`. Raises Unavailable without torch."""
    if find_spec("torch") is None:
        raise Unavailable(
            "The real network needs torch. Install the extra realnet: "
            "pip install 'opposing-signals[realnet]'."
        )
    return {name: _train(work, name, share) for name, share in (("large", 1.0), ("small", SMALL))}


def _train(work: Work, name: str, share: float) -> xr.Dataset:
    from realnet.config import TrainConfig
    from realnet.training import train

    options = work.options
    config = TrainConfig(
        data="mnist5k",
        net="cnn",
        loss="mse",
        step_size=share * options.step_size,
        steps=options.steps,
        size=options.train_size,
        every=options.every,
        seed=options.seed,
    )
    folder = work.folder / "runs" / f"{name}-{_folder_name(options)}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    done = 0

    def report(count: int, note: str) -> None:
        nonlocal done
        done += count
        work.say(f"{name} step size, step {min(done, options.steps)}/{options.steps}: {note}")

    return train(config, out=folder, report=report, checkpoint_every=50)


def _folder_name(options: Options) -> str:
    """All settings, so that runs of different settings never share a folder."""
    return "-".join(f"{getattr(options, name):g}" for name in OPTIONS)


def draw(datasets: Datasets) -> Figure:
    """Loss above, sharpness below; both runs in both."""
    figure, axes = panels(2, 1, (8.5, 7), sharex=True)
    top, bottom = axes[:, 0]
    large = datasets["large"]
    for name in ("small", "large"):
        _run(top, bottom, datasets[name], name)
    edge_line(bottom, large.attrs["step_size"], f"2/η at η = {large.attrs['step_size']:g}")
    top.set_yscale("log")
    bottom.set_ylim(bottom=0)
    set_up = configuration(large)
    title = f"{set_up['net'].upper()} on {set_up['data']}, {set_up['size']} images"
    label_axes(top, "", axis_text(large.loss, "training loss"), title)
    label_axes(bottom, "time [step size × step]", axis_text(large.sharpness, "sharpness"))
    top.legend(loc="upper right")
    bottom.legend(loc="lower right")
    return figure


def _run(top: Axes, bottom: Axes, run: xr.Dataset, name: str) -> None:
    style = {"color": RUN_COLOURS[name], "linestyle": "-" if name == "large" else "-."}
    text = f"η = {run.attrs['step_size']:g}"
    curve(top, run.step_time, np.maximum(run.step_loss, 1e-300), label=text, **style)
    curve(bottom, run.time, run.sharpness, label=text, marker=".", markersize=4, **style)
