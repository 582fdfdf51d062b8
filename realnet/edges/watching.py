"""Watches an optimiser: evaluates every so many of its steps, logs, stops or lowers the step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from linmodel.errors import integer, notice, one_of, refuse
from realnet.edges.advice import Advice, advise
from realnet.edges.evaluation import Edges
from realnet.edges.known import quantities
from realnet.edges.preconditioner import NoStepYet
from realnet.edges.quantity import Quantity
from realnet.edges.recorder import Recorder
from realnet.edges.stepping import read, unwrapped

Log = Callable[[dict[str, float]], object]
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
        read(optimizer)  # refused before any work
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
        recorder.optimizer, recorder.watching = optimizer, True
        self._handle = _hooked(optimizer, self)

    def __call__(self) -> Edges | None:
        """Evaluate where it is due; count the step that follows."""
        recorder, found = self.recorder, None
        if recorder.step % self.every == 0:
            found = self._evaluate()
        recorder.time += read(self.optimizer).step_size
        recorder.step += 1
        return found

    def evaluate(self) -> Edges | None:
        """Evaluate now, due or not: after the last step."""
        return self._evaluate()

    def close(self) -> None:
        """Watch no longer."""
        if self._handle is not None:
            self._handle.remove()
        self._handle = None

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _evaluate(self) -> Edges | None:
        try:
            found = self.recorder.evaluate(self.which)
        except NoStepYet:
            ready = [one for one in self.which if one.name != "preconditioned"]
            if not ready:
                return None
            found = self.recorder.evaluate(ready)
        self.last = found
        if self.log is not None:
            self.log(found.log())
        if self.when is not None:
            self._act(advise(found, self.optimizer))
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
            for group in _groups(self.optimizer):
                group["lr"] = group["lr"] * factor
            notice(f"{advice} The step size is lowered to {advice.step_size * factor:.4g}.")
        elif not self._warned:
            self._warned = True
            notice(str(advice))


def _groups(optimizer: Any) -> list[dict[str, Any]]:
    return getattr(unwrapped(optimizer), "param_groups", [])


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
