"""The opposing signals of a run: evidence as it trains, the finder's answer at its last point."""

from __future__ import annotations

import numpy as np
import xarray as xr

from linmodel.errors import InvalidInput
from realnet.config import TrainConfig
from realnet.observers.evidence import LOOKS
from realnet.signals.answer import answers
from realnet.signals.evidence import Evidence, checkpoint_steps
from realnet.signals.study import study
from realnet.training.observing import Moment


class Sides(Evidence):
    """signal_1, signal_2, ... on `sample`: 1 on the plus side, -1 on the minus side, 0 elsewhere.

    Only signals that beat their null, the least p-value first; attributes mode and p_value. The
    attribute `signals_found` of the curves is their number (-1: the run did not reach its end);
    `signals_note` says what could not be looked for.
    """

    name = "sides"

    def __init__(self, directions: int, config: TrainConfig) -> None:
        chosen = checkpoint_steps(config.steps, LOOKS).tolist()
        super().__init__(directions=directions, checkpoints=chosen, seed=config.seed)
        self.last = config.steps
        self.found: list[dict] | None = None
        self.note = ""

    def before(self, moment: Moment) -> None:
        """Record; at the run's last point find."""
        super().before(moment)
        if moment.step == self.last:
            self.found = self._find()

    def state(self) -> dict:
        """Evidence and what was found."""
        return super().state() | {"found": self.found, "note": self.note}

    def restore(self, state: dict) -> None:
        """Go on from `state()`."""
        super().restore(state)
        self.found, self.note = state["found"], state["note"]

    def add_to(self, curves: xr.Dataset) -> xr.Dataset:
        """See the class."""
        found = self.found or []
        for index, one in enumerate(found, start=1):
            about = {"units": "1", "mode": one["mode"], "p_value": one["p_value"]}
            values = np.array(one["side"], dtype=np.int8)
            curves[f"signal_{index}"] = ("sample", values, about | {"long_name": "side"})
        count = -1 if self.found is None else len(found)
        return curves.assign_attrs(signals_found=count, signals_note=self.note)

    def _find(self) -> list[dict]:
        assert self.task is not None
        images = None if self.task.is_text else self.task.inputs.cpu().numpy()
        try:
            studied = study(self, seed=self.seed)
            signals, notes = answers(studied.evidence, studied.pairs, images, seed=self.seed)
        except InvalidInput as reason:  # such as too few samples
            self.note = str(reason)
            return []
        self.note = "; ".join(notes)
        count = self.task.labels.numel()
        found = []
        for one in (signal for signal in signals if signal.found):
            side = np.zeros(count, dtype=int)
            side[list(one.plus)], side[list(one.minus)] = 1, -1
            found.append({"mode": one.mode, "p_value": one.p_value, "side": side.tolist()})
        return found


def make(number: int | None, config: TrainConfig) -> Sides:
    """`number` is the eigenvectors at a look (4)."""
    return Sides(number or 4, config)
