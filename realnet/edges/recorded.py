"""What a person does with a tracker: several quantities, history, picture, watching, advice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import xarray as xr

from linmodel import store
from linmodel.extra import require_matplotlib
from realnet.edges.advice import Advice, advise
from realnet.edges.evaluation import Edges
from realnet.edges.quantity import Quantity
from realnet.edges.recorder import Recorder
from realnet.edges.watching import Log, Watch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from realnet.curvature.evaluated import Curvature

Which = Iterable[str | Quantity] | str | Quantity


class Recorded:
    """Mixin of SharpnessTracker: `curvature()` measures, this keeps, draws and watches."""

    @cached_property
    def _recorder(self) -> Recorder:
        return Recorder(self)  # type: ignore[arg-type]

    @overload
    def evaluate(self) -> Curvature: ...
    @overload
    def evaluate(self, which: Which, optimizer: Any = None) -> Edges: ...

    def evaluate(self, which: Which | None = None, optimizer: Any = None) -> Curvature | Edges:
        """Eigenpairs, loss and gradient at the parameters as they are now; or all of `which`.

        which      names or quantities of realnet.edges.known: "sharpness", "preconditioned",
                   "critical", BatchSharpness(batch_size=32), ...
        optimizer  for thresholds, updates, preconditioners; a watched one need not be given
        Raises InvalidInput as the tracker and the quantities do. Kept in `history`.
        """
        if which is None:
            return self._recorder.curvature()
        return self._recorder.evaluate(which, optimizer)

    @property
    def history(self) -> xr.Dataset:
        """All evaluations so far, on `time` = sum of step sizes as watched.

        step, each quantity with its threshold and interval, loss, products, seconds, step_size,
        two_over_eta. Unwatched, time counts evaluations.
        """
        return self._recorder.dataset()

    def plot(self, which: Sequence[str] | None = None) -> Figure:
        """The history drawn: quantities over time, their thresholds dashed, the loss above."""
        require_matplotlib()
        from realnet.edges.plotting import draw

        return draw(self.history, which)

    def save(self, path: str | Path) -> Path:
        """Write the history as NetCDF, whole and sealed; `realnet bridge` reads it too."""
        return store.save(self.history, path)

    def resume(self, path: str | Path) -> None:
        """Go on from a saved history: rows, step and time. The next evaluation starts cold."""
        self._recorder.resume(path)

    def watch(
        self,
        optimizer: Any,
        every: int = 10,
        which: Which = ("sharpness",),
        *,
        log: Log | None = None,
        when: str | None = None,
        action: str = "warn",
    ) -> Watch:
        """Evaluate every so many steps of the optimiser, its step size read at each; see Watch."""
        return Watch(
            self._recorder, optimizer, every=every, which=which, log=log, when=when, action=action
        )

    def largest_stable_step(self, optimizer: Any = None, which: Which | None = None) -> Advice:
        """The largest step size that is stable at this point for this optimiser, evaluated now.

        which: None is the curvature that the optimiser sees: the sharpness, or for Adam and its
        kin the preconditioned one. float(advice.largest); printed, a sentence.
        """
        recorder = self._recorder
        if optimizer is not None:
            recorder.optimizer = optimizer
        if which is None:
            which = "preconditioned" if recorder.adaptive() else "sharpness"
        return advise(recorder.evaluate(which), recorder.stepping())
