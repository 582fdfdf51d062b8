"""S11, S13, S14, S16 at evaluations: gradient along v, quadratic model, single samples."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from realnet.config import TrainConfig
from realnet.curvature.parts import sample_curvature
from realnet.curvature.tracker import top_eigenpairs
from realnet.observers import takes_no_number
from realnet.signals.changes import DEFINITIONS, moments
from realnet.training.observing import Moment, Rows
from realnet.training.task import Task

# Evaluations between those that also take samples away.
SELDOM = 5
# Random directions that v is held against.
DIRECTIONS = 20
TOP_CURVATURE, TOP_CHANGE = 0.05, 0.01
# Tokens of the largest rise and fall that are kept for text.
TOKENS = 20


class Probe(Rows):
    """Measures before the step at each evaluation, and after it at the next point."""

    name = "probe"
    about: ClassVar[dict[str, str]] = {
        "along": "g.v before the step",
        "along_next": "g.v after the step, same v",
        "predicted_change": "local quadratic model's loss change over the step",
        "actual_change": "full-batch loss change over the step",
        "unbalance_cosine": "|cos(v, grad(L_0 - L_1))|, L_0 and L_1 the watched groups' losses",
        "unbalance_rank": "share of random directions that unbalance the groups less than v",
        "group_cosine": "cosine of the watched groups' gradients",
        "curvature_mean": "mean over samples of v^T H_i v",
        "curvature_group": "mean over watched groups' samples of v^T H_i v",
        "curvature_top": "mean of the 5% largest v^T H_i v",
        "curvature_top_members": "share of groups' samples among the 5% largest v^T H_i v",
        **DEFINITIONS,
        "change_top_members": "share of groups' samples among the 1% largest |changes|",
        "tokens_up": "tokens whose loss rises most in the step (index in the flattened windows)",
        "tokens_down": "tokens whose loss falls most in the step",
        "sharpness_rest": "sharpness at this point without the 5% of largest v^T H_i v",
        "sharpness_fewer": "sharpness at this point without as many random samples",
    }

    def __init__(self, every: int) -> None:
        super().__init__()
        self.every = every  # steps between evaluations
        self.begun: tuple[Moment, Tensor] | None = None

    def before(self, moment: Moment) -> None:
        """Gradient along v, imbalance of the groups along v, curvature of single samples."""
        self.begun = None
        found = moment.curvature
        if found is None:
            return
        task, v = moment.task, found.vectors[0].double()
        self.begun = moment, task.losses().double()
        row = {"along": float(found.gradient.double() @ v)}
        curvature = _curvature(task, v)
        count = max(1, round(TOP_CURVATURE * len(curvature)))
        top = curvature.topk(count).indices
        row["curvature_mean"] = float(curvature.mean())
        row["curvature_top"] = float(curvature[top].mean())
        if task.members and not task.is_text:
            members = _members(task, curvature.device)
            own = curvature[members]
            row["curvature_group"] = float(own.mean()) if len(own) else float("nan")
            row["curvature_top_members"] = float(members[top].double().mean())
        if len(task.watched) == 2:
            row |= _imbalance(task, v, moment.step)
        self.append(row | self._without(moment, top))

    def after(self, moment: Moment) -> None:
        """The step as its quadratic model saw it, and as it was; single samples' changes."""
        if self.begun is None:
            return
        (before, losses), task = self.begun, moment.task
        found, whole = before.curvature, task.whole
        assert found is not None
        gradient, v = found.gradient.double(), found.vectors[0].double()
        step = moment.point.double() - before.point.double()
        whole.write(before.point)
        whole.begin()
        curved = whole.products(step[None])[0].double()
        whole.end()
        whole.write(moment.point)
        loss, next_gradient = whole.gradient()
        self.append(
            {
                "predicted_change": float(gradient @ step + 0.5 * step @ curved),
                "actual_change": loss - found.loss,
                "along_next": float(next_gradient.double() @ v),
            }
        )
        self.append(_changes(task, task.losses().double() - losses))

    def _without(self, moment: Moment, top: Tensor) -> dict[str, float]:
        """Sharpness here without the samples `top`, and without as many random ones (S14)."""
        task = moment.task
        if moment.step % (SELDOM * self.every) or task.is_text:
            return {"sharpness_rest": float("nan"), "sharpness_fewer": float("nan")}
        generator = torch.Generator().manual_seed(moment.step)
        other = torch.randperm(len(task.labels), generator=generator)[: len(top)].to(top)
        found = {}
        for name, left_out in (("sharpness_rest", top), ("sharpness_fewer", other)):
            keep = torch.ones(len(task.labels), dtype=torch.bool, device=task.device)
            keep[left_out.to(task.device)] = False
            chunks = task.objective(task.inputs[keep], task.labels[keep]).chunks
            pairs = top_eigenpairs(task.mean_loss, task.whole.params, chunks=chunks, tolerance=1e-2)
            found[name] = pairs.sharpness
        return found


def _curvature(task: Task, v: Tensor) -> Tensor:
    """v^T H_i v of every sample (token), without noise."""
    mode = task.model.training
    task.model.eval()
    found = sample_curvature(task.flat_losses, task.whole.params, v, task.whole.chunks)
    task.model.train(mode)
    return found


def _members(task: Task, device: torch.device) -> Tensor:
    """Samples (N,) in any planted group."""
    return torch.stack(list(task.members.values())).any(dim=0).to(device)


def _imbalance(task: Task, v: Tensor, seed: int) -> dict[str, float]:
    parts = task.watched.values()
    first, second = (task.objective(*part).gradient()[1].double() for part in parts)
    apart = first - second
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(DIRECTIONS, len(apart), generator=generator, dtype=torch.float64)
    noise = noise.to(apart) / noise.norm(dim=1, keepdim=True).to(apart)
    along = abs(float(v @ apart))
    return {
        "unbalance_cosine": along / float(apart.norm()),
        "unbalance_rank": float(((noise @ apart).abs() < along).double().mean()),
        "group_cosine": float(first @ second / (first.norm() * second.norm())),
    }


def _changes(task: Task, change: Tensor) -> dict[str, object]:
    """Moments and tails of the change of single samples' losses (S16)."""
    found = moments(change.cpu().numpy())
    row: dict[str, object] = {name: float(value) for name, value in found.items()}
    if task.members and not task.is_text:
        top = change.abs().topk(max(1, round(TOP_CHANGE * len(change)))).indices
        row["change_top_members"] = float(_members(task, top.device)[top].double().mean())
    if task.is_text:
        row["tokens_up"] = change.topk(TOKENS).indices.tolist()
        row["tokens_down"] = (-change).topk(TOKENS).indices.tolist()
    return row


def make(number: int | None, config: TrainConfig) -> Probe:
    """Takes no number."""
    takes_no_number("probe", number)
    return Probe(config.every)
