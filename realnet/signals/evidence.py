"""What a search for opposing signals looks at, recorded along full-batch gradient descent.

The losses of single samples at every step and, at chosen steps, how each sample meets the top
eigenvectors u of the loss Hessian: its slope, its curvature and its response along u.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, jvp

from linmodel import store
from linmodel.arguments import typed
from linmodel.errors import integer, real, refuse
from realnet.curvature.objective import Objective, full_precision, unflatten
from realnet.curvature.tracker import Curvature, SharpnessTracker
from realnet.training.losses import SampleLoss

Report = Callable[[int, str], None]
ATTRIBUTES = {
    "loss": ("1", "loss of one sample before the step"),
    "slope": ("1 / sqrt(time)", "g_i.u: derivative of the sample's loss along u"),
    "curvature": ("1 / time", "u'H_i u: second derivative of the sample's loss along u"),
    "response": ("1", "||J_i u||: change of the sample's outputs along u"),
    "alignment": ("1", "g_i.g / g.g, g the mean gradient: averages to 1"),
    "eigenvalue": ("1 / time", "top eigenvalues of the full-batch loss Hessian, descending"),
    "residual": ("1 / time", "||H u - eigenvalue u||"),
    "input_norm": ("1", "Euclidean norm of the sample's input (tokens: one-hot)"),
}


class Watcher:
    """A model with its data: losses of single samples and their derivatives along directions."""

    def __init__(
        self,
        model: nn.Module,
        sample_loss: SampleLoss,
        inputs: Tensor,
        labels: Tensor,
        chunk_size: int | None = None,
    ) -> None:
        if len(inputs) != len(labels) or len(inputs) < 2:
            refuse("inputs and labels", (len(inputs), len(labels)), "equally many, at least 2")
        size = integer("chunk_size", chunk_size or len(inputs), low=1)
        self.model, self.sample_loss = model, sample_loss
        self.inputs, self.labels = inputs, labels
        self.chunks = list(zip(inputs.split(size), labels.split(size), strict=True))
        self.objective = Objective(self.mean_loss, model, self.chunks)
        self.names = [name for name, p in model.named_parameters() if p.requires_grad]

    def mean_loss(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Mean loss of a chunk."""
        return self.sample_loss(self.model(inputs), labels).mean()

    def losses(self) -> NDArray[np.float32]:
        """Losses of single samples (tokens, for text), flat."""
        try:
            with torch.no_grad(), full_precision(self.objective.device):
                parts = [self.sample_loss(self.model(x), y).reshape(-1) for x, y in self.chunks]
        except (IndexError, RuntimeError) as error:
            if "out of bounds" not in str(error) and "device-side assert" not in str(error):
                raise
            span = f"{int(self.labels.min())} to {int(self.labels.max())}"
            refuse("labels", span, "0 to the number of outputs less 1", str(error))
        return torch.cat(parts).float().cpu().numpy()

    def named(self, vector: Tensor) -> dict[str, Tensor]:
        """A flat vector in the parameters' names, shapes and dtype."""
        pieces = unflatten(vector.to(self.objective.dtype), self.objective.params)
        return dict(zip(self.names, pieces, strict=True))

    def along(self, direction: Tensor) -> tuple[NDArray, NDArray, NDArray]:
        """Slope g_i.u, curvature u'H_i u and response ||J_i u|| of every sample, exact.

        By forward-mode derivatives (nested for the curvature): no gradient of a single sample is
        ever stored.
        """
        point = {
            name: p.detach() for name, p in zip(self.names, self.objective.params, strict=True)
        }
        tangent = self.named(direction)
        found = []
        with full_precision(self.objective.device), torch.no_grad():
            for x, y in self.chunks:
                found.append(self._chunk_along(point, tangent, x, y))
        slope, curvature, response = (
            torch.cat(parts).cpu().double().numpy() for parts in zip(*found, strict=True)
        )
        return slope, curvature, response

    def _chunk_along(
        self, point: dict[str, Tensor], tangent: dict[str, Tensor], x: Tensor, y: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        def outputs(at: dict[str, Tensor]) -> Any:
            return functional_call(self.model, at, (x,))

        def slopes(at: dict[str, Tensor]) -> Any:
            value, change = self._jvp(outputs, at, tangent)
            slope = self._jvp(lambda out: self.sample_loss(out, y), value, change)[1]
            return slope.reshape(-1), change.reshape(-1, change.shape[-1]).norm(dim=-1)

        (slope, response), (curvature, _) = self._jvp(slopes, point, tangent)
        return slope, curvature, response

    @staticmethod
    def _jvp(function: Callable, at: Any, tangent: Any) -> Any:
        """(value, derivative along the tangent)."""
        with warnings.catch_warnings():
            # torch's own forward-mode rules are scripted on first use, which warns of itself.
            warnings.filterwarnings("ignore", "`torch.jit.script", DeprecationWarning)
            return jvp(function, (at,), (tangent,))


@typed
def checkpoint_steps(steps: int, count: int) -> NDArray[np.int64]:
    """`count` steps from 0 to `steps`, spaced quadratically: dense early."""
    return np.unique(np.round(steps * np.linspace(0, 1, count) ** 2).astype(int))


@typed
def observe(
    model: nn.Module,
    sample_loss: SampleLoss,
    inputs: Tensor,
    labels: Tensor,
    *,
    step_size: float,
    steps: int = 200,
    directions: int = 4,
    checkpoints: int | Sequence[int] = 12,
    tolerance: float = 1e-2,
    chunk_size: int | None = None,
    seed: int = 0,
    report: Report | None = None,
) -> xr.Dataset:
    """Train `model` in place by full-batch gradient descent and record the evidence.

    sample_loss  (outputs, labels) -> losses of single samples, shape (N,)
    directions   number k of top Hessian eigenvectors at each checkpoint
    checkpoints  their number (spaced quadratically) or the steps themselves
    Dataset: loss (time, sample), time = step_size x step; slope, curvature, response (checkpoint,
    direction, sample); alignment (checkpoint, sample); eigenvalue, residual (checkpoint,
    direction); label, input_norm (sample). A run that diverges stops there: attribute `status` is
    "diverged" and what was recorded before is kept.

    Raises InvalidInput: bad numbers; a model without parameters, in half precision, or with dropout
    or batch norm in training mode; NaN loss at the start.
    """
    eta = real("step_size", step_size, above=0)
    steps = integer("steps", steps, low=1)
    if isinstance(checkpoints, int):
        chosen = checkpoint_steps(steps, integer("checkpoints", checkpoints, low=1))
    else:
        chosen = np.unique([integer("checkpoints", step, low=0) for step in checkpoints])
    watcher = Watcher(model, sample_loss, inputs, labels, chunk_size)
    tracker = SharpnessTracker(
        watcher.mean_loss,
        model,
        chunks=watcher.chunks,
        k=integer("directions", directions, low=1),
        tolerance=tolerance,
        seed=seed,
    )
    losses, rows, status = _descend(watcher, tracker, eta, steps, chosen, report)
    attrs = store.provenance(
        step_size=eta, steps=steps, directions=directions, tolerance=tolerance, seed=seed
    )
    return _evidence(watcher, losses, rows, attrs | {"status": status, "step_size": eta})


def _descend(
    watcher: Watcher,
    tracker: SharpnessTracker,
    eta: float,
    steps: int,
    chosen: NDArray[np.int64],
    report: Report | None,
) -> tuple[list[NDArray], list[dict], str]:
    losses: list[NDArray] = []
    rows: list[dict] = []
    for step in range(steps + 1):
        now = watcher.losses()
        if not np.isfinite(now).all():
            if step == 0:
                refuse("loss at the start", float(now.mean()), "finite losses of all samples")
            return losses, rows, "diverged"
        losses.append(now)
        found = None
        if step in chosen:
            found = tracker.evaluate()
            rows.append({"step": step, **_look(watcher, found)})
        if step < steps:
            descent_step(watcher, eta, None if found is None else found.gradient)
        if report is not None:
            report(1, f"loss {now.mean():.3g}")
    return losses, rows, "completed"


@typed
def descent_step(watcher: Watcher, eta: float, gradient: Tensor | None = None) -> None:
    """One full-batch step, theta <- theta - eta g."""
    if gradient is None:
        gradient = watcher.objective.gradient()[1]
    with torch.no_grad():
        for parameter, piece in zip(
            watcher.objective.params, unflatten(gradient, watcher.objective.params), strict=True
        ):
            parameter -= eta * piece


def _look(watcher: Watcher, found: Curvature) -> dict[str, NDArray]:
    """All samples along each top eigenvector, and along the mean gradient."""
    views = [watcher.along(vector) for vector in found.vectors]
    slope, curvature, response = (np.stack(parts) for parts in zip(*views, strict=True))
    square = float(found.gradient.double().square().sum())
    alignment = watcher.along(found.gradient)[0] / max(square, 1e-300)
    return {
        "slope": slope,
        "curvature": curvature,
        "response": response,
        "alignment": alignment,
        "eigenvalue": found.values.cpu().numpy(),
        "residual": found.residuals.cpu().numpy(),
    }


def _evidence(watcher: Watcher, losses: list[NDArray], rows: list[dict], attrs: dict) -> xr.Dataset:
    eta = attrs["step_size"]
    inputs = watcher.inputs if watcher.inputs.is_floating_point() else watcher.inputs * 0 + 1
    per_input = inputs.reshape(len(inputs), -1).double().norm(dim=1)
    per_sample = per_input.repeat_interleave(losses[0].size // len(per_input))
    dims = {
        "slope": ("checkpoint", "direction", "sample"),
        "curvature": ("checkpoint", "direction", "sample"),
        "response": ("checkpoint", "direction", "sample"),
        "alignment": ("checkpoint", "sample"),
        "eigenvalue": ("checkpoint", "direction"),
        "residual": ("checkpoint", "direction"),
    }
    content = {name: (axes, np.stack([row[name] for row in rows])) for name, axes in dims.items()}
    steps = np.array([row["step"] for row in rows])
    dataset = xr.Dataset(
        {
            **content,
            "loss": (("time", "sample"), np.stack(losses)),
            "label": ("sample", watcher.labels.reshape(-1).cpu().numpy()),
            "input_norm": ("sample", per_sample.cpu().numpy()),
        },
        coords={
            "time": ("time", eta * np.arange(len(losses))),
            "checkpoint": ("checkpoint", eta * steps),
            "checkpoint_step": ("checkpoint", steps),
        },
        attrs=attrs,
    )
    for name, (units, long_name) in ATTRIBUTES.items():
        dataset[name].attrs = {"units": units, "long_name": long_name}
    dataset["time"].attrs = {"units": "time", "long_name": "step size x step"}
    dataset["checkpoint"].attrs = {"units": "time", "long_name": "step size x step, where looked"}
    return dataset
