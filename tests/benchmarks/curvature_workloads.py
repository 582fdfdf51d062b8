"""What the tracker and its peers are measured on: networks, data, losses, and points of a training.

A workload is a network trained by full-batch gradient descent from a seed, which draws weights and
data; `points()` are its parameters at every `every`-th step after `before` ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from realnet.curvature.objective import Objective, flatten
from realnet.data import datasets
from realnet.networks import Shape, build_network
from realnet.training.losses import sample_loss

EVERY = 10  # steps between two evaluations


@dataclass
class Workload:
    """A network, its data and loss, how it is trained and how often it is looked at."""

    model: nn.Module
    inputs: Tensor
    labels: Tensor
    loss: str
    step_size: float
    before: int  # steps before the first evaluation
    evaluations: int  # the first one is cold
    chunks: int = 1
    k: int = 1  # eigenvalues that are asked for at most
    all_tools: bool = False  # whether the dear and the approximate are asked as well
    every: int = EVERY
    params: list[Tensor] = field(init=False)

    def __post_init__(self) -> None:
        self.params = [p for p in self.model.parameters() if p.requires_grad]

    @property
    def n(self) -> int:
        return sum(p.numel() for p in self.params)

    def parts(self) -> list[tuple[Tensor, Tensor]]:
        """The data, in as many chunks as the workload says."""
        inputs, labels = self.inputs.chunk(self.chunks), self.labels.chunk(self.chunks)
        return list(zip(inputs, labels, strict=True))

    def loss_of(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Mean loss of samples."""
        return sample_loss(self.loss)(self.model(inputs), labels).mean()

    def whole(self) -> Tensor:
        """Mean loss of all samples."""
        return self.loss_of(self.inputs, self.labels)

    def objective(self) -> Objective:
        """The loss as our products have it: in chunks where the workload has them."""
        if self.chunks == 1:
            return Objective(self.whole, self.model)
        return Objective(self.loss_of, self.model, self.parts())

    def points(self) -> list[Tensor]:
        """Flat parameters (n,), `evaluations` of them."""
        objective = self.objective()
        point, found = flatten(objective.params), []
        last = self.before + self.every * (self.evaluations - 1)
        for step in range(last + 1):
            objective.write(point)
            if step >= self.before and (step - self.before) % self.every == 0:
                found.append(point.clone())
            if step < last:
                point = point - self.step_size * objective.gradient()[1]
        return found


def digits(loss: str, step_size: float, before: int) -> Callable[[int], Workload]:
    """MLP 64-200-200-10, tanh, all 1,797 digits, each pixel standardised (else 2/6 diverges)."""

    def make(seed: int) -> Workload:
        data = datasets.load("digits")
        images = (data.inputs - data.inputs.mean(0)) / np.maximum(data.inputs.std(0), 1e-6)
        model = build_network("mlp", Shape(10, 1, 8, 8), width=200, depth=2, seed=seed)
        inputs, labels = torch.tensor(images), torch.tensor(data.labels)
        return Workload(model, inputs, labels, loss, step_size, before, 6)

    return make


def perceptron(
    data: str,
    width: int,
    samples: int,
    loss: str,
    step_size: float,
    before: int,
    evaluations: int,
    chunks: int = 1,
    k: int = 1,
    all_tools: bool = False,
) -> Callable[[int], Workload]:
    """MLP 784-width-width-10, tanh, on `samples` images of 28 x 28."""

    def make(seed: int) -> Workload:
        drawn = datasets.load(data, size=samples, seed=seed)
        model = build_network("mlp", Shape(10, 1, 28, 28), width=width, depth=2, seed=seed)
        inputs, labels = torch.tensor(drawn.inputs), torch.tensor(drawn.labels)
        return Workload(
            model, inputs, labels, loss, step_size, before, evaluations, chunks, k, all_tools
        )

    return make


def colour(seed: int) -> Workload:
    """A CNN of about 0.3 M parameters on 1,000 colour photo patches, cross-entropy."""
    data = datasets.load("photos", size=1000)
    _, channels, height, width = data.inputs.shape
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for inputs, outputs, stride in ((channels, 32, 1), (32, 64, 2), (64, 128, 2)):
            layers += [nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1), nn.Tanh()]
        features = 128 * (height // 4) * (width // 4)
        head = [nn.Flatten(), nn.Linear(features, 96), nn.Tanh(), nn.Linear(96, data.n_classes)]
        model = nn.Sequential(*layers, *head)
    x, y = torch.tensor(data.inputs), torch.tensor(data.labels)
    return Workload(model, x, y, "cross-entropy", 0.05, 10, 2)


def gpt(width: int, depth: int, windows: int, evaluations: int) -> Callable[[int], Workload]:
    """A causal transformer on characters of Moby-Dick, windows of 32, cross-entropy."""

    def make(seed: int) -> Workload:
        data = datasets.load("text", size=windows, seed=seed)
        shape = Shape(data.n_classes, context=data.inputs.shape[1])
        model = build_network("gpt", shape, width=width, depth=depth, activation="gelu", seed=seed)
        inputs, labels = torch.tensor(data.inputs), torch.tensor(data.labels)
        return Workload(model, inputs, labels, "cross-entropy", 0.1, 10, evaluations)

    return make


WORKLOADS: dict[str, Callable[[int], Workload]] = {
    "mlp-1e5-edge": perceptron("fashion", 144, 512, "mse", 0.1, 80, 7, k=3, all_tools=True),
    "mlp-1e5-smooth": perceptron("mnist5k", 144, 512, "mse", 0.02, 20, 7, all_tools=True),
    "mlp-1e6-edge": perceptron("fashion", 700, 512, "mse", 0.05, 40, 5),
    "mlp-1e6-smooth": perceptron("fashion", 700, 512, "mse", 0.01, 20, 4),
    "mlp-1e6-ce": perceptron("mnist5k", 700, 64, "cross-entropy", 0.05, 20, 6),
    "mlp-1e7": perceptron("fashion", 2790, 64, "mse", 0.004, 20, 3),
    "digits-edge": digits("mse", 2 / 6, 250),
    "mlp-1e5-ce": perceptron("fashion", 144, 512, "cross-entropy", 0.05, 30, 7),
    "mlp-1e5-chunks": perceptron("fashion", 144, 512, "mse", 0.1, 80, 4, chunks=4),
    "gpt-1e6": gpt(144, 4, 16, 3),
    "digits-mse": digits("mse", 2 / 50, 50),
    "digits-ce": digits("cross-entropy", 2 / 50, 50),
    "photos-cnn": colour,
}
