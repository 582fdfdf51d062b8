"""Mistakes that users make with chunks, losses, names and optimisers' states: a sentence each."""

import math

import pytest
import torch
from torch import nn

from linmodel import InvalidInput
from realnet.curvature.tracker import SharpnessTracker
from realnet.edges.batch import BatchSharpness, GradientNoise
from realnet.edges.directional import AlongGroup
from realnet.edges.gauss_newton import GaussNewton
from realnet.edges.hessian import LargestMagnitude, MostNegative
from tests.realnet.test_curvature import dense_hessian
from tests.realnet.test_edges import Case, refused
from tests.tolerances import SHARPNESS

cross_entropy = nn.functional.cross_entropy


def test_a_function_of_other_arguments_than_a_chunk_holds():
    case = Case()
    given = {"chunks": (case.x, case.y)}  # two chunks of one tensor each
    refused(r"loss_fn\(x, y\) is", SharpnessTracker(case.loss_fn, case.model, **given).evaluate)
    refused(r"chunks=\[\(x, y\)\]", SharpnessTracker(case.loss_fn, case.model).evaluate)
    refused(r"loss_fn\(x, y\) is", lambda: case.evaluate(AlongGroup(case.x)))
    refused("outputs.* is", lambda: case.evaluate(GaussNewton(case.model, cross_entropy)))
    with pytest.raises(TypeError, match="one of the loss's own"):
        SharpnessTracker(lambda: _raise(TypeError("one of the loss's own")), case.model).evaluate()


def _raise(error):
    raise error


def test_what_gauss_newton_cannot_be_of():
    case = Case()

    def of(outputs, loss):
        return lambda: case.evaluate(GaussNewton(outputs, loss))

    def loss(f, _x, y):
        return cross_entropy(f, y)

    refused("result of outputs", of(lambda x, y: (case.model(x), y), loss))
    refused("not detached", of(lambda x, _y: case.model(x).detach(), loss))
    own = lambda _f, x, y: case.loss_fn(x, y)  # noqa: E731
    refused("of no share", of(lambda x, _y: case.model(x), own))


@pytest.mark.parametrize("second", [torch.ones(3), "3", 0])
def test_a_second_result_that_is_no_count(second):
    case = Case()
    tracker = SharpnessTracker(lambda: (case.loss_fn(case.x, case.y), second), case.model)
    if second == "3":
        assert tracker.evaluate().loss > 0
    else:
        refused("count that loss_fn returns", tracker.evaluate)


def test_a_network_or_state_that_has_become_nan():
    case = Case(lambda p: torch.optim.SGD(p, 0.1, momentum=0.9))
    next(iter(case.optimizer.state.values()))["momentum_buffer"].fill_(math.nan)
    for which in ("critical", "update"):
        refused("next update is not finite", lambda which=which: case.evaluate(which))
    next(case.model.parameters()).data.fill_(math.nan)
    for which in ("critical", AlongGroup((case.x, case.y))):
        refused("not finite", lambda which=which: case.evaluate(which))


@pytest.mark.parametrize("label", ["sharpness_threshold", "sharpness_1", "critical_converged"])
def test_a_group_cannot_take_the_column_of_another_quantity(label):
    case = Case()
    refused("no column", lambda: case.evaluate(AlongGroup((case.x, case.y), label)))
    assert case.evaluate(AlongGroup((case.x, case.y), "digit_1"))["digit_1"].value


def test_time_steps_are_not_drawn_for_samples():
    layer, x, y = nn.GRU(3, 2), torch.ones(5, 8, 3), torch.zeros(8, 2)
    tracker = SharpnessTracker(
        lambda x, y: (layer(x)[0][-1] - y).square().mean(), layer, chunks=[(x, y)]
    )
    refused("samples first", lambda: tracker.evaluate(BatchSharpness(batch_size=2, draws=2)))


def test_gradient_noise_is_of_batches_drawn_around_the_gradient():
    case = Case()

    def total(x, y):
        return cross_entropy(case.model(x), y, reduction="sum")

    tracker = SharpnessTracker(total, case.model, chunks=[(case.x, case.y)])
    noise = GradientNoise(batch_size=10, draws=30)
    refused("Let the loss be a mean", lambda: tracker.evaluate(noise))


def test_counted_losses_of_chunks_of_other_shapes():
    """Sentences of other lengths, with tokens that do not count; and the Gauss-Newton part."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(5, 3), nn.Tanh(), nn.Linear(3, 5)).double()
    chunks = []
    for samples, tokens in ((3, 4), (2, 6), (1, 5)):
        y = torch.randint(0, 5, (samples, tokens)).masked_fill(
            torch.rand(samples, tokens) < 0.3, -1
        )
        chunks.append((torch.randint(0, 5, (samples, tokens)), y))

    def counted(f, _x, y):
        loss = cross_entropy(f.flatten(0, 1), y.flatten(), ignore_index=-1, reduction="sum")
        return loss, (y != -1).sum()

    def of(x, y):
        return counted(model(x), x, y)

    def whole():
        sums, counts = zip(*(of(*chunk) for chunk in chunks), strict=True)
        return sum(sums) / sum(counts)

    tracker = SharpnessTracker(of, model, chunks=chunks)
    found = tracker.evaluate(["sharpness", GaussNewton(lambda x, _y: model(x), counted)])
    top = float(torch.linalg.eigvalsh(dense_hessian(whole, model.parameters()))[-1])
    assert found["sharpness"].value == pytest.approx(top, rel=SHARPNESS)
    joint = (
        torch.cat([x.flatten() for x, _ in chunks]),
        torch.cat([y.flatten() for _, y in chunks]),
    )
    mean = GaussNewton(
        lambda x, _y: model(x), lambda f, _x, y: cross_entropy(f, y, ignore_index=-1)
    )
    one = SharpnessTracker(
        lambda x, y: cross_entropy(model(x), y, ignore_index=-1), model, chunks=[joint]
    )
    same = one.evaluate(mean)["gauss_newton"].value
    assert found["gauss_newton"].value == pytest.approx(same, rel=SHARPNESS)
    draws = BatchSharpness(batch_size=2, draws=2)
    refused("pass batches=", lambda: tracker.evaluate(draws))


def test_parameters_of_inference_mode():
    with torch.inference_mode():
        weight = nn.Parameter(torch.ones(2))
    refused("inference_mode", lambda: SharpnessTracker(lambda: weight.square().sum(), weight))


def test_what_an_evaluation_has_checked_is_not_checked_again():
    case = Case()
    case.tracker.evaluate()
    found = case.evaluate("update")
    assert found.products == 1


def test_the_largest_in_absolute_value_is_not_left_to_a_crowd():
    """10 stands alone and is found at once; -10.02 crowds with a hundred others."""
    generator, n = torch.Generator().manual_seed(59), 200
    q, _ = torch.linalg.qr(torch.randn(n, n, generator=generator).double())
    rises = torch.linspace(0, 1, n // 2).double()
    values = torch.cat([rises, -9.9 * rises**0.05])
    values[n // 2 - 1], values[-1] = 10.0, -10.02
    w = torch.randn(n, generator=generator).double().requires_grad_()
    hessian = q @ torch.diag(values) @ q.T
    for most in (26, 34):
        tracker = SharpnessTracker(lambda: w @ hessian @ w / 2, w, max_products=most, seed=59)
        found = tracker.evaluate("magnitude")["magnitude"]
        assert not found.converged or found.value == pytest.approx(-10.02, rel=SHARPNESS)


@pytest.mark.parametrize("quantity", [MostNegative(k=6), LargestMagnitude(k=14)])
def test_a_memory_too_short_for_so_many_is_refused(quantity):
    """16 vectors are enough for one: four values came of six, or torch's own error."""
    weights = torch.nn.Parameter(torch.linspace(-1.0, 1.0, 30, dtype=torch.float64))
    tracker = SharpnessTracker(lambda: (weights**3).sum(), [weights], memory=16)
    least = 4 * quantity.k + 11
    with pytest.raises(InvalidInput, match=f"memory is 16; allowed: at least .* = {least} vectors"):
        tracker.evaluate([quantity])
    tracker = SharpnessTracker(lambda: (weights**3).sum(), [weights], memory=least)
    assert len(tracker.evaluate([quantity])[quantity.name].more["values"]) == quantity.k
