"""`train(config)`: a run with its sharpness tracked, in a folder that survives being killed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
import xarray as xr

from linmodel import store
from linmodel.errors import InvalidInput, integer
from realnet.config import TrainConfig
from realnet.training import runfolder
from realnet.training.run import Run

Report = Callable[[int, str], None]


def train(
    config: TrainConfig | None = None,
    *,
    out: str | Path | None = None,
    report: Report | None = None,
    checkpoint_every: int = 50,
    **fields: object,
) -> xr.Dataset:
    """Train; return the curves on dimension time = step size x step (see module `records`).

    `train(TrainConfig(...))` or `train(data="digits", net="mlp", ...)`. With `out`, a run folder
    is written, and one that is there with the same configuration is resumed: bitwise the same run
    on a CPU, with the number of threads that it began with. `report(steps_done, note)` hears of
    the progress. Divergence is a result: attribute `status` is "diverged", `diverged_step` says
    where. Raises InvalidInput for bad input, and where memory is too small for the first step,
    before anything is written.
    """
    config = config or TrainConfig(**fields)  # type: ignore[arg-type]
    checkpoint_every = integer("checkpoint_every", checkpoint_every, low=1)
    run = Run(config)
    folder, told = None, 0
    if out is not None:
        configuration = config.as_dict() | {"device": run.device.type}
        resume(run, runfolder.check_run(out, configuration))
        told = min(run.step, config.steps)
        if run.step == 0:
            run.advance()
        folder = runfolder.open_run(out, configuration)
        if run.finished:
            save(run, folder)
    while not run.finished:
        for _ in range(checkpoint_every):
            if not run.finished:
                run.advance()
        if folder is not None:
            save(run, folder)
        if report is not None:
            done = min(run.step, config.steps)
            report(done - told, run.records.note(2.0 / config.step_size))
            told = done
    return run.dataset()


def save(run: Run, folder: Path) -> None:
    """Checkpoint first, curves second: each whole, and the curves never ahead of the checkpoint."""
    state = run.state()
    store.write_whole(folder / runfolder.CHECKPOINT, lambda path: torch.save(state, path))
    store.save(run.dataset(), folder / runfolder.CURVES)


def resume(run: Run, folder: Path) -> None:
    """Take up the folder's checkpoint, where there is one."""
    file = folder / runfolder.CHECKPOINT
    if not file.exists():
        return
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
        run.restore(state)
    except Exception as error:  # torch, zipfile and pickle each raise their own kinds
        raise InvalidInput(
            f"{file} cannot be resumed ({error}): it is truncated or damaged. Delete the folder "
            "and train again."
        ) from error
    if run.finished:
        store.save(run.dataset(), folder / runfolder.CURVES)
