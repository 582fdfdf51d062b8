from functools import partial

import numpy as np
import pytest
import scipy.integrate
import torch

from realnet.config import TrainConfig
from realnet.training.torch_steps import (
    advance,
    clipped,
    preconditioned_threshold,
    step_size,
    threshold,
)
from tests.tolerances import ALGEBRA, FLOW

CURVATURE = torch.tensor([4.0, 1.0, 0.1], dtype=torch.float64)


def gradient(point):
    return CURVATURE * point + torch.sin(point)


def walk(steps=20, **fields):
    config = TrainConfig(step_size=0.1, **fields)
    point, state = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64), {}
    state["sharpness"] = torch.tensor(5.0)
    for step in range(steps):
        eta = step_size(config, step)
        point = advance(config, state, point, gradient(point), gradient, eta)
    return point


def torch_walk(make, steps=20):
    """The naive twin: torch's own optimiser."""
    point = torch.nn.Parameter(torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64))
    optimiser = make([point])
    for _ in range(steps):
        point.grad = gradient(point.detach())
        optimiser.step()
    return point.detach()


@pytest.mark.parametrize(
    ("fields", "make"),
    [
        ({"optimiser": "gd"}, lambda p: torch.optim.SGD(p, 0.1)),
        ({"optimiser": "momentum"}, lambda p: torch.optim.SGD(p, 0.1, momentum=0.9)),
        (
            {"optimiser": "nesterov"},
            lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True),
        ),
        ({"optimiser": "adam"}, lambda p: torch.optim.Adam(p, 0.1)),
    ],
    ids=["gd", "momentum", "nesterov", "adam"],
)
def test_steps_are_those_of_torch(fields, make):
    torch.testing.assert_close(walk(**fields), torch_walk(make), rtol=ALGEBRA * 1e3, atol=0)


def test_sam_is_descent_with_the_gradient_uphill():
    point = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)
    for _ in range(20):
        g = gradient(point)
        point = point - 0.1 * gradient(point + 0.3 * g / g.norm())
    torch.testing.assert_close(walk(optimiser="sam", sam_radius=0.3), point, rtol=ALGEBRA, atol=0)


def test_flow_follows_the_differential_equation():
    exact = scipy.integrate.solve_ivp(
        lambda _, x: -gradient(torch.tensor(x)).numpy(),
        (0.0, 2.0),
        [1.0, -2.0, 3.0],
        rtol=FLOW / 1e2,
        atol=FLOW / 1e2,
    ).y[:, -1]
    coarse, fine = walk(optimiser="flow").numpy(), flow_of(steps=200, eta=0.01)
    error, smaller = np.abs(coarse - exact).max(), np.abs(fine - exact).max()
    assert smaller < FLOW and smaller < error / 1e3


def flow_of(steps, eta):
    config = TrainConfig(step_size=eta, optimiser="flow")
    point, state = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64), {}
    for _ in range(steps):
        point = advance(config, state, point, gradient(point), gradient, eta)
    return point.numpy()


def test_clipping_shortens_only_what_is_longer():
    long = torch.tensor([3.0, 4.0])
    torch.testing.assert_close(clipped(long, 1.0), long / 5)
    assert torch.equal(clipped(long, 10.0), long) and torch.equal(clipped(long, None), long)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"schedule": "constant"}, [1, 1, 1, 1]),
        ({"schedule": "linear-decay"}, [1, 0.75, 0.5, 0.25]),
        ({"schedule": "cosine"}, [1, 0.5 + 0.5**1.5, 0.5, 0.5 - 0.5**1.5]),
        ({"warmup": 2}, [0.5, 1, 1, 1]),
    ],
    ids=["constant", "linear", "cosine", "warmup"],
)
def test_schedules(fields, expected):
    config = TrainConfig(step_size=2.0, steps=4, **fields)
    found = [step_size(config, step) / 2.0 for step in range(4)]
    np.testing.assert_allclose(found, expected, rtol=ALGEBRA)


@pytest.mark.parametrize(
    ("fields", "sees"),
    [
        ({"optimiser": "gd", "weight_decay": 2.0}, 18.0),
        ({"optimiser": "momentum", "momentum": 0.5}, 30.0),
        ({"optimiser": "nesterov", "momentum": 0.5}, 15.0),
        ({"optimiser": "sam", "sam_radius": 0.5}, None),
    ],
)
def test_an_own_threshold_parts_shrinking_from_growing(fields, sees):
    config = TrainConfig(step_size=0.1, **fields)
    level = threshold(config, 0.1, 1.0)
    assert sees is None or level == pytest.approx(sees, rel=ALGEBRA)
    sizes = []
    for factor in (0.97, 1.03):
        bent = factor * level + config.weight_decay
        point, state = torch.ones(1, dtype=torch.float64), {}
        slope = partial(torch.mul, torch.tensor(bent, dtype=torch.float64))
        if config.optimiser == "sam":  # |gradient| = 1 at this point, as the threshold was asked
            point = point / bent
        start = point
        for _ in range(1 if config.optimiser == "sam" else 300):
            point = advance(config, state, point, slope(point), slope, 0.1)
        sizes.append(float(point.abs() / start.abs()))
    assert sizes[0] < 1 < sizes[1]


def test_adam_and_flow_have_no_threshold_of_the_sharpness_and_a_finished_schedule_an_infinite_one():
    adam = TrainConfig(step_size=0.1, optimiser="adam")
    assert np.isnan(threshold(adam, 0.1, 1.0))
    assert preconditioned_threshold(adam, 0.1) == pytest.approx(380)
    assert np.isnan(threshold(TrainConfig(optimiser="flow"), 0.1, 1.0))
    assert threshold(TrainConfig(), 0.0, 1.0) == np.inf
