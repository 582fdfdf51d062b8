"""The curves of a run: collected step by step, made into a Dataset on dimension time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from linmodel import store
from realnet.config import TrainConfig
from realnet.curvature.tracker import Curvature
from realnet.training.losses import DEFINITIONS

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
}
KEYS = (*UNITS, "eigenvalues")


@dataclass
class Records:
    """Rows of evaluations, the loss at every step, and where the run diverged, if it did."""

    rows: list[dict] = field(default_factory=list)
    step_times: list[float] = field(default_factory=list)
    step_losses: list[float] = field(default_factory=list)
    diverged_step: int | None = None

    def evaluation(self, step: int, time: float, found: Curvature, accuracy: float) -> None:
        """Add a row: what was measured at `step`, before that step is taken."""
        self.rows.append(
            {
                "time": time,
                "step": step,
                "loss": found.loss,
                "accuracy": accuracy,
                "sharpness": found.sharpness,
                "sharpness_residual": float(found.residuals[0]),
                "sharpness_error": float(found.errors[0]),
                "sharpness_converged": bool(found.converged[0]),
                "gradient_norm": float(found.gradient.norm()),
                "products": found.products,
                "eigenvalues": found.values.tolist(),
            }
        )

    def note(self, two_over_eta: float) -> str:
        """One line for the progress bar."""
        if not self.rows:
            return ""
        last = self.rows[-1]
        ratio = last["sharpness"] / two_over_eta
        return f"loss {last['loss']:.4g}, sharpness {ratio:.3f} of 2/eta"

    def state(self) -> dict:
        """Plain lists and numbers for the checkpoint."""
        return {
            "rows": self.rows,
            "step_times": self.step_times,
            "step_losses": self.step_losses,
            "diverged_step": self.diverged_step,
        }

    def dataset(self, config: TrainConfig, data: dict, device: str, finished: bool) -> xr.Dataset:
        """Curves on `time` (evaluations) and `step_time` (every step), as saved in curves.nc."""
        time = np.array([row["time"] for row in self.rows], dtype=float)
        curves = xr.Dataset(coords={"time": ("time", time)})
        for name, (units, long_name) in UNITS.items():
            values = np.array([row[name] for row in self.rows])
            if name == "sharpness_converged":
                values = values.astype(np.int8)
            curves[name] = ("time", values, {"units": units, "long_name": long_name})
        eigenvalues = np.array([row["eigenvalues"] for row in self.rows], dtype=float)
        if eigenvalues.ndim == 2:
            kind = {"units": "1 / time", "long_name": "largest Hessian eigenvalues, descending"}
            curves["eigenvalues"] = (("time", "rank"), eigenvalues, kind)
        curves = curves.assign_coords(step_time=np.array(self.step_times, dtype=float))
        kind = {"units": "1", "long_name": "loss of the step's own batch, before the step"}
        curves["step_loss"] = ("step_time", np.array(self.step_losses, dtype=float), kind)
        for name in ("time", "step_time"):
            curves[name].attrs = {"units": "step size x step", "long_name": "time"}
        curves.attrs = self._attributes(config, data, device, finished)
        return curves

    def _attributes(self, config: TrainConfig, data: dict, device: str, finished: bool) -> dict:
        status = "completed" if finished else "unfinished"
        found: dict[str, object] = {
            "step_size": config.step_size,
            "two_over_eta": 2.0 / config.step_size,
            "loss_definition": DEFINITIONS[config.loss],
            "device": device,
            "status": status if self.diverged_step is None else "diverged",
        }
        if self.diverged_step is not None:
            found["diverged_step"] = self.diverged_step
        return found | dict(store.provenance(**config.as_dict(), data_provenance=data))
