"""Each threshold against torch's own optimiser on the quadratic that it is for."""

import math

import pytest
import torch

from linmodel import InvalidInput, thresholds
from linmodel.edges import edge
from linmodel.network.optimisers import (
    Adam,
    GradientDescent,
    HeavyBall,
    Nesterov,
    PlainSharpnessAware,
)
from realnet.edges.stepping import read
from tests.tolerances import ALGEBRA

ETA, NEAR = 0.1, 0.02  # this far on either side of a threshold the step must shrink and grow


def growth(make, curvature, steps=200):
    """|x| late over |x| early, of an optimiser on curvature x^2 / 2."""
    point = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
    optimiser, sizes = make([point]), []
    for _ in range(steps):
        point.grad = curvature * point.detach()
        optimiser.step()
        sizes.append(abs(float(point.detach())))
    return max(sizes[-20:]) / max(sizes[steps // 2 : steps // 2 + 20])


def of(make):
    """The threshold that is read from the optimiser itself."""
    (rule,) = read(make([torch.nn.Parameter(torch.ones(1))])).rules
    return rule.threshold


OPTIMISERS = {
    "descent": (lambda p: torch.optim.SGD(p, ETA), 2 / ETA),
    "heavy ball": (lambda p: torch.optim.SGD(p, ETA, momentum=0.8), 3.6 / ETA),
    "dampened": (lambda p: torch.optim.SGD(p, ETA, momentum=0.5, dampening=0.5), 6 / ETA),
    "nesterov": (
        lambda p: torch.optim.SGD(p, ETA, momentum=0.8, nesterov=True),
        3.6 / 2.6 / ETA,
    ),
    "decayed": (lambda p: torch.optim.SGD(p, ETA, momentum=0.8, weight_decay=3.0), 3.6 / ETA - 3),
}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_the_threshold_parts_shrinking_from_growing(name):
    make, expected = OPTIMISERS[name]
    assert of(make) == pytest.approx(expected, rel=ALGEBRA)
    assert growth(make, expected * (1 - NEAR)) < 1 < growth(make, expected * (1 + NEAR))


def test_adams_own_steps_with_a_frozen_preconditioner():
    assert thresholds.adam(ETA, 0.9) == pytest.approx(38 / ETA, rel=ALGEBRA)
    level = thresholds.decoupled_decay(thresholds.adam(ETA, 0.9), ETA, 2.0)
    for factor, grows in ((1 - NEAR, False), (1 + NEAR, True)):
        x, mean, sizes = 1.0, 0.0, []
        for _ in range(1000):
            mean = 0.9 * mean + 0.1 * factor * level * x
            x = x * (1 - ETA * 2.0) - ETA * mean
            sizes.append(abs(x))
        assert (max(sizes[-20:]) > max(sizes[500:520])) == grows


def test_sams_edge_parts_shrinking_from_growing(rho=0.3):
    level = thresholds.sam(2 / ETA, rho)
    assert level == pytest.approx((math.sqrt(1 + 8 * rho / ETA) - 1) / (2 * rho), rel=ALGEBRA)
    for factor, grows in ((1 - NEAR, False), (1 + NEAR, True)):
        curvature = factor * level
        after = 1.0 - ETA * curvature * (1.0 + rho * curvature)  # one step from x = 1
        assert (abs(after) > 1) == grows


def test_small_rho_is_descent():
    assert thresholds.sam(20.0, 0.0) == 20.0


@pytest.mark.parametrize(
    "call",
    [
        lambda: thresholds.descent(0.0),
        lambda: thresholds.heavy_ball(0.1, 1.0),
        lambda: thresholds.heavy_ball(0.1, 0.5, 1.0),
        lambda: thresholds.sam(20.0, -1.0),
        lambda: thresholds.nesterov(float("nan"), 0.5),
    ],
)
def test_what_has_no_threshold_is_refused(call):
    with pytest.raises(InvalidInput, match="allowed"):
        call()


def test_they_are_the_models_own():
    """linmodel's edges, which the ledger proves (G9, G10)."""
    for optimiser, level in (
        (GradientDescent(ETA), thresholds.descent(ETA)),
        (HeavyBall(ETA, momentum=0.7), thresholds.heavy_ball(ETA, 0.7)),
        (Nesterov(ETA, momentum=0.7), thresholds.nesterov(ETA, 0.7)),
        (Adam(ETA, beta1=0.9), thresholds.adam(ETA, 0.9)),
        (PlainSharpnessAware(ETA, radius=0.3), thresholds.sam(2 / ETA, 0.3)),
    ):
        assert edge(optimiser) == pytest.approx(level, rel=ALGEBRA)


KNOWN = {"Adagrad", "Adam", "AdamW", "RMSprop", "SGD"}


@pytest.mark.parametrize(
    "name", sorted({n for n in dir(torch.optim) if n[0].isupper()} - {"Optimizer"})
)
def test_every_optimiser_of_torch_has_its_edge_or_is_refused_in_one_sentence(name):
    optimiser = getattr(torch.optim, name)([torch.nn.Parameter(torch.ones(2, 2))], lr=ETA)
    if name in KNOWN:
        assert read(optimiser).threshold() > 0
        return
    with pytest.raises(InvalidInput, match=f"optimizer is '{name}'") as error:
        read(optimiser)
    assert "\n" not in str(error.value)


def test_a_renamed_subclass_is_read_as_its_parent():
    class Mine(torch.optim.NAdam):
        pass

    with pytest.raises(InvalidInput, match="optimizer is 'Mine'"):
        read(Mine([torch.nn.Parameter(torch.ones(2))], lr=ETA))


def test_an_optimiser_that_is_not_torchs_is_read_with_a_word():
    class Foreign(torch.optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {"lr": ETA, "betas": (0.9, 0.999), "eps": 1e-8})

    point = torch.nn.Parameter(torch.ones(2))
    foreign = Foreign([point])
    foreign.state[point]["exp_avg_sq"] = torch.ones(2)
    assert "Foreign is not torch's" in read(foreign).said()
    assert read(torch.optim.AdamW([point], lr=ETA)).said() == ""
