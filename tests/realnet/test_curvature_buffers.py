"""Buffers of modules that the tracker was not given stay where they are, and a sentence says so."""

import copy
import functools

import pytest
import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap
from torch.nn.modules import module as torch_module

from linmodel import InvalidInput
from realnet import SharpnessTracker, layer_sharpness, sample_curvature, top_eigenpairs
from realnet.curvature.reachable import modules_named
from realnet.edges.gauss_newton import GaussNewton
from tests.tolerances import SHARPNESS

cross_entropy = nn.functional.cross_entropy


class Counting(nn.Module):
    """Puts another buffer in the place of its own at each call."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 3)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls = self.calls + 1
        return self.layer(x)


def problem(norm=True):
    """A network with batch norm, or without one; None: with a buffer that is exchanged."""
    torch.manual_seed(0)
    middle = nn.BatchNorm1d(5) if norm else nn.Identity()
    model = nn.Sequential(nn.Linear(6, 5), middle, nn.Tanh(), nn.Linear(5, 3))
    return (model if norm is not None else Counting()), torch.randn(20, 6), torch.arange(20) % 3


def lent(model, x, y):
    return lambda: cross_entropy(functional_call(model, dict(model.named_parameters()), (x,)), y)


def helped(model, x, y):
    def outputs():
        return model(x)

    return functools.partial(lambda give, y: cross_entropy(give(), y), outputs, y)


LOSSES = {
    "called": lambda model, x, y: lambda: cross_entropy(model(x), y),
    "lent": lent,
    "helped": helped,
}


@pytest.fixture(autouse=True)
def _no_hook_is_left():
    yield
    assert not torch_module._global_forward_pre_hooks and not torch_module._global_forward_hooks


def moves(act, *models):
    """The sentence of what is refused; nothing of the models has moved."""
    before = copy.deepcopy([model.state_dict() for model in models])
    with pytest.raises(InvalidInput, match="the loss moves the buffers") as error:
        act()
    for model, old in zip(models, before, strict=True):
        assert all(torch.equal(old[name], now) for name, now in model.state_dict().items())
    return str(error.value)


@pytest.mark.parametrize("product", ["autograd", "difference"])
@pytest.mark.parametrize(
    ("norm", "kind"),
    [(True, "called"), (True, "lent"), (True, "helped"), (None, "called"), (None, "helped")],
)
def test_of_a_list_of_parameters_moved_buffers_are_put_back_and_refused(norm, kind, product):
    model, x, y = problem(norm)
    loss_fn = LOSSES[kind](model, x, y)
    said = moves(lambda: top_eigenpairs(loss_fn, list(model.parameters()), product=product), model)
    assert ("BatchNorm1d.running_mean" in said) if norm else ("Counting.calls" in said)


def test_in_evaluation_mode_lists_and_modules_agree():
    model, x, y = problem()
    model.eval()
    whole = top_eigenpairs(LOSSES["called"](model, x, y), model).sharpness
    for loss in LOSSES.values():
        assert top_eigenpairs(loss(model, x, y), list(model.parameters())).sharpness == whole


@pytest.mark.parametrize("mode", ["refuse", "consistent"])
def test_a_teacher_in_training_mode_is_seen_beside_the_module_given(mode):
    model, x, y = problem(norm=False)
    teacher = problem()[0]

    def loss_fn():
        return (model(x) - teacher(x).detach()).square().mean() + cross_entropy(model(x), y)

    moves(lambda: top_eigenpairs(loss_fn, model, training_mode=mode), model, teacher)
    teacher.eval()
    top_eigenpairs(loss_fn, model, training_mode=mode)


def test_parts_and_gauss_newton_move_nothing_either():
    model, x, y = problem()
    loss_fn = LOSSES["called"](model, x, y)
    moves(lambda: layer_sharpness(loss_fn, model), model)
    v = torch.ones(sum(p.numel() for p in model.parameters()))
    moves(lambda: sample_curvature(lambda: model(x)[:, 0], model, v), model)
    before = copy.deepcopy(model.state_dict())
    asked = GaussNewton(lambda: model(x), lambda f: cross_entropy(f, y))
    with pytest.raises(InvalidInput, match="in training mode"):
        SharpnessTracker(loss_fn, model).evaluate(asked)
    assert all(torch.equal(before[name], now) for name, now in model.state_dict().items())


def test_an_error_of_the_loss_puts_them_back_too():
    model, x, _ = problem()
    before = copy.deepcopy(model.state_dict())

    def loss_fn():
        model(x)
        raise ArithmeticError("planted")

    with pytest.raises(ArithmeticError, match="planted"):
        top_eigenpairs(loss_fn, list(model.parameters()))
    assert all(torch.equal(before[name], now) for name, now in model.state_dict().items())


def test_models_side_by_side_under_vmap_are_taken():
    models = [problem()[0].eval() for _ in range(2)]
    x, y = problem()[1:]
    params, buffers = stack_module_state(models)
    base = copy.deepcopy(models[0]).to("meta")
    params = {name: p.detach().requires_grad_() for name, p in params.items()}

    def loss_fn():
        found = vmap(lambda p, b: functional_call(base, (p, b), (x,)))(params, buffers)
        return cross_entropy(found.flatten(0, 1), y.repeat(2))

    one = top_eigenpairs(LOSSES["called"](models[0], x, y), models[0]).sharpness
    assert top_eigenpairs(loss_fn, params).sharpness == pytest.approx(one / 2, rel=SHARPNESS)


def test_a_compiled_model_is_compiled_once_and_its_buffers_are_seen():
    model, x, y = problem()
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    compiled = torch.compile(model.eval(), backend="eager")  # which has second derivatives
    loss_fn, params = LOSSES["called"](compiled, x, y), list(model.parameters())
    for product in ("autograd", "difference"):
        top_eigenpairs(loss_fn, params, product=product)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1
    model.train()
    for product in ("autograd", "difference"):
        moves(lambda product=product: top_eigenpairs(loss_fn, params, product=product), model)


class Task:
    def __init__(self, model):
        self.model, self.others = model, [nn.Identity()]

    def loss(self):
        return self.model

    def __call__(self):
        return self.model


def test_the_modules_that_a_function_names():
    model = problem()[0]
    task = Task(model)
    for function in (lambda: model, task.loss, task, functools.partial(len, model), model):
        assert model in list(modules_named(function))
    assert list(modules_named(len)) == []
