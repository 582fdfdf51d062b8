"""The Hessian as an adaptive optimiser sees it: D^-1/2 H D^-1/2."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from linmodel import thresholds
from linmodel.errors import refuse
from realnet.edges.point import Point
from realnet.edges.preconditioner import diagonal
from realnet.edges.quantity import Measured
from realnet.edges.solving import bound, largest


@dataclass(frozen=True)
class Preconditioned:
    """The k largest eigenvalues of D^-1/2 (H + w I) D^-1/2, D of `preconditioner.diagonal`.

    w is a weight decay that is part of the gradient (coupled). Threshold: Adam, AdamW
    2 (1 + b1)/((1 - b1) eta), 38/eta at b1 = .9; RMSprop, Adagrad 2 (1 + m)/eta; SGD its own,
    then D is 1, or the ratio of step sizes where the groups' differ (G9).
    """

    k: int = 1
    name = "preconditioned"
    definition = "largest eigenvalue of D^-1/2 H D^-1/2, D the optimiser's diagonal preconditioner"
    unit = "1 / (step size x step)"
    source = "Cohen et al. 2022, arXiv 2207.14484"

    def measure(self, point: Point) -> Measured:
        """more: values (k,), vectors (k, n) of the symmetric form, preconditioner (n,)."""
        stepping, params = point.stepping, point.objective.params
        if len({(rule.factor, rule.coupled, rule.rho) for rule in stepping.rules}) > 1:
            refuse(
                "the groups' momenta or weight decays",
                "different ones",
                "the same in all groups: only step sizes may differ",
            )
        first = stepping.rules[0]
        if first.rho:
            refuse("optimizer", "SAM", "one without an ascent step: SAM sees more than H")
        scale = diagonal(stepping, params)
        if not bool((scale > 0).all()):
            refuse("the preconditioner", "zero or NaN in places", "numbers > 0", "Set eps.")
        root = scale.rsqrt()

        def products(rows: Tensor) -> Tensor:
            inner = rows * root
            return root * (point.products(inner) + first.coupled * inner)

        found = largest(point, self.name, products, self.k)
        eta = stepping.step_size
        level = first.factor / eta if eta else math.inf
        threshold = min(
            thresholds.decoupled_decay(level, eta, rule.decoupled * rule.step_size / eta)
            for rule in stepping.rules
        )
        more = {"values": found.values, "vectors": found.vectors, "preconditioner": scale}
        converged = bool(found.converged.all())
        missed = bound(found.missed)
        value = float(found.values[0])
        return Measured(value, threshold, converged=converged, missed=missed, more=more)
