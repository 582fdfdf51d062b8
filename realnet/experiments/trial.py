"""What one run of an experiment is: a training configuration and what is done to it. No torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from linmodel.errors import integer, real, refuse
from realnet.config import TrainConfig

ARMS = ("untouched", "removed", "random", "background")


@dataclass(frozen=True)
class Trial:
    """One run.

    train         network, optimiser, steps, seed; `data` "planted", "modular", "text" or a name
                  that realnet.data.datasets knows
    dials         options of the data set (planted: fraction, magnitude; modular: modulus, share)
    arm           done to the planted groups: nothing, removed, as many random samples removed, or
                  the background randomised on a fraction `rho` of the members
    stablemax     StableMax cross-entropy in place of softmax cross-entropy
    perp          perpGrad: gradients less their component along the weights
    weight_decay  w in gradient + w theta (L2, coupled, whatever the optimiser)
    dropout       share of a hidden layer's outputs that is dropped; curvature is taken without
    probes        measure S11, S13, S14, S16 at every evaluation
    blocks        sharpness of each layer's own block of the Hessian at every evaluation
    every_loss    full-batch loss before every step, without dropout: what step_loss is not where
                  steps take minibatches or drop outputs
    sketch        numbers of a random projection of the parameters kept at evaluations (S1)
    Raises InvalidInput on an unknown arm, or numbers out of range.
    """

    train: TrainConfig
    dials: Mapping[str, Any] = field(default_factory=dict)
    arm: str = "untouched"
    rho: float = 0.0
    stablemax: bool = False
    perp: bool = False
    weight_decay: float = 0.0
    dropout: float = 0.0
    probes: bool = False
    blocks: bool = False
    every_loss: bool = False
    sketch: int = 0

    def __post_init__(self) -> None:
        if self.arm not in ARMS:
            refuse("arm", self.arm, "one of " + ", ".join(ARMS))
        if self.arm != "untouched" and self.train.data != "planted":
            refuse("arm", self.arm, "untouched, for data without planted groups")
        for name in ("rho", "weight_decay", "dropout"):
            value = real(name, getattr(self, name), low=0.0)
            object.__setattr__(self, name, value)
        if self.rho > 1 or self.dropout >= 1:
            refuse("rho, dropout", (self.rho, self.dropout), "rho in [0, 1], dropout in [0, 1)")
        integer("sketch", self.sketch, low=0)
        object.__setattr__(self, "dials", dict(self.dials))
        json.dumps(self.dials)

    def as_dict(self) -> dict[str, object]:
        """One flat dictionary, as config.json of the run folder holds it."""
        own = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "train"}
        return self.train.as_dict() | {"trial": own}
