"""Evidence where samples meet: batch norm in training mode, against differences of losses."""

import numpy as np
import pytest
import torch
from torch import nn

from linmodel.errors import InvalidInput
from realnet.curvature.objective import flatten
from realnet.data.samples import Shape
from realnet.networks import build_network
from realnet.signals.evidence import Evidence
from realnet.signals.gradients import group_gradient
from realnet.signals.penultimate import penultimate
from realnet.signals.slopes import _over_chunks, _second, along, curvatures, slopes
from realnet.signals.study import observe
from realnet.signals.together import losses_now
from realnet.training.losses import sample_loss
from realnet.training.task import Task
from tests.tolerances import AUTOGRAD, SAMPLE_DIFFERENCES, SINGLE, SINGLE_RUN

COUNT = 30


def normed(net: str = "resnet8", dtype=torch.float64, **extra) -> Task:
    shape = Shape(3, 1, 8, 8)
    model = build_network(net, shape, width=16 if net == "vit" else 2, depth=2, **extra).to(dtype)
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(COUNT, 1, 8, 8, generator=generator, dtype=dtype)
    return Task(model, sample_loss("cross-entropy"), inputs, torch.arange(COUNT) % 3)


def direction(task: Task) -> torch.Tensor:
    found = torch.randn(
        task.whole.n, dtype=torch.float64, generator=torch.Generator().manual_seed(2)
    )
    return found / found.norm()


@pytest.mark.parametrize(
    ("net", "extra"),
    [("resnet8", {"norm": "batch"}), ("vgg", {"norm": "batch"}), ("vit", {}), ("cnn", {})],
)
def test_slopes_and_curvatures_are_differences_of_the_losses_in_the_batch(net, extra) -> None:
    task = normed(net, **extra)
    u, point, step = direction(task), flatten(task.whole.params), 1e-4
    moved = []
    for shift in (-step, 0.0, step):
        task.whole.write(point + shift * u)
        moved.append(losses_now(task))
    task.whole.write(point)
    low, here, high = moved
    found = along(task, u, float(curvatures(task, u).mean()))
    torch.testing.assert_close(
        found.slope, (high - low) / (2 * step), rtol=SAMPLE_DIFFERENCES, atol=SAMPLE_DIFFERENCES
    )
    torch.testing.assert_close(
        found.curvature,
        (high - 2 * here + low) / step**2,
        rtol=SAMPLE_DIFFERENCES,
        atol=SAMPLE_DIFFERENCES,
    )
    torch.testing.assert_close(found.curvature, curvatures(task, u), rtol=AUTOGRAD, atol=AUTOGRAD)
    torch.testing.assert_close(found.slope, slopes(task, u)[0], rtol=AUTOGRAD, atol=AUTOGRAD)


@pytest.mark.parametrize(("net", "extra"), [("cnn", {}), ("resnet8", {"norm": "batch"})])
def test_second_order_forward_mode_is_taken_where_it_holds_and_only_there(net, extra) -> None:
    task = normed(net, **extra)
    u = direction(task)
    exact = curvatures(task, u)
    forward = _over_chunks(task, u, _second).curvature
    assert torch.allclose(forward, exact, rtol=AUTOGRAD) == (net == "cnn")
    torch.testing.assert_close(
        along(task, u, float(exact.mean())).curvature, exact, rtol=AUTOGRAD, atol=AUTOGRAD
    )


def test_they_average_to_the_trained_losss_own_and_move_no_statistics() -> None:
    task = normed(norm="batch")
    u = direction(task)
    before = {name: value.clone() for name, value in task.model.named_buffers()}
    everybody = group_gradient(task, np.arange(COUNT))
    penultimate(task)
    for name, value in task.model.named_buffers():
        assert torch.equal(value, before[name])
    _, gradient = task.whole.begin()
    product = task.whole.products(u[None])[0]
    task.whole.end()
    found = along(task, u, float(product @ u))
    torch.testing.assert_close(found.slope.mean(), gradient @ u, rtol=AUTOGRAD, atol=AUTOGRAD)
    torch.testing.assert_close(found.curvature.mean(), product @ u, rtol=AUTOGRAD, atol=AUTOGRAD)
    torch.testing.assert_close(everybody, gradient, rtol=AUTOGRAD, atol=AUTOGRAD)


def test_a_run_with_batch_norm_is_searched_in_the_mode_that_is_trained() -> None:
    task = normed(norm="batch", dtype=torch.float32)
    model, loss, x, y = task.model, task.sample_loss, task.inputs, task.labels
    with torch.no_grad():
        start = loss(model(x), y)
    own = Evidence(loss, x, y, checkpoints=[0], directions=1)
    own.record(model, 0)
    run = observe(model, loss, x, y, step_size=0.1, steps=2, directions=1, checkpoints=[0, 2])
    found = run.dataset()
    np.testing.assert_allclose(found.loss[0], start, rtol=SINGLE)
    np.testing.assert_allclose(own.dataset().slope[0], found.slope[0], atol=SINGLE_RUN)
    assert found.loss[2].mean() < found.loss[0].mean()
    model.eval()
    held = Evidence(loss, x, y, checkpoints=[0], directions=1)
    held.record(model, 0)
    assert held.dataset().sizes["sample"] == COUNT


def test_what_cannot_be_defined_is_refused() -> None:
    task = normed(norm="batch", dtype=torch.float32)
    parted = Task(task.model, task.sample_loss, task.inputs, task.labels, chunk_size=10)
    with pytest.raises(InvalidInput, match="chunks with batch norm"):
        losses_now(parted)
    noisy = nn.Sequential(task.model, nn.Dropout())
    with pytest.raises(InvalidInput, match="dropout is on"):
        losses_now(Task(noisy, task.sample_loss, task.inputs, task.labels))


def test_penultimate_features_are_the_last_linear_layers_inputs_or_a_named_ones() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    x = torch.randn(COUNT, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    task = Task(model, sample_loss("mse"), x, torch.arange(COUNT) % 2)
    hidden = model[:3](x).detach().numpy()
    found = penultimate(task)
    assert found is not None and found.shape == (COUNT, 12) and not found[:, 3:].any()
    spanned = np.linalg.lstsq(found[:, :3], hidden - hidden.mean(0), rcond=None)[1]
    assert spanned.max() < SINGLE
    assert np.abs(penultimate(task, "1")).sum() != np.abs(found).sum()
    with pytest.raises(InvalidInput, match="layer"):
        penultimate(task, "head")
    assert (
        penultimate(Task(nn.Conv2d(1, 2, 2), lambda out, y: out.mean((1, 2, 3)), x, y_of())) is None
    )


def y_of() -> torch.Tensor:
    return torch.zeros(COUNT, dtype=torch.int64)
