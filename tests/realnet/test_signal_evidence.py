import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

from linmodel import InvalidInput
from realnet.curvature.objective import flatten
from realnet.data import datasets
from realnet.data.samples import Shape
from realnet.data.text import in_context, load_text, transitions
from realnet.networks import build_network
from realnet.signals.evidence import checkpoint_steps
from realnet.signals.gradients import fold_grams, group_gradient
from realnet.signals.groups import OpposingPair
from realnet.signals.numbers import measure
from realnet.signals.slopes import curvatures, slopes
from realnet.signals.study import observe, study
from realnet.training.losses import sample_loss
from realnet.training.task import Task
from tests.tolerances import ALGEBRA, AUTOGRAD, SINGLE_RUN


def small(loss="cross-entropy", count=12, dtype=torch.float64, chunk_size=None):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 3)).to(dtype)
    inputs = torch.randn(count, 5, dtype=dtype)
    labels = torch.arange(count) % 3
    return Task(model, sample_loss(loss), inputs, labels, chunk_size)


def naive_along(watcher, direction):
    """Slope, curvature and response of each sample, one by one, from dense derivatives."""
    params = watcher.whole.params
    found = []
    for x, y in zip(watcher.inputs, watcher.labels, strict=True):
        outputs = watcher.model(x[None])
        loss = watcher.sample_loss(outputs, y[None])[0]
        jacobian = [
            flatten(torch.autograd.grad(out, params, retain_graph=True)) for out in outputs[0]
        ]
        parts = torch.autograd.grad(loss, params, create_graph=True)
        gradient = torch.cat([part.reshape(-1) for part in parts])
        slope = gradient @ direction
        product = torch.autograd.grad(slope, params)
        change = torch.stack(jacobian) @ direction
        found.append((slope.item(), (flatten(product) @ direction).item(), change.norm().item()))
    return np.array(found).T


@pytest.mark.parametrize("loss", ["cross-entropy", "mse"])
@pytest.mark.parametrize("chunk_size", [None, 5])
def test_along_is_every_samples_own_derivatives(loss, chunk_size):
    watcher = small(loss, chunk_size=chunk_size)
    direction = torch.randn(watcher.whole.n, dtype=torch.float64)
    direction /= direction.norm()
    exact = naive_along(watcher, direction)
    slope, response = slopes(watcher, direction)
    found = (slope, curvatures(watcher, direction), response)
    for fast, naive in zip(found, exact, strict=True):
        np.testing.assert_allclose(fast, naive, rtol=AUTOGRAD, atol=AUTOGRAD)


def test_evidence_adds_up():
    watcher = small(count=30)
    found = observe(
        watcher.model,
        watcher.sample_loss,
        watcher.inputs,
        watcher.labels,
        step_size=0.1,
        steps=20,
        directions=2,
        checkpoints=4,
        tolerance=SINGLE_RUN,
    ).dataset()
    assert found.checkpoint_step.values.tolist() == checkpoint_steps(20, 4).tolist()
    assert found.attrs["status"] == "completed" and found.sizes["time"] == 21
    np.testing.assert_allclose(found.time[-1], 2.0, rtol=ALGEBRA)
    # The mean of the samples' curvatures along u is u'Hu, the eigenvalue; alignments average to 1.
    np.testing.assert_allclose(found.curvature.mean("sample"), found.eigenvalue, rtol=SINGLE_RUN)
    np.testing.assert_allclose(found.alignment.mean("sample"), 1.0, rtol=SINGLE_RUN)
    assert float(found.loss[-1].mean()) < float(found.loss[0].mean())


def test_chunks_give_the_same_evidence():
    whole, parts = (small(count=30) for _ in range(2))
    options = {"step_size": 0.1, "steps": 5, "checkpoints": [0, 5], "directions": 1}
    runs = [
        observe(w.model, w.sample_loss, w.inputs, w.labels, chunk_size=size, **options).dataset()
        for w, size in ((whole, None), (parts, 7))
    ]
    np.testing.assert_allclose(runs[0].loss, runs[1].loss, rtol=ALGEBRA)
    # Only the order of sums differs, and the eigensolver takes the same steps on both.
    for name in ("eigenvalue", "response", "slope", "curvature", "alignment"):
        np.testing.assert_allclose(runs[0][name], runs[1][name], rtol=AUTOGRAD, atol=AUTOGRAD)


def test_a_diverging_run_keeps_what_came_before():
    watcher = small("mse", count=30, dtype=torch.float32)
    found = observe(
        watcher.model,
        watcher.sample_loss,
        1e3 * watcher.inputs,
        watcher.labels,
        step_size=1e3,
        steps=200,
        checkpoints=[0],
    ).dataset()
    assert found.attrs["status"] == "diverged"
    assert 1 <= found.sizes["time"] < 201 and np.isfinite(found.loss).all()


def test_bad_input_is_refused_before_training():
    watcher = small()
    start = flatten(watcher.whole.params).clone()
    model, loss, x, y = watcher.model, watcher.sample_loss, watcher.inputs, watcher.labels
    broken = x.clone()
    broken[3] = float("nan")
    for arguments, options in (
        ((model, loss, x, y), {"step_size": 0}),
        ((model, loss, x, y), {"step_size": 0.1, "steps": 0}),
        ((model, loss, x, y), {"step_size": 0.1, "directions": 0}),
        ((model, loss, x, y[:3]), {"step_size": 0.1}),
        ((model, loss, broken, y), {"step_size": 0.1}),
        ((model, loss, x, y + 1), {"step_size": 0.1}),
        ((model, sample_loss("mse"), x, y + 1), {"step_size": 0.1}),
        ((nn.Flatten(), loss, x, y), {"step_size": 0.1}),
        ((nn.Sequential(model, nn.Dropout()), loss, x, y), {"step_size": 0.1}),
    ):
        with pytest.raises(InvalidInput):
            observe(*arguments, **options)
    assert torch.equal(start, flatten(watcher.whole.params))


def test_fold_grams_give_the_cosine_of_the_groups_gradients():
    first = small(count=30)
    options = {"step_size": 0.1, "steps": 4, "checkpoints": [4], "directions": 1}
    evidence = observe(first.model, first.sample_loss, first.inputs, first.labels, **options)
    plus, minus = np.arange(11), np.arange(11, 20)
    pair = OpposingPair(plus, minus, 2.0, 0.0, np.zeros(30), 0.0, ())
    (gram,) = fold_grams(evidence, [pair])
    weights = np.where(gram.fold_side > 0, gram.fold_size / 11, 0)
    others = np.where(gram.fold_side < 0, gram.fold_size / 9, 0)
    inner = gram.gram[0].values
    # `first` stands where the evidence ended: the direct gradients are there.
    one, two = (group_gradient(first, group) for group in (plus, minus))
    np.testing.assert_allclose(weights @ inner @ weights, (one @ one).item(), rtol=AUTOGRAD)
    np.testing.assert_allclose(weights @ inner @ others, (one @ two).item(), rtol=AUTOGRAD)


def planted_gram(rng, count=400):
    """Eight noisy folds a side, of mean gradients at a cosine of -0.75."""
    means = np.zeros((2, count))
    means[0, 0], means[1, :2] = 1, (-0.75, np.sqrt(1 - 0.75**2))
    folds = np.repeat(means, 8, axis=0) + rng.normal(size=(16, count)) / np.sqrt(count)
    about = {"fold_side": ("fold", [1] * 8 + [-1] * 8), "fold_size": ("fold", [3] * 16)}
    return xr.Dataset({"gram": (("checkpoint", "fold", "other"), (folds @ folds.T)[None])} | about)


def test_the_interval_of_the_cosine_holds_the_cosine():
    first = small(count=30)
    options = {"step_size": 0.1, "steps": 4, "checkpoints": [4], "directions": 1}
    evidence = observe(first.model, first.sample_loss, first.inputs, first.labels, **options)
    pair = OpposingPair(np.arange(11), np.arange(11, 20), 2.0, 0.0, np.zeros(30), 0.0, ())
    grams = [planted_gram(np.random.default_rng(seed)) for seed in range(20)]
    found = measure(evidence.dataset(), [pair] * 20, grams)
    cosine, low, high = (found[f"gradient_cosine{end}"][:, 0] for end in ("", "_low", "_high"))
    assert ((low <= cosine) & (cosine <= high) & (low >= -1)).all()
    held = (low <= cosine.mean()) & (cosine.mean() <= high)  # of samples like these
    assert held.mean() >= 0.9 and float((high - low).max()) < 0.2


@pytest.mark.parametrize(("net", "loss"), [("mlp", "mse"), ("mlp", "cross-entropy")])
def test_planted_groups_are_found_in_a_network(net, loss):
    data = datasets.load("planted", size=300, seed=9, fraction=0.06, magnitude=5.0, side=7)
    model = build_network(net, Shape(10, 3, 7, 7), width=24, activation="relu", seed=9)
    inputs, labels = torch.as_tensor(data.inputs), torch.as_tensor(data.labels)
    options = {"step_size": 0.02, "steps": 12, "checkpoints": 3, "directions": 3}
    found = study(observe(model, sample_loss(loss), inputs, labels, **options))
    members = found.pairs[0].members
    truth = data.members["opposing"]
    assert truth[members].mean() >= 0.9
    assert truth[members].sum() >= 0.9 * truth.sum()
    groups = [data.members[f"class {label}"] for label in (0, 1)]
    sides = (found.pairs[0].plus, found.pairs[0].minus)
    assert max(groups[0][sides[0]].all(), groups[1][sides[0]].all())
    assert max(groups[0][sides[1]].all(), groups[1][sides[1]].all())
    numbers = found.numbers.isel(pair=0)
    assert float(numbers.curvature_share.max()) > 0.5
    assert (np.abs(numbers.gradient_cosine) <= 1 + SINGLE_RUN).all()


def test_nothing_is_found_where_nothing_was_planted():
    data = datasets.load("planted", size=300, seed=7, fraction=0, side=7)
    model = build_network("mlp", Shape(10, 3, 7, 7), width=24, activation="relu", seed=7)
    inputs, labels = torch.as_tensor(data.inputs), torch.as_tensor(data.labels)
    options = {"step_size": 0.05, "steps": 12, "checkpoints": 3, "directions": 3}
    found = study(observe(model, sample_loss("cross-entropy"), inputs, labels, **options))
    assert found.pairs == [] and "pair" not in found.numbers.dims


def test_too_few_samples_are_refused_before_training():
    watcher = small(count=12)
    start = flatten(watcher.whole.params).clone()
    with pytest.raises(InvalidInput, match="number of samples is 12"):
        observe(watcher.model, watcher.sample_loss, watcher.inputs, watcher.labels, step_size=0.1)
    assert torch.equal(start, flatten(watcher.whole.params))


def test_text_tokens_are_samples():
    text = load_text(size=4, context=8, vocabulary=20)
    model = build_network("gpt", Shape(20, context=8), width=16, depth=1, seed=0)
    inputs, labels = torch.as_tensor(text.inputs), torch.as_tensor(text.labels)
    watcher = Task(model, sample_loss("cross-entropy"), inputs, labels)
    chosen = np.array([3, 17, 18])
    loss = watcher.sample_loss(model(inputs), labels).reshape(-1)[torch.as_tensor(chosen)].mean()
    expected = flatten(torch.autograd.grad(loss, watcher.whole.params))
    np.testing.assert_allclose(group_gradient(watcher, chosen), expected, atol=SINGLE_RUN)
    slope = slopes(watcher, expected)[0]
    np.testing.assert_allclose(slope[chosen].mean(), expected.square().sum(), rtol=SINGLE_RUN)


@pytest.mark.parametrize("tokens", ["characters", "words"])
def test_text_windows_and_their_context(tokens):
    text = load_text(size=5, seed=2, context=6, tokens=tokens, vocabulary=40)
    assert text.inputs.shape == text.labels.shape == (5, 6)
    np.testing.assert_array_equal(text.inputs[:, 1:], text.labels[:, :-1])
    assert text.inputs.max() < text.n_classes == 40
    again = load_text(size=5, seed=2, context=6, tokens=tokens, vocabulary=40)
    np.testing.assert_array_equal(text.inputs, again.inputs)
    shown = in_context(text, [0, 29])
    assert f"[{text.vocabulary[text.labels[0, 0]]}]" in shown[0]
    assert f"[{text.vocabulary[text.labels[4, 5]]}]" in shown[1]
    last, target = (text.vocabulary[table[0, 0]] for table in (text.inputs, text.labels))
    assert transitions(text, [0, 0]) == f"{last!r} -> {target!r} 2"
    assert transitions(text, range(30), most=1).endswith(" others")
    with pytest.raises(InvalidInput, match="sample is 30"):
        in_context(text, [30])
    with pytest.raises(InvalidInput, match="tokens"):
        load_text(tokens="bytes")
