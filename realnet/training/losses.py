"""Losses by name: cross-entropy (with label smoothing), MSE, StableMax; per sample."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from linmodel.errors import refuse

SampleLoss = Callable[[Tensor, Tensor], Tensor]

DEFINITIONS = {
    "cross-entropy": "mean over samples of -sum_c q_c log softmax(f)_c, q = (1-s) onehot + s/C",
    "mse": "1/(2N) sum_i ||f(x_i) - q_i||^2, q = (1-s) onehot + s/C",
    "stablemax": "mean over samples of -log(s(f_y) / sum_c s(f_c))",
}


def smoothed_targets(labels: Tensor, like: Tensor, smoothing: float) -> Tensor:
    """(1 - s) onehot + s / C, shape of `like` (N, C)."""
    target = torch.full_like(like, smoothing / like.shape[-1])
    return target.scatter_add_(
        -1, labels.unsqueeze(-1), torch.full_like(like[..., :1], 1.0 - smoothing)
    )


def sample_loss(name: str, label_smoothing: float = 0.0) -> SampleLoss:
    """(outputs, labels) -> losses of single samples, shape (N,); for text (N, T), one per token.

    MSE carries the factor 1/2 and sums over the classes; `label_smoothing` s applies to it and to
    cross-entropy.
    """
    if name == "cross-entropy":

        def cross_entropy(outputs: Tensor, labels: Tensor) -> Tensor:
            flat = outputs.reshape(-1, outputs.shape[-1])
            losses = functional.cross_entropy(
                flat, labels.reshape(-1), reduction="none", label_smoothing=label_smoothing
            )
            return losses.reshape(labels.shape)

        return cross_entropy
    if name == "mse":

        def mse(outputs: Tensor, labels: Tensor) -> Tensor:
            target = smoothed_targets(labels, outputs.detach(), label_smoothing)
            return 0.5 * (outputs - target).square().sum(-1)

        return mse
    if name == "stablemax":
        return stablemax_loss
    refuse("loss", name, "one of " + ", ".join(DEFINITIONS))


def stablemax_loss(outputs: Tensor, labels: Tensor) -> Tensor:
    """Losses -log(s(f_y) / sum_c s(f_c)) of single samples, (N,), or (N, T) for text.

    s(x) = x + 1 for x >= 0, 1 / (1 - x) below (Prieto et al. 2025): it grows like x and not like
    e^x, so that no difference of logits is lost in rounding. Computed as log s(f_y) - log sum,
    finite for all f.
    """
    log_s = torch.where(
        outputs >= 0, outputs.clamp_min(0).log1p(), -(-outputs.clamp_max(0)).log1p()
    )
    chosen = log_s.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    return log_s.logsumexp(-1) - chosen


def correct(outputs: Tensor, labels: Tensor) -> Tensor:
    """Number of samples (tokens) whose largest output is the label's."""
    return (outputs.argmax(-1) == labels).sum()
