"""Runs experiments: each run in a run folder, each finished experiment one NetCDF file.

OUT/runs/NAME-HASH   the run folders; HASH is of the whole configuration, so that two experiments
                     share a run and no run overwrites another
OUT/NAME.nc          a finished experiment
OUT/manifest.json    NAME -> configuration, versions, date, seconds, SHA-256 of the file
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import torch
import xarray as xr

from linmodel import store
from linmodel.errors import InvalidInput
from linmodel.files import hold
from realnet.config import TrainConfig
from realnet.experiments.kit.definition import Configs, Experiment, Runs, Scale
from realnet.experiments.kit.results import MANIFEST, read_manifest, sha256
from realnet.training.run import Run
from realnet.training.train import train

Report = Callable[[int, str], None]


def run_folder(out: Path, key: tuple[str, int], config: TrainConfig) -> Path:
    """The folder of a run: readable name and hash of the configuration."""
    text = json.dumps(config.as_dict(), sort_keys=True)
    name = re.sub(r"[^a-z0-9.]+", "-", f"{config.net}-{key[0]}-{key[1]}".lower())
    return out / "runs" / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def settings_of(experiment: Experiment, scale: Scale) -> dict[str, object]:
    """What a finished experiment must have been made with, to count as finished."""
    configs = experiment.configs(scale)
    text = json.dumps([[list(k), c.as_dict()] for k, c in configs.items()], sort_keys=True)
    return {
        "device": scale.device,
        "size": scale.size,
        "quick": scale.quick,
        "runs": len(configs),
        "runs_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "settings": json.loads(json.dumps(asdict(experiment.settings))),
    }


def is_finished(experiment: Experiment, scale: Scale, out: Path) -> bool:
    """A whole file with the same settings is there."""
    entry = read_manifest(out).get(experiment.name)
    file = out / f"{experiment.name}.nc"
    return (
        entry is not None
        and entry["configuration"] == settings_of(experiment, scale)
        and file.is_file()
        and sha256(file) == entry["sha256"]
    )


def run_seconds(config: TrainConfig) -> float:
    """Estimated seconds of a run on this machine: its first steps and second evaluation, timed.

    In processor time on a CPU, so that what else runs there does not matter.
    """
    run = Run(replace(config, every=3))
    clock = time.process_time if run.device.type == "cpu" else time.perf_counter
    spent = []
    for _ in range(4):
        begin = clock()
        run.advance()
        spent.append(clock() - begin)
    a_step = min(spent[1:3])
    # The first evaluation is a cold start: the second is like all others.
    an_evaluation = max(spent[3] - a_step, 0.0)
    return config.steps * a_step + (config.steps / config.every + 1) * an_evaluation


def estimate(experiment: Experiment, scale: Scale, out: Path) -> float:
    """Estimated seconds until the experiment is finished: its runs that are not, and `collect`."""
    if is_finished(experiment, scale, out):
        return 0.0
    known: dict[str, float] = {}
    total = experiment.extra_seconds
    for key, config in experiment.configs(scale).items():
        if _finished_run(run_folder(out, key, config)) is not None:
            continue
        alike = config.as_dict() | {"seed": 0, "label_smoothing": 0.0, "step_size": 1.0}
        text = json.dumps(alike, sort_keys=True)
        if text not in known:
            known[text] = run_seconds(config)
        total += known[text]
    return total


def _finished_run(folder: Path) -> xr.Dataset | None:
    """Its curves; None where it is not there, or not finished."""
    try:
        curves = store.load(folder / "curves.nc")
    except InvalidInput:
        return None
    return None if curves.attrs["status"] == "unfinished" else curves


def run_experiment(
    experiment: Experiment, scale: Scale, out: Path, report: Report | None = None
) -> xr.Dataset:
    """Run what is missing, put it together, save it and its line in the manifest; or load it.

    Interrupted anywhere, the same call goes on. Raises InvalidInput (bad scale, no such folder).
    """
    file = out / f"{experiment.name}.nc"
    if is_finished(experiment, scale, out):
        return store.load(file)
    begin = time.perf_counter()
    (out / "runs").mkdir(parents=True, exist_ok=True)
    runs = _run_all(experiment.configs(scale), out, report)
    data = experiment.collect(runs, scale)
    settings = settings_of(experiment, scale)
    data.attrs |= {"title": experiment.title, "statements": " ".join(experiment.statements)}
    data.attrs |= store.provenance(experiment=experiment.name, **settings)
    store.save(data, file)
    entry = {
        "title": experiment.title,
        "statements": list(experiment.statements),
        "configuration": settings,
        "versions": store.versions(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - begin, 1),
        "device": _device_name(scale),
        "file": file.name,
        "sha256": sha256(file),
    }
    with hold(out, MANIFEST, wait=True):
        manifest = read_manifest(out) | {experiment.name: entry}
        store.write_text(out / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    return data


def _run_all(configs: Configs, out: Path, report: Report | None) -> Runs:
    runs: Runs = {}
    for key, config in configs.items():
        folder = run_folder(out, key, config)
        curves = _finished_run(folder)
        runs[key] = train(config, out=folder) if curves is None else curves
        if report is not None:
            report(1, f"{key[0]}, seed {key[1]}: {runs[key].attrs['status']}")
    return runs


def _device_name(scale: Scale) -> str:
    cuda = scale.device != "cpu" and torch.cuda.is_available()
    return torch.cuda.get_device_name() if cuda else "cpu"
