"""What a run measures at an evaluation: S11, S13, S14, S16 (see `NAMES`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from realnet.curvature.objective import Objective
from realnet.curvature.parts import sample_curvature
from realnet.curvature.tracker import Curvature, top_eigenpairs

if TYPE_CHECKING:
    from realnet.experiments.trial_run import TrialRun

NAMES = {
    "weight_norm": "norm of the parameters",
    "test_accuracy": "accuracy on held-out samples",
    "test_loss": "mean loss on held-out samples",
    "sketch": "random projection of the parameters",
    "block_sharpness": "top eigenvalue of the Hessian's block of one layer",
    "along_share": "(g.v)^2 / |g|^2: share of the gradient along the top eigenvector v",
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
    "curvature_top_members": "share of watched groups' samples among the 5% largest v^T H_i v",
    "change_mean": "mean over samples of the loss change in one step",
    "change_sd": "standard deviation over samples of the loss change in one step",
    "change_2sd": "fraction of samples beyond 2 standard deviations of the change",
    "change_3sd": "fraction beyond 3",
    "change_4sd": "fraction beyond 4",
    "change_1": "fraction of samples whose loss changes by 1 or more",
    "change_kurtosis": "excess kurtosis of the loss changes",
    "change_top_members": "share of watched groups' samples among the 1% largest |changes|",
    "tokens_up": "tokens whose loss rises most in the step (index in the flattened windows)",
    "tokens_down": "tokens whose loss falls most in the step",
    "sharpness_rest": "sharpness at this point without the 5% of largest v^T H_i v",
    "sharpness_fewer": "sharpness at this point without as many random samples",
}
# Evaluations between those that also take samples away.
SELDOM = 5
# Random directions that v is held against.
DIRECTIONS = 20
TOP_CURVATURE, TOP_CHANGE = 0.05, 0.01
# Tokens of the largest rise and fall that are kept for text.
TOKENS = 20


def names(name: str) -> str:
    """The long name of a row."""
    return NAMES.get(name, name)


class Probe:
    """One evaluation's measurements: `before` the step, and `after` it at the next point."""

    def __init__(self, run: TrialRun, found: Curvature) -> None:
        self.run, self.gradient = run, found.gradient.double()
        self.v, self.loss, self.point = found.vectors[0].double(), found.loss, run.point
        self.losses = run.losses(run.inputs, run.labels).flatten().double()
        self.members = _any(run.data.members, len(run.labels)).to(run.device)

    def before(self) -> dict[str, float]:
        """Gradient along v, imbalance of the groups along v, curvature of single samples."""
        row = {"along": float(self.gradient @ self.v)}
        curvature = self._curvature()
        count = max(1, round(TOP_CURVATURE * len(curvature)))
        top = curvature.topk(count).indices
        row["curvature_mean"] = float(curvature.mean())
        row["curvature_top"] = float(curvature[top].mean())
        if self.run.data.members and self.run.trial.train.data != "text":
            own = curvature[self.members]
            row["curvature_group"] = float(own.mean()) if len(own) else float("nan")
            row["curvature_top_members"] = float(self.members[top].double().mean())
        if len(self.run.watched) == 2:
            row |= self._imbalance()
        return row | self._without(top)

    def _without(self, top: Tensor) -> dict[str, float]:
        """Sharpness here without the samples `top`, and without as many random ones (S14)."""
        run = self.run
        if run.step % (SELDOM * run.config.every) or len(run.labels) != run.labels.numel():
            return {"sharpness_rest": float("nan"), "sharpness_fewer": float("nan")}
        generator = torch.Generator().manual_seed(run.step)
        other = torch.randperm(len(run.labels), generator=generator)[: len(top)].to(top)
        found = {}
        for name, left_out in (("sharpness_rest", top), ("sharpness_fewer", other)):
            keep = torch.ones(len(run.labels), dtype=torch.bool, device=top.device)
            keep[left_out] = False
            chunk = (run.inputs[keep], run.labels[keep])
            pairs = top_eigenpairs(
                run.whole.loss_fn, run.whole.params, chunks=[chunk], tolerance=1e-2
            )
            found[name] = pairs.sharpness
        return found

    def _curvature(self) -> Tensor:
        run = self.run
        mode = run.model.training
        run.model.eval()
        found = sample_curvature(
            lambda: run.sample_loss(run.model(run.inputs), run.labels).flatten(),
            run.whole.params,
            self.v,
        )
        run.model.train(mode)
        return found

    def _imbalance(self) -> dict[str, float]:
        first, second = (
            Objective(self.run._mean_loss, self.run.model, [part]).gradient()[1].double()
            for part in self.run.watched.values()
        )
        apart = first - second
        generator = torch.Generator().manual_seed(self.run.step)
        noise = torch.randn(DIRECTIONS, len(apart), generator=generator, dtype=torch.float64)
        noise = noise.to(apart) / noise.norm(dim=1, keepdim=True).to(apart)
        along = abs(float(self.v @ apart))
        return {
            "unbalance_cosine": along / float(apart.norm()),
            "unbalance_rank": float(((noise @ apart).abs() < along).double().mean()),
            "group_cosine": float(first @ second / (first.norm() * second.norm())),
        }

    def after(self, point: Tensor) -> dict[str, object]:
        """The step as its quadratic model saw it, and as it was; single samples' changes."""
        run = self.run
        step = point.double() - self.point.double()
        run.whole.write(self.point)
        run.whole.begin()
        curved = run.whole.products(step[None])[0].double()
        run.whole.end()
        run.whole.write(point)
        loss, gradient = run.whole.gradient()
        losses = run.losses(run.inputs, run.labels).flatten().double()
        row: dict[str, object] = {
            "predicted_change": float(self.gradient @ step + 0.5 * step @ curved),
            "actual_change": loss - self.loss,
            "along_next": float(gradient.double() @ self.v),
        }
        return row | self._changes(losses - self.losses)

    def _changes(self, change: Tensor) -> dict[str, object]:
        """Moments and tails of the change of single samples' losses (S16)."""
        sd = float(change.std(correction=0))
        scaled = (change - change.mean()) / max(sd, 1e-300)
        row: dict[str, object] = {
            f"change_{k}sd": float((scaled.abs() > k).double().mean()) for k in (2, 3, 4)
        }
        row |= {"change_mean": float(change.mean()), "change_sd": sd}
        row["change_1"] = float((change.abs() >= 1).double().mean())
        row["change_kurtosis"] = float(scaled.pow(4).mean()) - 3
        if len(change) == len(self.members):
            top = change.abs().topk(max(1, round(TOP_CHANGE * len(change)))).indices
            row["change_top_members"] = float(self.members[top].double().mean())
        if self.run.trial.train.data == "text":
            row["tokens_up"] = change.topk(TOKENS).indices.tolist()
            row["tokens_down"] = (-change).topk(TOKENS).indices.tolist()
        return row


def _any(members: dict, count: int) -> Tensor:
    chosen = torch.zeros(count, dtype=torch.bool)
    for mask in members.values():
        chosen |= torch.as_tensor(mask)
    return chosen
