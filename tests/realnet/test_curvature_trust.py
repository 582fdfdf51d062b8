"""The tracker answers only what it knows: each case gave a wrong number or a raw error before."""

import copy
from collections.abc import Mapping

import pytest
import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.utils.checkpoint import checkpoint

from linmodel import InvalidInput
from realnet.curvature.tracker import SharpnessTracker, top_eigenpairs
from tests.realnet.test_curvature import dense_hessian
from tests.tolerances import SHARPNESS


def problem(act=nn.Tanh, dtype=torch.float32):
    torch.manual_seed(0)
    x = torch.randn(20, 6, dtype=dtype)
    model = nn.Sequential(nn.Linear(6, 5), act(), nn.Linear(5, 3)).to(dtype)
    return model, x, torch.arange(20) % 3


def ce(model, x, y):
    return lambda: nn.functional.cross_entropy(model(x), y)


def true(loss_fn, params):
    return float(torch.linalg.eigvalsh(dense_hessian(loss_fn, params))[-1])


def same(found, expected):
    assert found.sharpness == pytest.approx(expected, rel=SHARPNESS)


# 1. A loss that does not depend on all of the tracked tensors


def test_a_bare_tensor_is_one_parameter():
    w = torch.randn(3, requires_grad=True)
    same(SharpnessTracker(lambda: (w * w).sum(), w).evaluate(), 2.0)


def test_unused_tensors_are_named_and_refused():
    model, x, y = problem()
    spare = nn.Parameter(torch.ones(3))
    with pytest.raises(InvalidInput, match=r"1 of the 5 tensors: params\[4\]"):
        top_eigenpairs(ce(model, x, y), [*model.parameters(), spare])


@pytest.mark.parametrize("change", ["assign", "replace"])
def test_a_module_whose_tensors_are_exchanged_is_followed(change):
    model, x, y = problem()
    loss_fn = ce(model, x, y)
    tracker, listed = (SharpnessTracker(loss_fn, p) for p in (model, list(model.parameters())))
    for each in (tracker, listed):
        same(each.evaluate(), true(loss_fn, model.parameters()))
    if change == "assign":
        values = {name: 1.5 * value for name, value in model.state_dict().items()}
        model.load_state_dict(values, assign=True)
    else:
        model[2] = nn.Linear(5, 3)
    same(tracker.evaluate(), true(loss_fn, model.parameters()))
    with pytest.raises(InvalidInput, match="does not depend on"):
        listed.evaluate()


def test_a_deep_copied_tracker_whose_loss_is_of_the_first_model_is_refused():
    model, x, y = problem()
    with pytest.raises(InvalidInput, match="does not depend on 4 of the 4"):
        copy.deepcopy(SharpnessTracker(ce(model, x, y), model)).evaluate()


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpointing(reentrant):
    model, x, y = problem()

    def loss_fn():
        hidden = checkpoint(model[0], x.clone().requires_grad_(), use_reentrant=reentrant)
        return nn.functional.cross_entropy(model[2](model[1](hidden)), y)

    if reentrant:
        with pytest.raises(InvalidInput, match="use_reentrant=False"):
            top_eigenpairs(loss_fn, model)
    else:
        same(top_eigenpairs(loss_fn, model), true(ce(model, x, y), model.parameters()))


# 2. One tensor twice


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(6, 6), nn.Linear(6, 6)
        self.second.weight = self.first.weight

    def forward(self, x):
        return self.second(self.first(x).tanh())


def test_tied_tensors_count_once_however_they_are_given():
    torch.manual_seed(0)
    model, x = Tied(), torch.randn(20, 6)

    def loss_fn():
        return model(x).square().mean()

    expected = true(loss_fn, model.parameters())
    pairs = list(model.named_parameters(remove_duplicate=False))
    groups = [{"params": [model.first.weight, model.second.weight]}]
    groups += [{"params": [model.first.bias, model.second.bias]}]
    for params in (
        model,
        [p for _, p in pairs],
        iter(pairs),
        model.state_dict(keep_vars=True),
        model.state_dict(keep_vars=True).values(),
        groups,
    ):
        same(top_eigenpairs(loss_fn, params), expected)
    alias = nn.Parameter(model.first.weight.data)
    with pytest.raises(InvalidInput, match="share no memory"):
        top_eigenpairs(lambda: loss_fn() + alias.sum(), [*model.parameters(), alias])


# 3. What trains may change


def test_layers_frozen_and_unfrozen_later_are_followed():
    model, x, y = problem()
    model[0].requires_grad_(False)
    tracker = SharpnessTracker(ce(model, x, y), model, k=2)
    for frozen in (True, False, True):
        model[0].requires_grad_(not frozen)
        trains = [p for p in model.parameters() if p.requires_grad]
        same(tracker.evaluate(), true(ce(model, x, y), trains))
        assert tracker.evaluate().gradient.numel() == sum(p.numel() for p in trains)


# 4. Second-order terms that autograd drops, and gradients that are not the loss's


class Once(torch.autograd.Function):
    """Square, whose backward cannot be differentiated."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.square()

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        return 2 * grad * ctx.saved_tensors[0]


class Detached(Once):
    @staticmethod
    def backward(ctx, grad):
        return 2 * grad * ctx.saved_tensors[0].detach()


class Right(Once):
    @staticmethod
    def backward(ctx, grad):
        return 2 * grad * ctx.saved_tensors[0]


class Reversed(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return -grad


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("act", [nn.Tanh, nn.ReLU])
@pytest.mark.parametrize("operation", [Once, Detached])
def test_operations_that_drop_second_order_terms_are_refused(operation, act, dtype):
    model, x, _ = problem(act, dtype)
    with pytest.raises(InvalidInput, match=f"{operation.__name__}"):
        top_eigenpairs(lambda: operation.apply(model(x)).mean(), model)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_operation_of_ones_own_that_is_right_is_taken(dtype):
    model, x, _ = problem(dtype=dtype)
    expected = true(lambda: model(x).square().mean(), model.parameters())
    same(top_eigenpairs(lambda: Right.apply(model(x)).mean(), model), expected)


def test_a_reversed_gradient_is_refused():
    model, x, y = problem()
    with pytest.raises(InvalidInput, match="Reversed"):
        top_eigenpairs(
            lambda: nn.functional.cross_entropy(model[2](Reversed.apply(model[:2](x))), y), model
        )


@pytest.mark.parametrize("place", ["weight", "bias", "hidden"])
def test_hooks_that_change_gradients_are_refused(place):
    model, x, y = problem()

    def loss_fn():
        hidden = model[1](model[0](x))
        if place == "hidden":
            hidden.register_hook(lambda g: 0.1 * g)
        return nn.functional.cross_entropy(model[2](hidden), y)

    if place != "hidden":
        getattr(model[0], place).register_hook(lambda g: 0.1 * g)
    with pytest.raises(InvalidInput, match=r"hook|gradient is not the loss's"):
        top_eigenpairs(loss_fn, model)


def test_hooks_that_only_look_are_let_pass(act=nn.ReLU):
    model, x, y = problem(act)
    expected = true(ce(model, x, y), model.parameters())
    seen = []
    model[0].weight.register_hook(lambda g: seen.append(g.norm()))
    same(top_eigenpairs(ce(model, x, y), model), expected)
    model[2].weight.register_hook(lambda g: g * (torch.arange(5) > 0))
    with pytest.raises(InvalidInput, match=r"a hook on 2\.weight"):
        top_eigenpairs(ce(model, x, y), model)


@pytest.mark.parametrize("act", [nn.Tanh, nn.ReLU])
def test_a_loss_computed_once_is_refused(act):
    model, x, y = problem(act)
    loss = ce(model, x, y)()
    with pytest.raises(InvalidInput, match="afresh"):
        top_eigenpairs(lambda: loss, model)


@pytest.mark.parametrize("act", [nn.ReLU, nn.LeakyReLU, nn.ELU])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_kinks_are_no_error(act, dtype):
    for seed in range(3):
        torch.manual_seed(seed)
        model, x, y = problem(act, dtype)
        model.extend([nn.Unflatten(1, (1, 3)), nn.MaxPool1d(2, 1), nn.Flatten(), nn.Linear(2, 3)])
        model = model.to(dtype)
        same(top_eigenpairs(ce(model, x, y), model), true(ce(model, x, y), model.parameters()))


# 5. Shares


def chunked(x, y, *ends):
    return [(x[a:b], y[a:b]) for a, b in zip((0, *ends), (*ends, len(x)), strict=True)]


def test_weights_are_counts_in_any_unit():
    model, x, y = problem()
    whole = true(ce(model, x, y), model.parameters())
    chunks = chunked(x, y, 5, 10, 15, 18)

    def loss_fn(x, y):
        return nn.functional.cross_entropy(model(x), y)

    for weights in ([5, 5, 5, 3, 2], [0.25, 0.25, 0.25, 0.15, 0.1], None):
        same(top_eigenpairs(loss_fn, model, chunks=chunks, weights=weights), whole)
    for weights in ([1, 1], [1, 1, 1, 1, -1], [1, 1, 1, 1, float("nan")], [0] * 5, 3):
        with pytest.raises(InvalidInput, match="weights"):
            top_eigenpairs(loss_fn, model, chunks=chunks, weights=weights)


LOSSES = {
    "ignored": (nn.CrossEntropyLoss(ignore_index=-100), lambda y: float((y != -100).sum())),
    "class weights": (
        nn.CrossEntropyLoss(weight=torch.tensor([1.0, 5.0, 0.2])),
        lambda y: float(torch.tensor([1.0, 5.0, 0.2])[y].sum()),
    ),
}


@pytest.mark.parametrize("kind", LOSSES)
def test_means_over_other_counts_than_samples_need_to_say_so(kind):
    model, x, y = problem()
    measure, count = LOSSES[kind]
    if kind == "ignored":
        y[12:16] = -100  # all of these lie in one chunk's one half
    whole = true(lambda: measure(model(x), y), model.parameters())
    chunks = chunked(x, y, 4, 10)

    def loss_fn(x, y):
        return measure(model(x), y)

    with pytest.raises(InvalidInput, match="weights="):
        top_eigenpairs(loss_fn, model, chunks=chunks)
    same(
        top_eigenpairs(loss_fn, model, chunks=chunks, weights=[count(y) for _, y in chunks]), whole
    )

    def summed(x, y):
        return count(y) * measure(model(x), y), count(y)

    found = top_eigenpairs(summed, model, chunks=chunks)
    same(found, whole)
    assert found.loss == pytest.approx(float(measure(model(x), y).detach()), rel=SHARPNESS)


@pytest.mark.parametrize("ends", [(5, 10, 15), (5, 12)])
def test_a_sum_in_chunks_is_refused(ends):
    model, x, y = problem()

    def loss_fn(x, y):
        return nn.functional.cross_entropy(model(x), y, reduction="sum")

    with pytest.raises(InvalidInput, match="reduction='sum'"):
        top_eigenpairs(loss_fn, model, chunks=chunked(x, y, *ends))


# 6. Models that an evaluation would change


def test_weights_that_the_loss_moves_are_put_back_and_refused():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(7, 4, max_norm=1.0), nn.Tanh(), nn.Linear(4, 3))
    before = copy.deepcopy(model.state_dict())
    ids, y = torch.arange(7), torch.arange(7) % 3
    with pytest.raises(InvalidInput, match="max_norm"):
        top_eigenpairs(ce(model, ids, y), model)
    model[0].requires_grad_(False)
    with pytest.raises(InvalidInput, match="max_norm"):
        top_eigenpairs(ce(model, ids, y), model)

    def unseen():  # no version counter shows this one
        model[2].weight.data.mul_(0.9)
        return model[2](torch.ones(2, 4)).square().mean()

    with pytest.raises(InvalidInput, match=r"changes the parameters|deterministic"):
        top_eigenpairs(unseen, list(model[2].parameters()))
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_consistent_mode_looks_at_every_call_for_several_chunks():
    torch.manual_seed(0)
    model, x = (
        nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Linear(5, 1)),
        torch.randn(20, 6),
    )
    chunks = [(x[:12],), (x[12:],)]
    model.eval()
    tracker = SharpnessTracker(
        lambda x: model(x).square().mean(), model, chunks=chunks, training_mode="consistent"
    )
    same(tracker.evaluate(), true(lambda: model(x).square().mean(), model.parameters()))
    model.train()
    with pytest.raises(InvalidInput, match="one chunk"):
        tracker.evaluate()


def test_noise_that_begins_later_is_refused_too():
    model, x, y = problem()
    rate = [0.0]

    def loss_fn():
        hidden = nn.functional.dropout(model(x), rate[0], training=rate[0] > 0)
        return nn.functional.cross_entropy(hidden, y)

    tracker = SharpnessTracker(loss_fn, list(model.parameters()))
    tracker.evaluate()
    rate[0] = 0.5
    with pytest.raises(InvalidInput, match="not deterministic"):
        tracker.evaluate()


def test_a_state_of_another_version_is_refused():
    model, x, y = problem()
    tracker = SharpnessTracker(ce(model, x, y), model)
    state = tracker.state()
    for name in state:
        with pytest.raises(InvalidInput, match="Start the tracker anew"):
            SharpnessTracker(ce(model, x, y), model).restore(
                {key: value for key, value in state.items() if key != name}
            )


# 7. Device and shape


def test_the_default_device_is_not_used():
    model, x, y = problem()
    expected = true(ce(model, x, y), model.parameters())
    torch.set_default_device("meta")
    try:
        tracker = SharpnessTracker(ce(model, x, y), model, k=2)
        same(tracker.evaluate(), expected)
        tracker.restore(tracker.state())
        same(tracker.evaluate(), expected)
    finally:
        torch.set_default_device(None)


def test_a_loss_of_one_entry_is_a_number():
    model, x, y = problem()
    expected = true(ce(model, x, y), model.parameters())
    same(top_eigenpairs(lambda: ce(model, x, y)().reshape(1, 1), model), expected)


def test_contexts_that_switch_gradients_off_do_not_matter():
    model, x, y = problem()
    expected = true(ce(model, x, y), model.parameters())
    for context in (torch.no_grad, torch.inference_mode):
        with context():
            same(top_eigenpairs(ce(model, x, y), model), expected)


def test_recurrent_layers():
    torch.manual_seed(0)
    model, x = nn.LSTM(3, 4, batch_first=True), torch.randn(5, 6, 3)

    def loss_fn():
        return model(x)[0].square().mean()

    same(top_eigenpairs(loss_fn, model), true(loss_fn, model.parameters()))


# 8. Errors in one sentence


def embedding(**options):
    torch.manual_seed(0)
    layer, ids = nn.Embedding(7, 4, **options), torch.arange(7)
    return lambda: layer(ids).tanh().square().mean(), layer


def bag():
    layer, ids = nn.EmbeddingBag(7, 4), torch.arange(6).reshape(2, 3)
    return lambda: layer(ids).tanh().square().mean(), layer


def distances():
    w, x = nn.Parameter(torch.randn(4, 3)), torch.randn(5, 3)
    return lambda: torch.cdist(x, w).square().mean(), [w]


def ctc():
    w = nn.Parameter(torch.randn(5, 2, 4))
    lengths = torch.tensor([5, 5]), torch.tensor([2, 2])
    goal = torch.tensor([[1, 2], [2, 3]])
    return lambda: nn.functional.ctc_loss(w.log_softmax(2), goal, *lengths), [w]


@pytest.mark.parametrize(
    "make",
    [lambda: embedding(sparse=True), bag, distances, ctc],
    ids=["sparse", "bag", "cdist", "ctc"],
)
def test_operations_without_second_derivative_are_one_sentence(make):
    loss_fn, params = make()
    with pytest.raises(InvalidInput, match=r"sparse=False|no second derivative"):
        top_eigenpairs(loss_fn, params)


def test_a_compiled_model_is_one_sentence():
    model, x, y = problem()
    compiled = torch.compile(model, backend="aot_eager")
    with pytest.raises(InvalidInput, match=r"before torch\.compile"):
        top_eigenpairs(ce(compiled, x, y), compiled)


@pytest.mark.parametrize("retain", [True, False])
def test_a_loss_that_calls_backward_is_refused(retain):
    model, x, y = problem()

    def loss_fn():
        loss = ce(model, x, y)()
        loss.backward(retain_graph=retain)
        return loss

    with pytest.raises(InvalidInput, match="backward"):
        top_eigenpairs(loss_fn, model)


class Shorter:
    """A loader that gives less at the second pass."""

    def __init__(self, chunks):
        self.chunks, self.passes = chunks, 0

    def __iter__(self):
        self.passes += 1
        return iter(self.chunks if self.passes == 1 else self.chunks[:-1])


def test_chunks_of_every_kind():
    model, x, y = problem()
    chunks = chunked(x, y, 5, 12)
    whole = true(ce(model, x, y), model.parameters())
    pairs = torch.utils.data.TensorDataset(x, y)

    def loss_fn(x, y):
        return nn.functional.cross_entropy(model(x), y)

    for good in (
        chunks,
        tuple(chunks),
        torch.utils.data.DataLoader(pairs, 6),
        torch.utils.data.DataLoader(pairs, 6, shuffle=True),
    ):
        same(top_eigenpairs(loss_fn, model, chunks=good), whole)
    named = [{"x": x, "y": y} for x, y in chunks]
    same(top_eigenpairs(lambda batch: loss_fn(**batch), model, chunks=named), whole)
    alone = x.split(6)
    single = true(lambda: model(x).square().mean(), model.parameters())
    same(top_eigenpairs(lambda x: model(x).square().mean(), model, chunks=alone), single)
    for bad in (
        zip(x, y, strict=True),
        (c for c in chunks),
        {"x": x},
        x,
        3,
        [],
        [3],
        Shorter(chunks),
    ):
        with pytest.raises(InvalidInput, match="chunk"):
            top_eigenpairs(loss_fn, model, chunks=bad)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seed": None}, "seed"),
        ({"k": 0}, "k is 0"),
        ({"k": 5, "max_products": 5}, "more than k = 5"),
        ({"params": 3}, "params"),
        ({"params": "weights"}, "params"),
        ({"params": [None]}, r"params\[0\]"),
        ({"params": {}}, "no parameters"),
        ({"params": nn.LazyLinear(3)}, "Run the model once"),
        ({"params": nn.Linear(2, 2, device="meta")}, "device"),
        ({"params": nn.Linear(2, 2).state_dict()}, "state_dict"),
        ({"loss_fn": 3}, "loss_fn"),
        ({"loss_fn": lambda: 3.0}, "loss_fn"),
        ({"loss_fn": lambda: torch.ones(2, requires_grad=True)}, "one differentiable number"),
    ],
)
def test_wrong_arguments_are_one_sentence(options: Mapping, words):
    model, x, y = problem()
    with pytest.raises(InvalidInput, match=words):
        SharpnessTracker(**{"loss_fn": ce(model, x, y), "params": model} | options).evaluate()


def test_out_of_memory_without_data_speaks_of_the_model_too():
    def loss_fn():
        raise MemoryError

    with pytest.raises(InvalidInput, match="too large for the device"):
        top_eigenpairs(loss_fn, [nn.Parameter(torch.ones(3))])


def test_out_of_memory_in_the_search_is_one_sentence(monkeypatch):
    model, x, y = problem()
    tracker = SharpnessTracker(ce(model, x, y), model)

    def solve(*_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1")

    monkeypatch.setattr(tracker.solver, "solve", solve)
    for act in (tracker.evaluate, lambda: tracker.evaluate("negative")):
        with pytest.raises(InvalidInput, match=r"lower memory=.*can't allocate"):
            act()
