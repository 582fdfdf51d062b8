"""A real network at the edge of stability: loss and sharpness at two step sizes, with 2/eta."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.cache import Datasets, need_torch
from figures.options import Options, Work
from figures.sources import source_fingerprint
from figures.style import COLOURS, axis_text, curve, edge_of, label_axes, panels
from linmodel.errors import InvalidInput
from linmodel.store import configuration
from realnet.bridge.curve import rise_time
from realnet.bridge.threshold import levels

if TYPE_CHECKING:
    from realnet.config import TrainConfig

NAME = "real_run"
TITLE = "A real network: progressive sharpening and the edge of stability"
STATEMENTS = ("S1", "S2", "S3", "S13")
OPTIONS = ("train_size", "steps", "step_size", "every", "seed")
CAPTION = (
    "Full-batch gradient descent of a small convolutional network on MNIST digits, squared "
    "loss, at two step sizes, against time = step size × step. Top: training loss. Bottom: "
    "the largest eigenvalue of the loss Hessian, with 2/η of the larger step size. Look for: "
    "the two runs close together until sharpness rises through 2/η (S1, S2); after it, at the "
    "larger step size, a loss that is no longer monotone, and sharpness turned down (S3, "
    "S13). What was measured is below."
)

# The second run's step size is this share of the first's, with as many steps.
SMALL = 0.4
RUN_COLOURS = {"large": COLOURS["sharpness"], "small": COLOURS["reference"]}


def compute(work: Work) -> Datasets:
    """Train (or resume) the runs in the data folder's `runs`: two, and, where these are long
    enough, the second short one that the bridge forecasts from. Raises Unavailable without torch.
    """
    need_torch("The real network")
    from realnet.training.two_runs import pair_configs

    options = work.options
    large, small = _config(options, 1.0), _config(options, SMALL)
    configs = {"large": large, "small": small}
    try:
        configs["second"] = pair_configs(small)[1]
    except InvalidInput:
        work.report("too few steps for a second short run")
    return {name: _train(work, name, config) for name, config in configs.items()}


def _config(options: Options, share: float) -> TrainConfig:
    from realnet.config import TrainConfig

    return TrainConfig(
        data="mnist5k",
        net="cnn",
        loss="mse",
        step_size=share * options.step_size,
        steps=options.steps,
        size=options.train_size,
        every=options.every,
        seed=options.seed,
    )


def _train(work: Work, name: str, config: TrainConfig) -> xr.Dataset:
    import torch

    from realnet.training.train import train

    options = work.options
    source = source_fingerprint(train.__module__)
    folder = work.folder / "runs" / f"{name}-{_folder_name(options, source)}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    done = 0

    def report(count: int, note: str) -> None:
        nonlocal done
        done += count
        work.report(f"{name} step size, step {min(done, config.steps)}/{config.steps}: {note}")

    run = train(config, out=folder, report=report, checkpoint_every=50)
    return run.assign_attrs(threads=torch.get_num_threads())


def _folder_name(options: Options, source: str) -> str:
    """All settings and the source: a run is resumed only by the code that began it."""
    settings = "-".join(f"{getattr(options, name):g}" for name in OPTIONS)
    return f"{settings}-{source[:8]}"


def threads(run: xr.Dataset) -> str:
    """ "2 threads": of the training; sums round by their number."""
    count = int(run.attrs.get("threads", 0))
    return {0: "threads not recorded", 1: "1 thread"}.get(count, f"{count} threads")


def words(datasets: Datasets) -> list[str]:
    """What was measured: the edge, the two runs' distance before it, the loss after it."""
    large, small = datasets["large"], datasets["small"]
    own = large.sharpness / levels(large)
    edge = rise_time(large.time.values, own.values, 1.0)
    if not np.isfinite(edge):
        most = float(own.max())
        return [f"Sharpness does not rise through 2/η: its maximum is {most:.3g} of 2/η."]
    before = large.sel(time=slice(0, min(edge, float(small.time[-1]))))
    matched = np.interp(before.time, small.time, small.sharpness)
    apart = float(np.abs(before.sharpness / matched - 1).max())
    rises = np.diff(large.step_loss) > 0
    late = large.step_time.values[1:] > edge
    return [
        f"Sharpness first rises through 2/η at time {edge:.3g} (step "
        f"{edge / large.attrs['step_size']:.0f}); until then the two runs' sharpness at equal time "
        f"differs by at most {apart:.1%}. The loss rises on {rises[~late].mean():.1%} of the steps "
        f"before and on {rises[late].mean():.1%} of those after. Afterwards sharpness lies between "
        f"{float(own.where(large.time > edge).min()):.2f} and "
        f"{float(own.where(large.time > edge).max()):.2f} of 2/η. "
        f"{threads(large)}: sums round by their number, and past 2/η a rounding grows until the "
        f"runs "
        "differ in detail, not in kind."
    ]


def draw(datasets: Datasets) -> Figure:
    """Loss above, sharpness below; both runs in both."""
    figure, axes = panels(2, 1, (8.5, 7), sharex=True)
    top, bottom = axes[:, 0]
    large = datasets["large"]
    for name in ("small", "large"):
        _run(top, bottom, datasets[name], name)
    edge_of(bottom, large)
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
