"""`train(config)`: a run with its sharpness tracked, in a folder that survives being killed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import xarray as xr

from linmodel import store
from linmodel.arguments import typed
from linmodel.errors import InvalidInput, integer, notice
from linmodel.files import require_writable, write_bytes
from realnet.config import TrainConfig
from realnet.training import checkpoint, runfolder
from realnet.training.run import Run

Report = Callable[[int, str], None]


@typed
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
    if out is None:
        return to_the_end(run, None, report, checkpoint_every)
    configuration = config.as_dict() | {"device": run.device.type}
    folder = runfolder.check_run(out, configuration)
    if not folder.exists():
        run.advance()  # the memory for a step is there: only now is anything written
    with runfolder.opened(folder, configuration):
        reported = resume(run, folder)
        return to_the_end(run, folder, report, checkpoint_every, reported)


@typed
def to_the_end(
    run: Run, folder: Path | None, report: Report | None, checkpoint_every: int, reported: int = 0
) -> xr.Dataset:
    """Advance until the run is finished; checkpoint and report every so many steps.

    reported  steps of which no report is to be made: those of the checkpoint
    """
    config = run.config
    if folder is not None and not run.finished:
        require_writable(folder / runfolder.CHECKPOINT)
    if run.finished and folder is not None:
        save_curves(run, folder) if (folder / runfolder.CHECKPOINT).exists() else save(run, folder)
    while not run.finished:
        for _ in range(min(checkpoint_every, config.steps + 1)):
            if not run.finished:
                run.advance()
        if folder is not None:
            save(run, folder)
        if report is not None:
            done = min(run.step, config.steps)
            report(done - reported, run.note())
            reported = done
    return run.dataset()


@typed
def save(run: Run, folder: Path) -> None:
    """Checkpoint first, curves second: each whole, and the curves never ahead of the checkpoint."""
    content = checkpoint.pack(run.state(), runfolder.fingerprint(folder))
    write_bytes(folder / runfolder.CHECKPOINT, content)
    store.save(run.dataset(), folder / runfolder.CURVES)


@typed
def save_curves(run: Run, folder: Path) -> None:
    """Write a finished run's curves, where they are not there as they should be."""
    file, curves = folder / runfolder.CURVES, run.dataset()
    if file.exists():
        try:
            if store.load(file).identical(curves):
                return
        except InvalidInput:
            notice(f"{file} is damaged: written again from the checkpoint.")
    store.save(curves, file)


@typed
def resume(run: Run, folder: Path) -> int:
    """Take up the folder's checkpoint, where there is one; return how many steps it has done.

    A damaged one is as good as none, and said to be so. Raises InvalidInput for another run's.
    """
    file = folder / runfolder.CHECKPOINT
    if not file.exists():
        return 0
    own = runfolder.fingerprint(folder)
    try:
        state = checkpoint.unpack(file, own, run.state(), run.config.steps)
        _take_up(run, state, file)
    except checkpoint.Damaged:
        notice(f"{file} is damaged (its checksum differs): the run begins again at step 0.")
        return 0
    except InvalidInput:
        raise
    except Exception as error:
        raise _unfit(file) from error
    return min(run.step, run.config.steps)


def _take_up(run: Run, state: dict, file: Path) -> None:
    try:
        run.restore(state)
    except InvalidInput as error:  # the tracker's words are for a loop of one's own
        raise _unfit(file) from error


def _unfit(file: Path) -> InvalidInput:
    """A state that its own network, generator or observers do not take."""
    return InvalidInput(
        f"{file} cannot be resumed: it does not fit this run, or another version of this program "
        "wrote it. Delete it to begin again."
    )
