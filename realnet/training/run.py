"""The state of one training run and its moves; `realnet.training.train.train` drives it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import xarray as xr
from torch import Tensor

from linmodel.errors import InvalidInput, refuse
from realnet.config import DEVICES, TrainConfig
from realnet.curvature.objective import Chunks, NotFinite, Objective, flatten, full_precision
from realnet.curvature.tracker import SharpnessTracker
from realnet.networks import Shape, build_network
from realnet.training.losses import correct, sample_loss
from realnet.training.optimisers import State, advance, step_size
from realnet.training.records import Records
from realnet.training.samples import load_samples


def pick_device(name: str) -> torch.device:
    """The device for "auto" (a GPU where there is one), "cpu" or "cuda"."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        refuse("device", name, "auto or cpu: no CUDA device is there", "Take --device cpu.")
    if name not in DEVICES:
        refuse("device", name, "one of " + ", ".join(DEVICES))
    return torch.device(name)


def _built(config: TrainConfig, shape: Shape) -> torch.nn.Module:
    try:
        return build_network(
            config.net,
            shape,
            width=config.width,
            depth=config.depth,
            activation=config.activation,
            norm=config.norm,
            seed=config.seed,
        )
    except RuntimeError as error:  # torch's word for no memory
        raise InvalidInput(
            f"a network of width {config.width}, depth {config.depth} cannot be made ({error});"
            " take a smaller one."
        ) from error


@contextmanager
def same_threads(count: int) -> Iterator[None]:
    """The threads that a run began with, also where it is resumed: they decide how sums round."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Run:
    """Network, data, optimiser, tracker, records, step. `state` and `restore` are a checkpoint."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.device = pick_device(config.device)
        dtype = getattr(torch, config.dtype)
        samples = load_samples(config.data, config.size, config.seed, config.dials)
        self.data_provenance = samples.provenance
        self.model = _built(config, samples.shape).to(self.device, dtype)
        self.inputs, self.labels = samples.tensors(self.device, dtype)
        self.sample_loss = sample_loss(config.loss, config.label_smoothing)
        self._begin()

    def _begin(self) -> None:
        """Step 0 of the model, inputs, labels and sample_loss that are there."""
        self.whole = self._objective(self.inputs, self.labels)
        self.point = flatten(self.whole.params)
        self.tracker = self._tracker()
        self.optimiser: State = {}
        self.order = torch.Generator().manual_seed(self.config.seed)
        self.records = Records()
        self.step = 0
        self.time = 0.0
        self.threads = torch.get_num_threads()

    @property
    def finished(self) -> bool:
        """All steps done and the last point evaluated, or diverged."""
        return self.step > self.config.steps or self.records.diverged_step is not None

    def advance(self) -> None:
        """Evaluate where it is due, then one optimiser step; past the last step, evaluate only."""
        try:
            with same_threads(self.threads):
                gradient = self._evaluate() if self._due() else None
                if self.step < self.config.steps:
                    self._move(gradient)
        except NotFinite:
            self.records.diverged_step = self.step
        else:
            self.step += 1

    def dataset(self) -> xr.Dataset:
        """The curves so far."""
        return self.records.dataset(
            self.config, self.data_provenance, self.device.type, self.finished
        )

    def state(self) -> dict:
        """Everything that the rest of the run depends on: tensors, numbers, lists."""
        return {
            "model": self.model.state_dict(),
            "point": self.point,
            "optimiser": self.optimiser,
            "tracker": self.tracker.state(),
            "order": self.order.get_state(),
            "records": self.records.state(),
            "step": self.step,
            "time": self.time,
            "threads": self.threads,
        }

    def restore(self, state: dict) -> None:
        """Go on from `state()`."""
        self.model.load_state_dict(state["model"])
        self.point = state["point"].to(self.device)
        self.optimiser = {name: value.to(self.device) for name, value in state["optimiser"].items()}
        self.tracker.restore(state["tracker"])
        self.order.set_state(state["order"])
        self.records = Records(**state["records"])
        self.step, self.time = state["step"], state["time"]
        self.threads = state["threads"]

    def _tracker(self) -> SharpnessTracker:
        return SharpnessTracker(
            self._mean_loss,
            self.model,
            chunks=self.whole.chunks,
            k=self.config.eigenvalues,
            tolerance=self.config.tolerance,
            seed=self.config.seed,
            training_mode="consistent" if self.config.norm == "batch" else "refuse",
        )

    def _mean_loss(self, inputs: Tensor, labels: Tensor) -> Tensor:
        return self.sample_loss(self.model(inputs), labels).mean()

    def _objective(self, inputs: Tensor, labels: Tensor) -> Objective:
        size = self.config.chunk_size or len(labels)
        chunks: Chunks = list(zip(inputs.split(size), labels.split(size), strict=True))
        return Objective(self._mean_loss, self.model, chunks)

    def _due(self) -> bool:
        return self.step % self.config.every == 0 or self.step == self.config.steps

    def _evaluate(self) -> Tensor:
        self.whole.write(self.point)
        found = self.tracker.evaluate()
        self.optimiser["sharpness"] = found.values[0].clone()
        self.records.evaluation(self.step, self.time, found, self._accuracy())
        return found.gradient

    def _accuracy(self) -> float:
        mode = self.model.training
        self.model.eval()
        with torch.no_grad(), full_precision(self.device):
            hits = sum(int(correct(self.model(x), y)) for x, y in self.whole.chunks)
        self.model.train(mode)
        return hits / self.labels.numel()

    def _move(self, gradient: Tensor | None) -> None:
        batch = self._batch()
        eta = step_size(self.config, self.step)
        if gradient is not None and batch is self.whole:
            loss = self.records.rows[-1]["loss"]
        else:
            loss, gradient = self._gradient(batch, self.point)
        self.records.step_times.append(self.time)
        self.records.step_losses.append(loss)
        self.point = advance(
            self.config,
            self.optimiser,
            self.point,
            gradient,
            lambda point: self._gradient(batch, point)[1],
            eta,
        )
        self.time += eta

    def _gradient(self, batch: Objective, point: Tensor) -> tuple[float, Tensor]:
        batch.write(point)
        loss, gradient = batch.gradient()
        if not math.isfinite(loss):
            raise NotFinite(f"the loss is {loss}")
        return loss, gradient

    def _batch(self) -> Objective:
        size = self.config.batch_size
        if size is None:
            return self.whole
        chosen = torch.randint(len(self.labels), (size,), generator=self.order).to(self.device)
        return self._objective(self.inputs[chosen], self.labels[chosen])
