"""Where an optimiser turns unstable at a minimum, in the curvature that it sees (G9, G10).

All are for the quadratic lambda x^2 / 2: below the threshold x shrinks, above it x oscillates and
grows. eta: step size; m: momentum; b1, b2: Adam's; w: weight decay. `linmodel.edges.edge` asks by
an optimiser of the model, `realnet.edges.stepping` by torch's.
"""

from __future__ import annotations

import math

from linmodel.errors import real, refuse


def descent(eta: float) -> float:
    """2/eta: gradient descent, x <- x - eta lambda x (G1, S3)."""
    return heavy_ball(eta, 0.0)


def heavy_ball(eta: float, momentum: float, dampening: float = 0.0) -> float:
    """2 (1 + m) / ((1 - d) eta): buffer <- m buffer + (1 - d) g, x <- x - eta buffer (G9).

    torch's SGD, where d is 0 unless set; d = m is the moving average of Adam (Cohen et al. 2022).
    """
    eta, momentum = _checked(eta, momentum)
    if not dampening < 1:
        refuse("dampening", dampening, "a number < 1")
    return 2 * (1 + momentum) / ((1 - dampening) * eta)


def nesterov(eta: float, momentum: float) -> float:
    """2 (1 + m) / ((1 + 2 m) eta): buffer <- m buffer + g, x <- x - eta (g + m buffer) (G9)."""
    eta, momentum = _checked(eta, momentum)
    return 2 * (1 + momentum) / ((1 + 2 * momentum) * eta)


def adam(eta: float, beta1: float) -> float:
    """2 (1 + b1) / ((1 - b1) eta), of the preconditioned Hessian: 38/eta at b1 = .9 (G9).

    Cohen et al. 2022 (arXiv 2207.14484): the preconditioner held still, a heavy ball whose gradient
    has the factor 1 - b1.
    """
    return heavy_ball(eta, beta1, dampening=beta1)


def coupled_decay(threshold: float, weight_decay: float) -> float:
    """T - w: the gradient has w x added, so the optimiser sees lambda + w."""
    return threshold - weight_decay


def decoupled_decay(threshold: float, eta: float, weight_decay: float) -> float:
    """T (1 - eta w / 2): x shrinks by 1 - eta w beside the step (AdamW)."""
    return threshold * (1 - 0.5 * eta * weight_decay)


def sam(threshold: float, rho: float) -> float:
    """(sqrt(1 + 4 rho T) - 1) / (2 rho): lambda (1 + rho lambda) = T, the optimiser's own (G10).

    T = 2/eta: (sqrt(1 + 8 rho/eta) - 1) / (2 rho) (Agarwala and Dauphin 2023). The ascent is
    rho x gradient; where it is rho x gradient / |gradient|, as in SAM, put rho / |gradient| (Long
    and Bartlett 2024).
    """
    threshold, rho = real("threshold", threshold, above=0.0), real("rho", rho, low=0.0)
    return 2 * threshold / (math.sqrt(1 + 4 * rho * threshold) + 1)


def small_batch(eta: float, momentum: float) -> float:
    """2 (1 - m) / eta: batch sharpness of small batches with momentum (arXiv 2604.14108)."""
    eta, momentum = _checked(eta, momentum)
    return 2 * (1 - momentum) / eta


def _checked(eta: float, momentum: float) -> tuple[float, float]:
    eta, momentum = real("step size", eta, above=0.0), real("momentum", momentum, low=0.0)
    if momentum >= 1:
        refuse("momentum", momentum, "a number in [0, 1)")
    return eta, momentum
