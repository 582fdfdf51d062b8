"""Evidence from a run folder: what its run recorded, or the run continued from its checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from linmodel.errors import InvalidInput, refuse
from realnet.config import TrainConfig
from realnet.data.samples import Samples
from realnet.signals.evidence import Evidence
from realnet.training import runfolder
from realnet.training.building import load_samples
from realnet.training.run import Run
from realnet.training.train import resume

LOOKS = 4  # in the continued steps


def config_of(folder: str | Path) -> TrainConfig:
    """The configuration of a run folder. Raises InvalidInput as `runfolder.read_config`."""
    known = dict(runfolder.read_config(folder)["configuration"])
    try:
        return TrainConfig(**known)
    except TypeError as error:
        raise InvalidInput(f"{folder} is a run of another version ({error}).") from error


def evidence_of(
    folder: str | Path,
    *,
    steps: int = 40,
    directions: int = 4,
    report: Callable[[int, str], None] | None = None,
) -> tuple[Evidence, Samples]:
    """Evidence of the run in `folder`, and its samples; the folder is left as it is.

    A run that was observed (train --observe evidence): all that it recorded so far. Any other run
    with a checkpoint: it goes on from there for `steps` steps, and these are recorded.
    Raises InvalidInput: no run, no checkpoint, a run that diverged, one whose step size has
    reached 0, nothing recorded yet.
    """
    place = Path(folder)
    config = config_of(place)
    if not (place / runfolder.CHECKPOINT).is_file():
        hint = "The run stopped before its first checkpoint: resume it."
        refuse("run folder", str(place), f"a folder with {runfolder.CHECKPOINT} in it", hint)
    samples = load_samples(config)
    observed = any(word.partition("=")[0] == Evidence.name for word in config.observe)
    if not observed and config.schedule != "constant":
        allowed = "a run of constant step size, or one trained with --observe evidence"
        refuse("schedule of the run", config.schedule, allowed)
    longer = config if observed else replace(config, steps=config.steps + steps)
    run = Run(longer, samples)
    if not resume(run, place):
        refuse("run folder", str(place), "a folder with a whole checkpoint of one step or more")
    if run.records.diverged_step is not None:
        refuse("run", f"diverged at step {run.records.diverged_step}", "a run that did not")
    if observed:
        (found,) = (one for one in run.observers if isinstance(one, Evidence))
        found.task = run.task
        return found, samples
    run.step = min(run.step, config.steps)  # a finished run has looked at its last point
    looks = [run.step + steps * i // LOOKS for i in range(LOOKS + 1)]
    found = Evidence(
        directions=directions, checkpoints=looks, step_size=config.step_size, seed=config.seed
    )
    run.observers.append(found)
    run.config = run.tracking.config = replace(config, steps=looks[-1], every=looks[-1] + 1)
    found.follow(run, report)
    return found, samples
