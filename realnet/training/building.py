"""From a configuration to what is trained: samples with their arm, network, loss, device."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from linmodel.errors import InvalidInput, refuse
from realnet.config import DEVICES, TrainConfig
from realnet.data import datasets
from realnet.data.interventions import ARMS, Case
from realnet.data.samples import Part, Samples, Shape
from realnet.networks import build_network
from realnet.training.losses import DEFINITIONS, sample_loss
from realnet.training.steps import drop_activations
from realnet.training.task import Task


def load_samples(config: TrainConfig) -> Samples:
    """The samples of the configuration, its arm applied. Raises InvalidInput as the loaders do."""
    load = partial(datasets.load, config.data, config.size, config.seed)
    dials = dict(config.dials)
    case = Case(config.seed, config.rho, lambda **other: load(**(dials | other)))
    return ARMS[config.arm](load(**dials), case)


def pick_device(name: str) -> torch.device:
    """The device for "auto" (a GPU where there is one), "cpu" or "cuda"."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        refuse("device", name, "auto or cpu: no CUDA device is there", "Take --device cpu.")
    if name not in DEVICES:
        refuse("device", name, "one of " + ", ".join(DEVICES))
    return torch.device(name)


def build_task(config: TrainConfig, samples: Samples) -> Task:
    """Network, loss and samples of a run, on its device and in its dtype."""
    device, dtype = pick_device(config.device), getattr(torch, config.dtype)
    model = _network(config, samples.shape).to(device, dtype)
    if config.dropout:
        drop_activations(model, config.dropout)

    def moved(part: Part) -> tuple[Tensor, Tensor]:
        inputs, labels = (torch.as_tensor(each) for each in part)
        kind = dtype if inputs.is_floating_point() else inputs.dtype
        return inputs.to(device, kind), labels.to(device)

    return Task(
        model,
        sample_loss(config.loss, config.label_smoothing),
        *moved((samples.inputs, samples.labels)),
        config.chunk_size,
        watched={name: moved(part) for name, part in samples.watched.items()},
        members={name: torch.as_tensor(own) for name, own in samples.members.items()},
        held_out=None if samples.held_out is None else moved(samples.held_out),
        definition=DEFINITIONS[config.loss],
        provenance=samples.provenance,
    )


def _network(config: TrainConfig, shape: Shape) -> nn.Module:
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
