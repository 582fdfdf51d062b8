"""What an optimiser says of itself: step size and threshold of each group of parameters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from linmodel import thresholds
from linmodel.errors import InvalidInput, real, refuse

SHARPNESS, PRECONDITIONED = "sharpness", "preconditioned sharpness"
KNOWN = (
    "torch's SGD, Adam, AdamW, RMSprop, Adagrad, another with exp_avg_sq or square_avg in its "
    "state, SAM over one of them (base_optimizer, rho), a schedule of one, or a step size"
)
OTHER_RULES = {"NAdam", "RAdam", "Adamax", "Adadelta", "SparseAdam", "Adafactor"}
PASSING = {"accelerate", "lightning", "lightning_fabric", "pytorch_lightning"}  # step as inside
ADAPTIVE = {"Adam", "AdamW", "RMSprop", "Adagrad"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One group: its step size eta, and what its threshold is made of.

    factor     eta x threshold without weight decay: 2, 2 (1 + m), 2 (1 + b1)/(1 - b1), ...
    sees       the curvature that the threshold is of: the Hessian's top eigenvalue, or the
               preconditioned Hessian's
    coupled, decoupled  weight decay, in the gradient or beside the step
    rho        SAM's radius, whose threshold needs the gradient (`at`)
    """

    step_size: float
    factor: float
    sees: str
    coupled: float = 0.0
    decoupled: float = 0.0
    rho: float = 0.0

    @property
    def threshold(self) -> float:
        """Of the curvature of the loss itself, without the decay (preconditioned: with it).

        inf while the step size is 0, as at the beginning or end of a schedule.
        """
        if self.step_size == 0:
            return math.inf
        level = thresholds.decoupled_decay(
            self.factor / self.step_size, self.step_size, self.decoupled
        )
        if self.sees == PRECONDITIONED:
            return level
        return thresholds.coupled_decay(level, self.coupled)

    def at(self, gradient_norm: float | None) -> float:
        """The threshold where the gradient has this norm: SAM's depends on it."""
        if not self.rho or math.isinf(self.threshold):
            return self.threshold
        if not gradient_norm:
            refuse("the gradient's norm", gradient_norm, "a number > 0: SAM's edge needs it")
        return thresholds.sam(self.threshold, self.rho / gradient_norm)


@dataclass(frozen=True, slots=True)
class Stepping:
    """All groups of an optimiser. `state`: its own, tensor by tensor; `name`: its class.

    foreign: of no class of torch's that is known here; read by what its state holds.
    wrapper: the class of an optimiser around it, not known here; or "".
    """

    rules: tuple[Rule, ...]
    name: str
    state: Mapping[Tensor, Mapping[str, Any]]
    groups: tuple[Mapping[str, Any], ...]
    foreign: bool = False
    wrapper: str = ""

    @property
    def step_size(self) -> float:
        """The largest of the groups'."""
        return max(rule.step_size for rule in self.rules)

    @property
    def sees(self) -> str:
        """The curvature that the thresholds are of."""
        return self.rules[0].sees

    @property
    def differ(self) -> bool:
        """Whether the groups have different thresholds or step sizes."""
        return len(set(self.rules)) > 1

    def thresholds(self, gradient_norm: float | None = None) -> tuple[float, ...]:
        """One a group."""
        return tuple(rule.at(gradient_norm) for rule in self.rules)

    def threshold(self, gradient_norm: float | None = None) -> float:
        """The smallest of the groups': below it every step is stable."""
        return min(self.thresholds(gradient_norm))

    def said(self) -> str:
        """What is assumed of an optimiser that is not torch's, and how groups differ; or ""."""
        assumed = (
            f"{self.name} is not torch's: it is read by its state and groups as one of Adam's or "
            "RMSprop's kind; if it steps otherwise, its threshold is not this one. "
            if self.foreign
            else ""
        )
        if self.wrapper:
            assumed += (
                f"{self.wrapper} is read as the {self.name} inside it; if it steps otherwise, its "
                "threshold is not this one. "
            )
        return (assumed + self._difference()).strip()

    def _difference(self) -> str:
        if not self.differ:
            return ""
        etas = ", ".join(f"{rule.step_size:g}" for rule in self.rules)
        levels = ", ".join(f"{rule.threshold:g}" for rule in self.rules)
        return (
            f"the groups' step sizes are {etas} and their thresholds {levels}: the smallest is "
            "taken, below which all are stable. 'preconditioned' weighs each group by its own."
        )


def unwrapped(optimizer: Any) -> Any:
    """The optimiser inside of a schedule, or of a wrapper such as accelerate's."""
    while hasattr(optimizer, "optimizer"):
        optimizer = optimizer.optimizer
    return optimizer


def read(optimizer: Any, params: Iterable[Tensor] = ()) -> Stepping:
    """The rules of an optimiser, a schedule of one, or a step size (a number: descent).

    Read now: ask again after each change. Of `params`, if any is in a group: only the groups that
    hold one count. Raises InvalidInput for one whose threshold is not known.
    """
    if isinstance(optimizer, (int, float)) and not isinstance(optimizer, bool):
        eta = real("step size", optimizer, above=0.0)
        rule = Rule(eta, thresholds.descent(1.0), SHARPNESS)
        return Stepping((rule,), "descent", {}, ())
    wrapper = _stranger_around(optimizer)
    optimizer = unwrapped(optimizer)
    if not getattr(optimizer, "param_groups", None) or not hasattr(optimizer, "state"):
        refuse("optimizer", type(optimizer).__name__, KNOWN)
    base = getattr(optimizer, "base_optimizer", optimizer)
    name = type(base).__name__
    rho = base is not optimizer
    groups = tuple(base.param_groups)
    tracked = {id(p) for p in params}
    own = [group for group in groups if any(id(p) in tracked for p in group["params"])]
    own = own or [group for group in groups if len(group["params"])]
    rules = tuple(_rule(name, group, base, rho) for group in own)
    if len({rule.sees for rule in rules}) != 1:
        refuse("optimizer", name, "one kind of step in all groups")
    foreign = not _classes(base) & (ADAPTIVE | {"SGD"})
    return Stepping(rules, name, base.state, groups, foreign, wrapper)


def _stranger_around(optimizer: Any) -> str:
    """The class of an optimiser around the optimiser (Lookahead) that only it knows; or ""."""
    while hasattr(optimizer, "optimizer"):
        packages = {kind.__module__.partition(".")[0] for kind in type(optimizer).__mro__}
        if hasattr(optimizer, "param_groups") and not packages & PASSING:
            return type(optimizer).__name__
        optimizer = optimizer.optimizer
    return ""


def _rule(name: str, group: Mapping[str, Any], optimizer: Any, sam: bool) -> Rule:
    if group.get("maximize"):
        refuse(f"maximize of {name}", True, "False: ascent has no edge")
    eta = _number("lr", group["lr"])
    if not eta >= 0:
        refuse(f"{name}'s step size", eta, "a number >= 0")
    decay = _number("weight_decay", group.get("weight_decay", 0.0))
    rho = _number("rho", group["rho"]) if sam else 0.0
    if sam and group.get("adaptive"):
        refuse("adaptive of SAM", True, "False: the adaptive one's edge is not known")
    momentum = _number("momentum", group.get("momentum", 0.0))
    if name == "SGD":
        if group.get("nesterov"):
            factor = thresholds.nesterov(1.0, momentum)
        else:
            damped = _number("dampening", group.get("dampening", 0.0)) if momentum else 0.0
            factor = thresholds.heavy_ball(1.0, momentum, damped)
        return Rule(eta, factor, SHARPNESS, coupled=decay, rho=rho)
    if _classes(optimizer) & OTHER_RULES or not _diagonal(group, optimizer):
        refuse("optimizer", name, KNOWN, "Pass its step size, or measure against your own line.")
    if "betas" in group:
        factor = thresholds.adam(1.0, _number("beta1", group["betas"][0]))
    else:
        factor = thresholds.heavy_ball(1.0, momentum)
    if group.get("decoupled_weight_decay", "AdamW" in name):
        return Rule(eta, factor, PRECONDITIONED, decoupled=decay, rho=rho)
    return Rule(eta, factor, PRECONDITIONED, coupled=decay, rho=rho)


def _classes(optimizer: Any) -> set[str]:
    """Names of its class and of those that it inherits from: a subclass steps as its parent."""
    return {kind.__name__ for kind in type(optimizer).__mro__}


def _diagonal(group: Mapping[str, Any], optimizer: Any) -> bool:
    """Whether its state holds, or torch says that it will hold, a second moment."""
    if _classes(optimizer) & ADAPTIVE:
        return True
    seen = set().union(*(optimizer.state.get(p, {}) for p in group["params"]))
    return bool(seen & {"exp_avg_sq", "square_avg"})


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InvalidInput(f"{name} of the optimiser is {value!r}; allowed: a number.") from error
