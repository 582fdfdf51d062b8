"""A point that moves much farther than usual is an abrupt change, whatever products show of it."""

import math

import pytest
import torch
from torch import nn

from linmodel import InvalidInput
from realnet import SharpnessTracker
from realnet.curvature import jump as jump_module
from realnet.curvature.jump import JUMP, SAMPLED, Jump
from tests.tolerances import SHARPNESS


def walked(jump, point, steps):
    """What `far` said before each of the steps along the first entry."""
    said = []
    for step in steps:
        with torch.no_grad():
            point[0] += step
        said.append(jump.far([point]))
        jump.learn([point])
    return said


def test_only_what_is_much_farther_than_the_last_distances_is_far():
    jump, point = Jump(), torch.zeros(7)
    assert walked(jump, point, [100, 1, 0, 1.5, 0.9 * JUMP, 1, 1, 1, 1.1 * JUMP]) == [
        False, False, False, False, False, False, False, False, True
    ]  # fmt: skip
    again = Jump()
    again.restore(jump.state())
    assert walked(again, point.clone(), [JUMP * 30]) == walked(jump, point, [JUMP * 30]) == [True]


def test_a_sample_of_large_tensors_tells_as_much():
    torch.manual_seed(0)
    tensors, jump = [torch.randn(300, 400), torch.randn(5)], Jump()
    for length, far in ((1, False), (1, False), (1, False), (0.7 * JUMP, False), (JUMP**2, True)):
        for tensor in tensors:
            tensor += length * torch.randn_like(tensor)
        assert jump.far(tensors) is far
        jump.learn(tensors)
    assert len(jump.state()["point"]) <= SAMPLED + len(tensors)


class Risen:
    """diag(values) + R (w_0 > 10) u u^T where w_i = 0 but for i = 0; u: see `hide`."""

    def __init__(self, n=200):
        self.w = nn.Parameter(torch.zeros(n, dtype=torch.float64))
        self.values = torch.linspace(0, 5, n, dtype=torch.float64)
        self.values[11] = self.values[10]
        self.u = torch.eye(n, dtype=torch.float64)[10]

    def hide(self, probe):
        """In the plane of two equal eigenvalues, from the probe: so from all that comes of it."""
        self.u[10], self.u[11] = probe[11], -probe[10]
        self.u /= self.u.norm()

    def risen(self):
        return 7.0 * torch.sigmoid(4 * (self.w[0] - 10))

    def loss(self):
        return 0.5 * (self.values @ self.w.square() + self.risen() * (self.u @ self.w).square())

    def top(self):
        matrix = self.values.diag() + self.risen().detach() * torch.outer(self.u, self.u)
        return float(torch.linalg.eigvalsh(matrix)[-1])


def moved(step, most=200):
    """A tracker after steps of 0.1 and then one of `step`, what it finds, and the truth."""
    case = Risen()
    tracker = SharpnessTracker(case.loss, [case.w])
    for each in (0.1, 0.1, 0.1, step):
        assert math.isnan(tracker.curvature().missed)
        case.hide(tracker.solver.probe[0])
        with torch.no_grad():
            case.w[0] += each
    tracker.max_products = most
    return tracker, tracker.curvature(), case.top()


def test_after_a_jump_a_top_that_nothing_shows_is_found():
    _, found, true = moved(25.0)
    assert true > 7 and float(found.values[0]) == pytest.approx(true, rel=SHARPNESS)
    assert found.missed <= 1e-3 and bool(found.converged.all())
    assert not bool(moved(25.0, most=26)[1].converged.any())
    _, usual, true = moved(0.1)
    assert math.isnan(usual.missed)
    assert float(usual.values[0]) == pytest.approx(true, rel=SHARPNESS)


def test_without_the_distance_it_is_missed(monkeypatch):
    """So the test above is about the distance."""
    monkeypatch.setattr(jump_module, "JUMP", math.inf)
    _, found, true = moved(25.0)
    assert bool(found.converged.all()) and float(found.values[0]) < 0.8 * true


def test_the_state_tells_how_far_is_far():
    tracker, _, _ = moved(0.1)
    state = tracker.state()
    other = SharpnessTracker(tracker.watched.loss_fn, tracker.objective.params)
    other.restore(state)
    assert torch.equal(other.jump.state()["recent"], tracker.jump.state()["recent"])
    del state["jump_recent"]
    with pytest.raises(InvalidInput, match="one without 'jump_recent'"):
        other.restore(state)


@pytest.mark.parametrize(
    "torn",
    [{"jump_recent": "far"}, {"jump_point": None}, {"jump_recent": torch.tensor([math.nan])}],
)
def test_a_torn_state_is_refused_and_nothing_is_taken_up(torn):
    tracker, _, _ = moved(0.1)
    other = SharpnessTracker(tracker.watched.loss_fn, tracker.objective.params)
    with pytest.raises(InvalidInput, match="cannot be read"):
        other.restore(tracker.state() | torn)
    assert other.solver.probe is None and len(other.jump.state()["point"]) == 0
