"""The run of a trial: training's `Run` with an arm, options of the step, groups and probes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn
from torch.nn import functional

from linmodel import store
from realnet.curvature.objective import Objective
from realnet.curvature.parts import layer_sharpness
from realnet.curvature.tracker import Curvature
from realnet.experiments.probes import Probe, names
from realnet.experiments.trial import Trial
from realnet.experiments.trial_data import TrialData, trial_data
from realnet.networks import build_network
from realnet.training import runfolder
from realnet.training import train as training
from realnet.training.interventions import perp_gradient, stablemax_loss
from realnet.training.losses import correct, sample_loss
from realnet.training.run import Run, pick_device

ACTIVATIONS = (nn.Tanh, nn.ReLU, nn.GELU, nn.ELU)


class TrialRun(Run):
    """A `Run` on the data of a trial. Adds rows to the curves; resumes as a `Run` does."""

    def __init__(self, trial: Trial) -> None:
        # Not Run's own constructor: data, loss and network come from the trial.
        config = trial.train
        self.trial, self.config = trial, config
        self.device = pick_device(config.device)
        dtype = getattr(torch, config.dtype)
        data = trial_data(trial)
        self.data, self.data_provenance = data, data.provenance
        self.model = _network(trial, data).to(self.device, dtype)
        self.inputs, self.labels = self._tensors(data.inputs, data.labels)
        self.watched = {name: self._tensors(*part) for name, part in data.watched.items()}
        self.test = None if data.test is None else self._tensors(*data.test)
        plain = sample_loss(config.loss, config.label_smoothing)
        self.sample_loss = stablemax_loss if trial.stablemax else plain
        self._begin()
        self.rows: dict[str, list] = {}
        self.probe: Probe | None = None
        self.projection = _projection(trial.sketch, len(self.point)).to(self.point)

    def state(self) -> dict:
        """Run's checkpoint and the rows of this class."""
        return super().state() | {"rows": self.rows}

    def restore(self, state: dict) -> None:
        """Go on from `state()`."""
        super().restore(state)
        self.rows = state["rows"]

    def dataset(self) -> xr.Dataset:
        """Run's curves, with watched groups on step_time and probes on time."""
        curves = super().dataset()
        for name, values in self.rows.items():
            array = np.array(values, dtype=float)
            on = "step_time" if name.startswith("loss ") else "time"
            array = _of_length(array, curves.sizes[on])
            dims = (on,) if array.ndim == 1 else (on, f"{name}_index")
            curves[name] = (dims, array, {"units": "1", "long_name": names(name)})
        curves.attrs |= store.provenance(
            **self.trial.as_dict(), data_provenance=self.data_provenance
        )
        if self.trial.blocks:
            curves.attrs["layers"] = json.dumps(_layer_names(self.model))
        if self.trial.stablemax:
            curves.attrs["loss_definition"] = "mean over samples of -log(s(f_y) / sum_c s(f_c))"
        return curves

    def _evaluate(self) -> Tensor:
        self.whole.write(self.point)
        found = self.tracker.evaluate()
        self.optimiser["sharpness"] = found.values[0].clone()
        self.records.evaluation(self.step, self.time, found, self._accuracy())
        self._rows_at(found)
        return found.gradient

    def _rows_at(self, found: Curvature) -> None:
        """What is measured beside the sharpness at an evaluation."""
        row: dict[str, object] = {"weight_norm": float(self.point.norm())}
        along = float(found.gradient.double() @ found.vectors[0].double())
        row["along_share"] = along**2 / max(float(found.gradient.double().square().sum()), 1e-300)
        if self.test is not None:
            with torch.no_grad():
                outputs = self.model(self.test[0])
            row["test_accuracy"] = float(correct(outputs, self.test[1]) / self.test[1].numel())
            row["test_loss"] = float(self.sample_loss(outputs, self.test[1]).mean())
        if self.trial.sketch:
            row["sketch"] = (self.projection @ self.point).tolist()
        if self.trial.blocks:
            row["block_sharpness"] = self._blocks()
        if self.trial.probes:
            self.probe = Probe(self, found)
            row |= self.probe.before()
        self._append(row)

    def _move(self, gradient: Tensor | None) -> None:
        self._watch()
        changed = self.trial.perp or self.trial.weight_decay or self.trial.dropout
        super()._move(None if changed else gradient)
        if self.probe is not None:
            self._append(self.probe.after(self.point))
            self.probe = None

    def _blocks(self) -> list[float]:
        whole, config = self.whole, self.config
        found = layer_sharpness(
            whole.loss_fn, self.model, chunks=whole.chunks, tolerance=1e-2, seed=config.seed
        )
        return [block.sharpness for block in found.values()]

    def _watch(self) -> None:
        """Mean loss of each watched set before the step."""
        watched = dict(self.watched)
        if self.trial.every_loss:
            watched["all"] = self.inputs, self.labels
        if watched:
            self.whole.write(self.point)
        for name, (inputs, labels) in watched.items():
            self._append({f"loss {name}": float(self.losses(inputs, labels).mean())})

    def losses(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Losses of single samples, without noise and without moving running statistics."""
        mode = self.model.training
        self.model.eval()
        with torch.no_grad():
            found = self.sample_loss(self.model(inputs), labels)
        self.model.train(mode)
        return found

    def _gradient(self, batch: Objective, point: Tensor) -> tuple[float, Tensor]:
        trial = self.trial
        if not trial.dropout:
            loss, gradient = super()._gradient(batch, point)
        else:
            self.model.train()
            with torch.random.fork_rng():
                # One mask a step, from seed and step alone: a resumed run draws the same.
                torch.manual_seed(1_000_003 * self.config.seed + self.step)
                loss, gradient = super()._gradient(batch, point)
            self.model.eval()
        gradient = gradient + trial.weight_decay * point if trial.weight_decay else gradient
        return loss, perp_gradient(gradient, point) if trial.perp else gradient

    def _append(self, row: dict) -> None:
        for name, value in row.items():
            self.rows.setdefault(name, []).append(value)

    def _tensors(self, inputs: np.ndarray, labels: np.ndarray) -> tuple[Tensor, Tensor]:
        x = torch.as_tensor(np.ascontiguousarray(inputs)).to(self.device)
        x = x if x.dtype == torch.int64 else x.to(getattr(torch, self.config.dtype))
        return x, torch.as_tensor(np.ascontiguousarray(labels)).to(self.device)


def run_trial(
    trial: Trial, out: Path | None = None, report: training.Report | None = None
) -> xr.Dataset:
    """The curves of a trial; with `out`, in a run folder that is made, resumed, or read.

    Raises InvalidInput for bad input, or a folder that holds another configuration.
    """
    run = TrialRun(trial)
    if out is None:
        return training.to_the_end(run, None, report, 100)
    configuration = trial.as_dict() | {"device": run.device.type}
    with runfolder.opened(runfolder.check_run(out, configuration), configuration) as folder:
        told = training.resume(run, folder)
        return training.to_the_end(run, folder, report, 100, told)


def _network(trial: Trial, data: TrialData) -> nn.Module:
    train = trial.train
    model = build_network(
        train.net,
        data.shape,
        width=train.width,
        depth=train.depth,
        activation=train.activation,
        norm=train.norm,
        seed=train.seed,
    )
    if trial.dropout:
        model.eval()
        for module in model.modules():
            if isinstance(module, ACTIVATIONS):
                module.register_forward_hook(
                    lambda own, _, out: functional.dropout(out, trial.dropout, own.training)
                )
    return model


def _layer_names(model: nn.Module) -> list[str]:
    """Of the modules that own trainable parameters, as `layer_sharpness` orders them."""
    return [
        name or "whole"
        for name, module in model.named_modules()
        if any(p.requires_grad for p in module.parameters(recurse=False))
    ]


def _of_length(rows: np.ndarray, count: int) -> np.ndarray:
    """`count` rows: NaN where a measurement needs a step that was not taken."""
    missing = max(0, count - len(rows))
    width = [(0, missing)] + [(0, 0)] * (rows.ndim - 1)
    return np.pad(rows[:count], width, constant_values=np.nan)


def _projection(count: int, n: int) -> Tensor:
    """(count, n) Gaussian of variance 1/count: distances are kept to about 1/sqrt(2 count)."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, n, generator=generator) / max(count, 1) ** 0.5
