"""Evidence from what users have: their losses, data, loops, and run folders."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from linmodel import InvalidInput
from realnet.config import TrainConfig
from realnet.signals.evidence import Evidence
from realnet.signals.folder import evidence_of
from realnet.signals.given import as_sample_loss
from realnet.signals.study import observe, study
from realnet.training.run import Run
from realnet.training.train import train
from tests.tolerances import ALGEBRA, AUTOGRAD, FLOAT32_STEP, SHARPNESS

PLANTED = TrainConfig(
    data="planted", net="mlp", loss="cross-entropy", size=120, width=8, depth=1, step_size=0.2,
    steps=20, every=20, device="cpu", dials={"fraction": 0.1, "magnitude": 6.0},
)  # fmt: skip


def parts(count=40):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 3))
    inputs = torch.randn(count, 5)
    return model.double(), inputs.double(), torch.arange(count) % 3


def onehot(labels):
    return functional.one_hot(labels, 3).double()


LOSSES = {
    "mean cross-entropy": (nn.CrossEntropyLoss(), functional.cross_entropy),
    "functional mean": (functional.cross_entropy, functional.cross_entropy),
    "smoothed": (
        nn.CrossEntropyLoss(label_smoothing=0.1),
        lambda f, y, reduction: functional.cross_entropy(
            f, y, reduction=reduction, label_smoothing=0.1
        ),
    ),
    "of one's own": (
        lambda f, y: ((f - onehot(y)) ** 2).sum(-1).mean(),
        lambda f, y, reduction: ((f - onehot(y)) ** 2).sum(-1),
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_mean_loss_is_taken_apart_into_those_of_single_samples(name):
    loss, naive = LOSSES[name]
    model, x, y = parts()
    single = as_sample_loss(loss, model, x, y)
    with torch.no_grad():
        found = single(model(x), y)
        one_by_one = naive(model(x), y, reduction="none")
    np.testing.assert_allclose(found, one_by_one, rtol=ALGEBRA)


def test_a_squared_loss_on_targets_of_the_outputs_shape():
    model, x, y = parts()
    single = as_sample_loss(nn.MSELoss(), model, x, onehot(y))
    expected = ((model(x) - onehot(y)) ** 2).mean(-1).detach()
    np.testing.assert_allclose(single(model(x), onehot(y)).detach(), expected, rtol=ALGEBRA)


@pytest.mark.parametrize(
    ("loss", "says"),
    [
        (nn.CrossEntropyLoss(reduction="sum"), "no sum"),
        (nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 5.0]).double()), "class weights"),
        (lambda f, y: f.std(), "mean over samples|cannot be taken apart"),
        (lambda f, y: f, "one loss for each label"),
        (lambda f, y: 3.0, "float"),
        ("mse", "function"),
    ],
)
def test_other_losses_are_refused_in_one_sentence(loss, says):
    model, x, y = parts()
    with pytest.raises(InvalidInput, match=says) as caught:
        observe(model, loss, x, y, step_size=0.1)
    assert "\n" not in str(caught.value)


def test_arrays_and_datasets_give_what_tensors_give():
    found = []
    for kind in ("tensors", "arrays", "dataset"):
        model, x, y = parts()
        data = {"tensors": (x, y), "arrays": (x.numpy(), y.numpy().astype(np.int32))}
        given = data.get(kind, (TensorDataset(x, y),))
        options = {"step_size": 0.1, "steps": 3, "checkpoints": [0, 3], "directions": 1}
        found.append(observe(model, nn.CrossEntropyLoss(), *given, **options).dataset())
    assert found[0].equals(found[1]) and found[0].equals(found[2])
    model, x, y = parts()
    for bad in (DataLoader(TensorDataset(x, y)), x.tolist(), np.array(["a"] * 40)):
        with pytest.raises(InvalidInput, match="inputs"):
            observe(model, nn.CrossEntropyLoss(), bad, y, step_size=0.1)


def test_ones_own_loop_gives_the_evidence_of_a_run():
    options = {"directions": 2, "checkpoints": [0, 4, 8], "seed": 3, "tolerance": 1e-8}
    model, x, y = parts()
    run = observe(model, nn.CrossEntropyLoss(), x, y, step_size=0.1, steps=8, **options).dataset()
    model, x, y = parts()
    evidence = Evidence(nn.CrossEntropyLoss(), x, y, step_size=0.1, **options)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(9):
        evidence.record(model, step)
        optimiser.zero_grad()
        functional.cross_entropy(model(x), y).backward()
        optimiser.step()
    own = evidence.dataset()
    np.testing.assert_allclose(own.loss, run.loss, rtol=AUTOGRAD)
    np.testing.assert_allclose(own.time, run.time, rtol=AUTOGRAD)
    np.testing.assert_allclose(own.response, run.response, rtol=SHARPNESS)
    assert study(evidence).pairs == []


def test_misuse_of_a_recorder_is_said():
    model, x, y = parts()
    evidence = Evidence(nn.CrossEntropyLoss(), x, y, checkpoints=[50])
    with pytest.raises(InvalidInput, match="nothing was recorded"):
        evidence.dataset()
    evidence.record(model, 3)
    with pytest.raises(InvalidInput, match="checkpoints"):
        evidence.dataset()
    for step, other, says in ((3, model, "more than 3"), (4, parts()[0], "another model")):
        with pytest.raises(InvalidInput, match=says):
            evidence.record(other, step)
    with pytest.raises(InvalidInput, match="observers"):
        Evidence().record(model, 0)


def test_a_run_folder_is_searched_from_its_checkpoint_on(tmp_path):
    train(PLANTED, out=tmp_path / "run")
    before = {p.name: p.read_bytes() for p in (tmp_path / "run").iterdir()}
    evidence, samples = evidence_of(tmp_path / "run", steps=8, directions=2)
    found = evidence.dataset()
    assert found.checkpoint_step.values.tolist() == [20, 22, 24, 26, 28]
    assert {p.name: p.read_bytes() for p in (tmp_path / "run").iterdir()} == before
    # The same steps in a longer run.
    run = Run(PLANTED.__class__(**(PLANTED.as_dict() | {"steps": 28})), observers=[Evidence()])
    while not run.finished:
        run.advance()
    whole = run.observers[-1].losses
    np.testing.assert_allclose(
        found.loss, torch.stack(whole[20:]), rtol=SHARPNESS, atol=FLOAT32_STEP
    )
    assert samples.members["opposing"].sum() == 12


def test_an_observed_run_folder_has_its_own_evidence(tmp_path):
    config = PLANTED.__class__(**(PLANTED.as_dict() | {"observe": ("evidence=2",)}))
    train(config, out=tmp_path / "run")
    evidence, _ = evidence_of(tmp_path / "run")
    found = evidence.dataset()
    assert found.sizes["time"] == 21 and found.sizes["direction"] == 2
    assert study(evidence).numbers is not None


def test_folders_without_a_usable_checkpoint_are_refused(tmp_path):
    with pytest.raises(InvalidInput, match="run folder"):
        evidence_of(tmp_path / "none")
    train(PLANTED, out=tmp_path / "run")
    (tmp_path / "run" / "checkpoint.pt").unlink()
    with pytest.raises(InvalidInput, match=r"checkpoint\.pt"):
        evidence_of(tmp_path / "run")
    decaying = PLANTED.__class__(**(PLANTED.as_dict() | {"schedule": "cosine"}))
    train(decaying, out=tmp_path / "other")
    with pytest.raises(InvalidInput, match="observe evidence"):
        evidence_of(tmp_path / "other")
