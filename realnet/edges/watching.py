"""Watches an optimiser: evaluates every so many of its steps, logs, stops or lowers the step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from linmodel.errors import integer, notice, one_of, refuse
from realnet.edges.advice import Advice, advise, compared
from realnet.edges.evaluation import Edges
from realnet.edges.known import quantities
from realnet.edges.preconditioner import NoStepYet
from realnet.edges.quantity import Quantity
from realnet.edges.recorder import Recorder
from realnet.edges.stepping import read, unwrapped

Log = Callable[[dict[str, float]], object]
GROUPS_OWN = {"lr", "initial_lr", "max_lr", "min_lr"}
SCHEDULES_OWN = {"base_lrs", "max_lrs"}
LOWER = 0.9  # of the largest stable step, where the step is lowered


class Edge(RuntimeError):
    """A run was stopped at the edge of stability, as asked by when="edge"."""


class Watch:
    """Call it once a step, before the step; optimisers of torch call it themselves.

    optimizer  the optimiser, or a schedule of it: the step size is read at each call
    every      steps from one evaluation to the next
    which      quantities; one that needs the optimiser's first step waits for it
    log        called with a dict of numbers after each evaluation (wandb.log, ...)
    when       None; "edge": do `action` where a quantity has passed its threshold, with a sentence
    action     "warn" once; "lower": set the step to 0.9 of the largest stable one; "stop": raise
               Edge, from the optimiser's own step
    """

    def __init__(
        self,
        recorder: Recorder,
        optimizer: Any,
        *,
        every: int = 10,
        which: Iterable[str | Quantity] | str | Quantity = ("sharpness",),
        log: Log | None = None,
        when: str | None = None,
        action: str = "warn",
    ) -> None:
        read(optimizer, recorder.tracker.objective.params)  # refused before any work
        self.every = integer("every", every, low=1)
        if log is not None and not callable(log):
            refuse("log", type(log).__name__, "a function of a dict")
        if when not in (None, "edge"):
            refuse("when", when, "None or 'edge'")
        self.action = one_of("action", action, ("warn", "lower", "stop"))
        self.recorder, self.optimizer = recorder, optimizer
        self.which, self.log, self.when = quantities(which), log, when
        self.last: Edges | None = None
        self._warned = False
        recorder.begin(self)
        self._handle = _hooked(optimizer, self)

    def __call__(self) -> Edges | None:
        """Evaluate where it is due; count the step that follows."""
        recorder, found = self.recorder, None
        if recorder.step % self.every == 0:
            found = self._evaluate()
        recorder.count(self)
        return found

    def evaluate(self) -> Edges | None:
        """Evaluate now, due or not: after the last step."""
        return self._evaluate()

    def close(self) -> None:
        """Watch no longer."""
        if self._handle is not None:
            self._handle.remove()
        self._handle = None
        self.recorder.end(self)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _evaluate(self) -> Edges | None:
        waiting = False
        try:
            found = self.recorder.evaluate(self.which, self.optimizer)
        except NoStepYet:
            ready = [one for one in self.which if one.name != "preconditioned"]
            if not ready:
                return None
            waiting, found = True, self.recorder.evaluate(ready, self.optimizer)
        self.last = found
        if self.log is not None:
            self.log(found.log())
        if self.when is not None:
            stepping = self.recorder.stepping()
            later = waiting or any(one.threshold is not None for one in found.values.values())
            if stepping.step_size and (compared(found) or not later):  # 0: a warm-up begins
                self._act(advise(found, stepping))
        return found

    def _act(self, advice: Advice) -> None:
        if advice.stable:
            self._warned = False
            return
        if self.action == "stop":
            self.close()
            raise Edge(str(advice))
        if self.action == "lower":
            factor = LOWER * advice.largest / advice.step_size
            kept = _lower(self.optimizer, factor)
            say = f"{advice} The step size is lowered to {advice.step_size * factor:.4g}."
            notice(say if kept else f"{say} Its schedule may raise it again: watch the schedule.")
        elif not self._warned:
            self._warned = True
            notice(str(advice))


def _lower(optimizer: Any, factor: float) -> bool:
    """Scale all step sizes, and those that a schedule begins from: else it would set its own again.

    False where a schedule that was not given may do so.
    """
    scheduled = False
    for group in getattr(unwrapped(optimizer), "param_groups", []):
        scheduled |= "initial_lr" in group
        for name in GROUPS_OWN & set(group):
            group[name] = group[name] * factor
    schedules = [optimizer] if hasattr(optimizer, "base_lrs") else []
    schedules += getattr(optimizer, "_schedulers", [])
    for one in schedules:
        for name in SCHEDULES_OWN & set(vars(one)):
            setattr(one, name, [each * factor for each in getattr(one, name)])
    return bool(schedules) or not scheduled


def _hooked(optimizer: Any, watch: Watch) -> Any:
    """A hook before each step of torch's optimiser; None for what has no hooks."""
    optimizer = unwrapped(optimizer)
    optimizer = getattr(optimizer, "base_optimizer", optimizer)
    register = getattr(optimizer, "register_step_pre_hook", None)
    if register is None:
        return None

    def before_step(_optimizer: Any, _args: Any, _kwargs: Any) -> None:
        watch()

    return register(before_step)
