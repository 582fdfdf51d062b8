"""What is done to a gradient or a network beside the optimiser: weight decay, perpGrad, dropout."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

ACTIVATIONS = (nn.Tanh, nn.ReLU, nn.GELU, nn.ELU)


def perp_gradient(gradient: Tensor, weights: Tensor) -> Tensor:
    """g - (g.w / w.w) w: the gradient less its component along the weights; g where w = 0.

    perpGrad of Prieto et al. 2025, "Grokking at the Edge of Numerical Stability". Both of one
    shape; applied to the flat vector of all parameters. The step then cannot lower the loss by
    scaling the weights alone.
    """
    square = weights.square().sum()
    return gradient - (gradient * weights).sum() / square.clamp_min(1e-30) * weights


def drop_activations(model: nn.Module, share: float) -> None:
    """Drop a share of every activation's outputs where the model is in training mode.

    The model is put in evaluation mode, which is how its curvature is taken.
    """
    model.eval()
    for module in model.modules():
        if isinstance(module, ACTIVATIONS):
            module.register_forward_hook(
                lambda own, _, out: functional.dropout(out, share, own.training)
            )
