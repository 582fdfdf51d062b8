"""Two short runs from one start, from which the bridge forecasts: `realnet train --pair`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import xarray as xr

from linmodel.arguments import typed
from linmodel.errors import refuse
from linmodel.files import cannot_write
from realnet.config import TrainConfig
from realnet.training.runfolder import CONFIG, SECOND, SMALL
from realnet.training.train import Report, train

# The second run's step size over the first's, and its share of the first's time.
RATIO, SHARE = 2.0, 0.5
# Values of sharpness that a forecast needs.
FEWEST = 8


@typed
def pair_configs(config: TrainConfig) -> tuple[TrainConfig, TrainConfig]:
    """The run itself, and the second: twice the step size, half the time, so a quarter of its
    steps; sharpness at half as many steps apart, so at the same times. Raises InvalidInput for
    a run whose second would have fewer than 8 values of sharpness.
    """
    steps = round(SHARE * config.steps / RATIO)
    every = max(1, round(config.every / RATIO))
    if steps // every + 1 < FEWEST:
        refuse(
            "--pair",
            f"{config.steps} steps, sharpness every {config.every}",
            f"a second run with {FEWEST} values of sharpness or more in {steps} steps",
            "Take more steps, or a smaller --every.",
        )
    second = replace(config, step_size=RATIO * config.step_size, steps=steps, every=every)
    return config, second


@typed
def train_pair(
    config: TrainConfig,
    out: str | Path,
    *,
    report: Report | None = None,
    checkpoint_every: int = 50,
) -> tuple[xr.Dataset, xr.Dataset]:
    """Both runs, in the run folders OUT/small and OUT/second, each resumed where it is there.

    Raises InvalidInput as `train` and `pair_configs` do, and where OUT is a run folder itself.
    """
    small, second = pair_configs(config)
    folder = Path(out)
    if (folder / CONFIG).exists() or folder.is_file() or not folder.parent.is_dir():
        refuse("folder of the pair", str(out), "a new folder inside one that is there")
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    found = [
        train(each, out=folder / name, report=report, checkpoint_every=checkpoint_every)
        for each, name in ((small, SMALL), (second, SECOND))
    ]
    return found[0], found[1]
