import torch
from torch import nn

from realnet.observers.collapse import Collapse, zero_losses
from realnet.training.losses import sample_loss
from realnet.training.observing import Moment
from realnet.training.task import Task
from tests.tolerances import SAME_STEPS


def task_of(lead, loss="cross-entropy"):
    """Two samples, outputs = weights x one-hot: the label's output leads by `lead`, and by 1."""
    model = nn.Linear(2, 2, bias=False)
    inputs = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[lead, 0.0], [0.0, 1.0]]))
    return Task(model, sample_loss(loss), inputs, torch.tensor([0, 1]))


def test_a_lead_of_twenty_is_lost_in_float32_and_not_in_float64():
    assert zero_losses(task_of(10.0)) == (0.0, 0.0)
    assert zero_losses(task_of(20.0)) == (0.5, 0.0)
    assert zero_losses(task_of(50.0)) == (0.5, 0.5)
    assert zero_losses(task_of(50.0, "stablemax")) == (0.0, 0.0)


def test_descent_that_scales_the_weights_has_cosine_one():
    task = task_of(1.0)
    point = task.model.weight.detach().reshape(-1)

    class Seen:
        gradient = -3 * point

    watch = Collapse()
    watch.before(Moment(task, 0, 0.0, 0.1, point, curvature=Seen()))
    watch.before(Moment(task, 1, 0.1, 0.1, point))
    assert abs(watch.rows["naive_cosine"][0] - 1) < SAME_STEPS
    assert len(watch.rows["zero_loss"]) == 1
