"""The first observer of every run: eigenpairs of the loss Hessian every so many steps."""

from __future__ import annotations

import numpy as np
import xarray as xr

from realnet.config import TrainConfig
from realnet.curvature.evaluated import Curvature
from realnet.curvature.tracker import SharpnessTracker
from realnet.training.observing import Moment
from realnet.training.task import Task
from realnet.training.torch_steps import preconditioned_threshold, threshold

UNITS = {
    "loss": ("1", "full-batch training loss"),
    "accuracy": ("1", "training accuracy"),
    "sharpness": ("1 / time", "sharpness: top eigenvalue of the full-batch loss Hessian"),
    "sharpness_residual": ("1 / time", "||H v - sharpness v||"),
    "sharpness_error": ("1 / time", "estimated error of the sharpness"),
    "sharpness_converged": ("1", "sharpness within the tolerance asked"),
    "gradient_norm": ("1 / sqrt(time)", "norm of the full-batch gradient"),
    "products": ("1", "Hessian-vector products spent on the evaluation"),
    "step": ("1", "number of steps done"),
    "step_size": ("step size", "step size of the step to come"),
    "threshold": ("1 / time", "sharpness at which the optimiser turns unstable; NaN: none"),
}
KEYS = (*UNITS, "eigenvalues")


class Tracking:
    """Evaluates every `config.every` steps and at the last one; leaves it in `moment.curvature`."""

    name = "curvature"

    def __init__(self, config: TrainConfig, task: Task) -> None:
        self.config = config
        self.rows: list[dict] = []
        self.tracker = SharpnessTracker(
            task.mean_loss,
            task.model,
            chunks=task.whole.chunks,
            k=config.eigenvalues,
            tolerance=config.tolerance,
            seed=config.seed,
            training_mode="consistent" if config.norm == "batch" else "refuse",
        )

    def before(self, moment: Moment) -> None:
        """Evaluate, where it is due. Raises NotFinite where the loss or its gradient is not."""
        if moment.step % self.config.every and moment.step != self.config.steps:
            return
        moment.curvature = self.tracker.curvature()
        accuracy = moment.task.accuracy()
        self.rows.append(self._row(moment, moment.curvature, accuracy))

    def after(self, moment: Moment) -> None:
        """Nothing."""

    def state(self) -> dict:
        """The tracker's, and the rows."""
        return {"tracker": self.tracker.state(), "rows": self.rows}

    def restore(self, state: dict) -> None:
        """Go on from `state()`."""
        self.tracker.restore(state["tracker"])
        self.rows = state["rows"]

    def add_to(self, curves: xr.Dataset) -> xr.Dataset:
        """UNITS and eigenvalues on `time`."""
        time = np.array([row["time"] for row in self.rows], dtype=float)
        curves = curves.assign_coords(time=time)
        curves["time"].attrs = {"units": "step size x step", "long_name": "time"}
        for name, (units, long_name) in UNITS.items():
            values = np.array([row[name] for row in self.rows])
            if name == "sharpness_converged":
                values = values.astype(np.int8)
            curves[name] = ("time", values, {"units": units, "long_name": long_name})
        if self.config.optimiser == "adam":
            levels = [preconditioned_threshold(self.config, row["step_size"]) for row in self.rows]
            text = "preconditioned sharpness at which the optimiser turns unstable"
            kind = {"units": "1 / time", "long_name": text}
            curves["preconditioned_threshold"] = ("time", np.array(levels), kind)
        eigenvalues = np.array([row["eigenvalues"] for row in self.rows], dtype=float)
        if eigenvalues.ndim == 2:
            kind = {"units": "1 / time", "long_name": "largest Hessian eigenvalues, descending"}
            curves["eigenvalues"] = (("time", "rank"), eigenvalues, kind)
        return curves

    def note(self) -> str:
        """One line for the progress bar."""
        if not self.rows:
            return ""
        last = self.rows[-1]
        ratio = last["sharpness"] / last["threshold"]
        edge = f", sharpness {ratio:.3f} of its threshold" if np.isfinite(ratio) else ""
        return f"loss {last['loss']:.4g}{edge}"

    def _row(self, moment: Moment, found: Curvature, accuracy: float) -> dict:
        norm = float(found.gradient.norm())
        return {
            "time": moment.time,
            "step": moment.step,
            "step_size": moment.step_size,
            "threshold": threshold(self.config, moment.step_size, norm),
            "loss": found.loss,
            "accuracy": accuracy,
            "sharpness": found.sharpness,
            "sharpness_residual": float(found.residuals[0]),
            "sharpness_error": float(found.errors[0]),
            "sharpness_converged": bool(found.converged[0]),
            "gradient_norm": norm,
            "products": found.products,
            "eigenvalues": found.values.tolist(),
        }
