"""Products by differences of gradients: equal to autograd's, off by no more than they say."""

import copy

import pytest
import torch
from torch import nn
from torch.autograd.function import once_differentiable

from linmodel import InvalidInput
from realnet.curvature.difference import STEPS, difference
from realnet.curvature.objective import Objective, flatten
from realnet.curvature.tracker import SharpnessTracker, top_eigenpairs
from tests.tolerances import GRADIENT_DIFFERENCE, GRADIENT_DIFFERENCE_DOUBLE, SHARPNESS

CLOSE = {torch.float32: GRADIENT_DIFFERENCE, torch.float64: GRADIENT_DIFFERENCE_DOUBLE}
cross_entropy = nn.functional.cross_entropy


def problem(dtype=torch.float32, act=nn.Tanh):
    torch.manual_seed(0)
    x, y = torch.randn(60, 8).to(dtype), torch.arange(60) % 3
    return nn.Sequential(nn.Linear(8, 12), act(), nn.Linear(12, 3)).to(dtype), x, y


def true(model, x, y):
    """The sharpness of the same numbers in float64, by autograd."""
    twin = copy.deepcopy(model).double()
    return top_eigenpairs(lambda: cross_entropy(twin(x.double()), y), twin).sharpness


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_differences_are_autograds_products(dtype):
    model, x, y = problem(dtype)
    exact = Objective(lambda: cross_entropy(model(x), y), model)
    other = Objective(lambda: cross_entropy(model(x), y), model, product="difference")
    row, before = exact.begin()[1], copy.deepcopy(model.state_dict())
    expected = exact.products(row[None])[0]
    found = other.products(row[None])[0]
    assert float((found - expected).norm() / expected.norm()) < CLOSE[dtype]
    assert difference(other, row).h == pytest.approx(
        STEPS[dtype] * float(flatten(model.parameters()).norm()), rel=1e-6
    )
    assert all(torch.equal(before[name], now) for name, now in model.state_dict().items())


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_whole_evaluation_is_autograds(dtype, k):
    model, x, y = problem(dtype)
    found, expected = (
        top_eigenpairs(lambda: cross_entropy(model(x), y), model, k=k, product=product)
        for product in ("difference", "autograd")
    )
    assert bool(found.converged.all()) and found.products == expected.products
    assert bool(((found.values - expected.values).abs() <= found.errors + expected.errors).all())
    assert float(found.doubt.max()) < CLOSE[dtype] * found.sharpness
    assert "differences of gradients at a step of" in str(found)
    assert "not verified by second derivatives" in str(found)
    assert expected.doubt is None and "differences" not in str(expected)


@pytest.mark.parametrize(("dtype", "enough"), [(torch.bfloat16, 0.1), (torch.float16, 0.02)])
def test_half_precision_says_how_far_off_it_may_be(dtype, enough):
    model, x, y = problem(dtype)

    def loss_fn():
        return cross_entropy(model(x).float(), y)

    found = top_eigenpairs(loss_fn, model, product="difference", tolerance=enough)
    assert found.values.dtype == torch.float64 and found.vectors.dtype == torch.float32
    assert abs(found.sharpness - true(model, x, y)) <= float(found.errors[0])
    assert model[0].weight.dtype == dtype
    with pytest.raises(InvalidInput, match=r"may put the eigenvalues off by .* tolerance is 0.001"):
        top_eigenpairs(loss_fn, model, product="difference")
    with pytest.raises(InvalidInput, match="product='difference'"):
        top_eigenpairs(loss_fn, model)


def test_a_compiled_model():
    """By aot_eager, which has no second derivative either and needs no C++ compiler."""
    model, x, y = problem()
    compiled = torch.compile(model, backend="aot_eager")
    found = top_eigenpairs(lambda: cross_entropy(compiled(x), y), compiled, product="difference")
    assert found.sharpness == pytest.approx(true(model, x, y), rel=SHARPNESS)


class Fused(torch.autograd.Function):
    """Cross-entropy with its gradient written by hand, once differentiable."""

    @staticmethod
    def forward(ctx, outputs, labels):
        ctx.save_for_backward(outputs, labels)
        return cross_entropy(outputs, labels)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        outputs, labels = ctx.saved_tensors
        hot = nn.functional.one_hot(labels, outputs.shape[1])
        return grad * (outputs.softmax(1) - hot) / len(labels), None


class Reversed(Fused):
    """The same with a wrong gradient."""

    @staticmethod
    def backward(ctx, grad):
        return -Fused.backward(ctx, grad)[0], None


def test_a_fused_loss_without_second_derivative_and_one_with_a_wrong_gradient():
    model, x, y = problem()
    found = top_eigenpairs(lambda: Fused.apply(model(x), y), model, product="difference")
    assert found.sharpness == pytest.approx(true(model, x, y), rel=SHARPNESS)
    with pytest.raises(InvalidInput, match="product='difference'"):
        top_eigenpairs(lambda: Fused.apply(model(x), y), model)
    with pytest.raises(InvalidInput, match="the gradient is not the loss's"):
        top_eigenpairs(lambda: Reversed.apply(model(x), y), model, product="difference")


def test_chunks_warm_starts_and_kernels_are_as_they_are():
    """The mean over chunks, followed through training; attention is not forced to be math."""
    model, x, y = problem()
    seen = []

    def loss_fn(inputs, labels):
        seen.append(torch.backends.cuda.flash_sdp_enabled())
        return cross_entropy(model(inputs), labels)

    chunks = list(zip(x.split(25), y.split(25), strict=True))
    tracker = SharpnessTracker(loss_fn, model, chunks=chunks, product="difference")
    optimizer = torch.optim.SGD(model.parameters(), 0.5)
    for _ in range(3):
        assert tracker.evaluate().sharpness == pytest.approx(true(model, x, y), rel=SHARPNESS)
        optimizer.zero_grad()
        cross_entropy(model(x), y).backward()
        optimizer.step()
    assert all(seen)
    with pytest.raises(InvalidInput, match="only the sharpness"):
        tracker.evaluate(["negative"])


def test_dropout_masks_are_the_same_in_both_gradients():
    model, x, y = problem()
    model.insert(2, nn.Dropout(0.3))
    options = {"training_mode": "consistent", "seed": 1}
    found, expected = (
        top_eigenpairs(lambda: cross_entropy(model(x), y), model, product=product, **options)
        for product in ("difference", "autograd")
    )
    assert found.sharpness == pytest.approx(expected.sharpness, rel=SHARPNESS)


def test_kinks_are_said_or_small():
    """A step that crosses kinks sees the gradient jump: the steps differ, and that is told."""
    model, x, y = problem(act=nn.ReLU)
    try:
        found = top_eigenpairs(lambda: cross_entropy(model(x), y), model, product="difference")
    except InvalidInput as error:
        assert "may put the eigenvalues off" in str(error)
    else:
        assert abs(found.sharpness - true(model, x, y)) <= float(found.errors[0])


def test_an_error_within_a_step_leaves_the_parameters():
    model, x, y = problem()
    before, calls = copy.deepcopy(model.state_dict()), []

    def loss_fn():
        calls.append(1)
        if len(calls) == 5:
            raise ArithmeticError("planted")
        return cross_entropy(model(x), y)

    with pytest.raises(ArithmeticError):
        top_eigenpairs(loss_fn, model, product="difference")
    assert all(torch.equal(before[name], now) for name, now in model.state_dict().items())
    with pytest.raises(InvalidInput, match="product"):
        top_eigenpairs(loss_fn, model, product="finite")


def test_attention_by_its_own_kernel():
    torch.manual_seed(0)
    model, x = nn.MultiheadAttention(8, 2, batch_first=True), torch.randn(4, 5, 8)
    found, expected = (
        top_eigenpairs(
            lambda: model(x, x, x, need_weights=False)[0].square().mean(), model, product=product
        )
        for product in ("difference", "autograd")
    )
    assert found.sharpness == pytest.approx(expected.sharpness, rel=SHARPNESS)
