"""What a training run is: one frozen, validated description. Needs no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from os import fspath
from typing import Any

from linmodel.errors import integer, one_of, real, refuse
from realnet.data.datasets import check_dials, is_text
from realnet.data.interventions import ARMS
from realnet.observers import check_observers

NETWORKS = ("mlp", "cnn", "vgg", "resnet", "resnet8", "vit", "gpt")
LOSSES = ("cross-entropy", "mse", "stablemax")
OPTIMISERS = ("gd", "sgd", "momentum", "nesterov", "adam", "sam", "flow")
SCHEDULES = ("constant", "linear-decay", "cosine")
ACTIVATIONS = ("tanh", "relu", "gelu", "elu")
NORMALISATIONS = ("none", "group", "batch")
DTYPES = ("float32", "float64")
DEVICES = ("auto", "cpu", "cuda")
# Fields that config.json leaves out where they do nothing: older run folders do not have them.
SPARSE = ("dials", "weight_decay", "dropout", "perp_grad", "arm", "rho", "observe")


def usual(data: str) -> tuple[str, str]:
    """The network and the loss that `auto` stands for."""
    if not isinstance(data, str):
        refuse("data", data, "the name of a data set")
    return ("gpt", "cross-entropy") if is_text(data) else ("mlp", "mse")


def check_pair(data: str, net: str) -> None:
    """Refuse an unknown network, and one that does not take the data."""
    if net not in NETWORKS:
        refuse("net", net, "one of " + ", ".join(NETWORKS))
    if is_text(data) != (net == "gpt"):
        images = ", ".join(name for name in NETWORKS if name != "gpt")
        allowed = f"gpt for data text, and for images one of {images}"
        refuse(f"net with data {data}", net, allowed)


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """A run is determined by this, the versions and the device.

    net, loss     "auto": gpt and cross-entropy for text, mlp and mse for images
    step_size     eta; times the number of steps it is the time of every curve
    size          number of training samples, for text of windows; None: all that there are
    batch_size    None: full batch (which `gd` and `flow` require)
    every         steps from one sharpness evaluation to the next
    width, depth  None: the network's own default
    clip          the gradient's largest norm
    dials         options of the data set itself (text: context; planted: fraction; folder: path)
    arm           what is done to planted groups before training: removed, as many random samples
                  removed, the background randomised on a fraction `rho` of the members
    weight_decay  w adds w theta to the gradient (L2, coupled, whatever the optimiser)
    dropout       share of a hidden layer's outputs that a step drops (curvature is taken without)
    perp_grad     gradients less their component along the weights
    observe       observers of the run by name (realnet.observers)

    Cross-entropy is the mean over the samples (text: tokens); mse is
    1/(2N) sum_i ||f(x_i) - onehot(y_i)||^2; stablemax is cross-entropy with StableMax.
    """

    data: str = "mnist5k"
    net: str = "auto"
    loss: str = "auto"
    step_size: float = 0.05
    steps: int = 600
    size: int | None = 1000
    optimiser: str = "gd"
    batch_size: int | None = None
    momentum: float = 0.9
    beta2: float = 0.999
    sam_radius: float = 0.05
    clip: float | None = None
    schedule: str = "constant"
    warmup: int = 0
    label_smoothing: float = 0.0
    width: int | None = None
    depth: int | None = None
    activation: str = "tanh"
    norm: str = "none"
    seed: int = 0
    every: int = 10
    eigenvalues: int = 1
    tolerance: float = 1e-3
    chunk_size: int | None = None
    dtype: str = "float32"
    device: str = "auto"
    dials: Mapping[str, Any] = field(default_factory=dict)
    weight_decay: float = 0.0
    dropout: float = 0.0
    perp_grad: bool = False
    arm: str = "untouched"
    rho: float = 0.0
    observe: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        usual(self.data)
        check_dials(self.data, ())
        for name, own in zip(("net", "loss"), usual(self.data), strict=True):
            if isinstance(getattr(self, name), str) and getattr(self, name) == "auto":
                object.__setattr__(self, name, own)
        self._check_names()
        self._check_numbers()
        self._check_dials()
        self._check_together()

    def _check_names(self) -> None:
        choices = {
            "net": NETWORKS,
            "loss": LOSSES,
            "optimiser": OPTIMISERS,
            "schedule": SCHEDULES,
            "activation": ACTIVATIONS,
            "norm": NORMALISATIONS,
            "dtype": DTYPES,
            "device": DEVICES,
            "arm": tuple(ARMS),
        }
        for name, allowed in choices.items():
            one_of(name, getattr(self, name), allowed)
        if not isinstance(self.perp_grad, bool):
            refuse("perp_grad", self.perp_grad, "True or False")

    def _check_numbers(self) -> None:
        put = object.__setattr__
        put(self, "step_size", real("step_size", self.step_size, above=0.0))
        put(self, "tolerance", real("tolerance", self.tolerance, above=0.0))
        if self.tolerance >= 1:
            refuse("tolerance", self.tolerance, "a number in (0, 1)", "1e-3 is the default.")
        put(self, "sam_radius", real("sam_radius", self.sam_radius, above=0.0))
        put(self, "weight_decay", real("weight_decay", self.weight_decay, low=0.0))
        put(self, "rho", real("rho", self.rho, low=0.0))
        if self.rho > 1:
            refuse("rho", self.rho, "a number in [0, 1]")
        for name in ("momentum", "beta2", "label_smoothing", "dropout"):
            value = real(name, getattr(self, name), low=0.0)
            if value >= 1:
                refuse(name, value, "a number in [0, 1)")
            put(self, name, value)
        if self.clip is not None:
            put(self, "clip", real("clip", self.clip, above=0.0))
        for name in ("steps", "every", "eigenvalues"):
            put(self, name, integer(name, getattr(self, name), low=1))
        for name in ("seed", "warmup"):
            put(self, name, integer(name, getattr(self, name), low=0))
        for name in ("size", "batch_size", "width", "depth", "chunk_size"):
            if getattr(self, name) is not None:
                put(self, name, integer(name, getattr(self, name), low=1))

    def _check_together(self) -> None:
        if self.optimiser in ("gd", "flow") and self.batch_size is not None:
            refuse(
                f"batch_size with optimiser {self.optimiser}",
                self.batch_size,
                "no batch size: this optimiser is full batch",
                "Take optimiser sgd.",
            )
        if self.optimiser == "sgd" and self.batch_size is None:
            refuse("batch_size with optimiser sgd", None, "a whole number >= 1", "Or optimiser gd.")
        check_pair(self.data, self.net)
        if self.arm != "untouched" and self.data != "planted":
            refuse("arm", self.arm, "untouched, for data without planted groups")
        if self.rho and self.arm != "background":
            refuse("rho", self.rho, "0 for every arm but background")
        if self.loss == "stablemax" and self.label_smoothing:
            refuse("label_smoothing with loss stablemax", self.label_smoothing, "0")
        object.__setattr__(self, "observe", check_observers(self.observe))

    def _check_dials(self) -> None:
        """Keep the dials as JSON gives them back, so that a resumed run compares equal."""
        try:
            plain = json.loads(json.dumps(dict(self.dials), default=fspath))
        except (TypeError, ValueError) as error:
            refuse("dials", self.dials, "a dictionary of numbers, words and lists", str(error))
        check_dials(self.data, plain)
        object.__setattr__(self, "dials", plain)

    def as_dict(self) -> dict[str, object]:
        """The fields as JSON can hold them; those of SPARSE only where they are set."""
        found = asdict(self) | {"observe": list(self.observe)}
        for one in fields(self):
            if one.name in SPARSE and getattr(self, one.name) in ({}, one.default):
                del found[one.name]
        return found


def read_dials(words: list[str] | None) -> dict[str, object]:
    """Options of a data set from words NAME=VALUE, the value as JSON where it is JSON.

    Raises InvalidInput: a word without "=", or a name given twice.
    """
    found: dict[str, object] = {}
    for word in words or []:
        name, equals, text = word.partition("=")
        if not equals or not name or name in found:
            refuse("dial", word, "NAME=VALUE, each name once", "For example: fraction=0.05")
        try:
            found[name] = json.loads(text)
        except ValueError:
            found[name] = text
    return found
