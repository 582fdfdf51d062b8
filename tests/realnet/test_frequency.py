import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

from realnet.experiments.kit.own_edge import own_edge
from realnet.observers.frequency import CLASSES, Frequency, frequency_classes
from realnet.training.losses import sample_loss
from realnet.training.observing import Moment
from realnet.training.task import Task


def test_a_label_goes_whole_into_the_quarter_where_its_middle_falls():
    labels = np.repeat([7, 1, 2, 3, 4], [4, 2, 1, 1, 0])
    assert frequency_classes(labels).tolist() == [1] * 4 + [2] * 2 + [3] * 2
    one = np.arange(8)  # all alike: in the order of the labels, two a quarter
    assert frequency_classes(one).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert set(frequency_classes(np.zeros(5, dtype=int))) == {CLASSES // 2}


def test_quarters_have_their_own_mean_losses():
    model = nn.Linear(8, 8, bias=False)
    inputs, labels = torch.eye(8), torch.arange(8)
    task = Task(model, sample_loss("cross-entropy"), inputs, labels)
    watch = Frequency()
    watch.before(Moment(task, 0, 0.0, 0.1, torch.zeros(1), curvature=object()))
    watch.before(Moment(task, 1, 0.1, 0.1, torch.zeros(1)))
    losses = task.losses().double().numpy()
    assert watch.rows["loss_by_frequency"] == [pytest.approx(losses.reshape(4, 2).mean(1))]


def curves(**values):
    return xr.Dataset(
        {name: ("time", np.array(own)) for name, own in values.items()},
        {"time": [0.0, 1.0, 2.0, 3.0]},
    )


def test_the_edge_is_the_optimisers_own():
    plain = {"sharpness": [9.0, 9, 2, 4], "threshold": [1.0, 1, 2, 2]}
    assert own_edge(curves(**plain)) == 1.5
    batch = plain | {"batch_sharpness": [0.0, 0, 1, 2]}
    assert own_edge(curves(**batch)) == 0.75
    nan = float("nan")
    adam = {"threshold": [nan] * 4, "preconditioned_sharpness": [nan, 1, 3, nan]}
    assert own_edge(curves(sharpness=[1.0] * 4, preconditioned_threshold=[2.0] * 4, **adam)) == 1.5
    assert np.isnan(own_edge(curves(sharpness=[1.0] * 4, threshold=[nan] * 4)))
