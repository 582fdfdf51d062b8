import subprocess
import sys

import numpy as np
import pytest
import torch

import realnet
from linmodel import InvalidInput, store
from linmodel.errors import Notice
from realnet.config import TrainConfig
from realnet.data import datasets
from realnet.data.text import load_text
from realnet.networks import Shape, build_network
from realnet.training import runfolder
from tests.tolerances import FLOAT32_STEP

SMALL = {"data": "digits", "size": 60, "width": 8, "depth": 1, "steps": 12, "every": 3}
TEXT = {"data": "text", "size": 6, "width": 16, "dials": {"context": 8}}


def small(**fields):
    return realnet.train(**(SMALL | {"step_size": 0.05} | fields))


def plain_descent(loss, steps, step_size):
    """The naive twin: full-batch descent as a newcomer writes it."""
    data = datasets.load("digits", 60, 0)
    model = build_network("mlp", Shape(10, 1, 8, 8), width=8, depth=1, seed=0)
    x, y = torch.tensor(data.inputs), torch.tensor(data.labels)
    losses = []
    for _ in range(steps):
        outputs = model(x)
        if loss == "mse":
            onehot = torch.nn.functional.one_hot(y, 10).float()
            value = ((outputs - onehot) ** 2).sum() / (2 * len(y))
        else:
            value = torch.nn.functional.cross_entropy(outputs, y)
        losses.append(float(value.detach()))
        model.zero_grad()
        value.backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= step_size * p.grad
    return losses


@pytest.mark.parametrize("loss", ["cross-entropy", "mse"])
def test_descent_equals_the_plain_loop(loss):
    curves = small(loss=loss)
    expected = plain_descent(loss, 13, 0.05)
    np.testing.assert_allclose(curves.step_loss, expected[:12], rtol=FLOAT32_STEP)
    np.testing.assert_allclose(curves.loss, expected[::3], rtol=FLOAT32_STEP)


def test_time_is_step_size_times_step_and_the_dataset_describes_itself():
    curves = small(step_size=0.04)
    np.testing.assert_allclose(curves.time, 0.04 * curves.step)
    assert curves.step.values.tolist() == [0, 3, 6, 9, 12]
    assert curves.attrs["two_over_eta"] == 50.0 and curves.attrs["status"] == "completed"
    assert store.configuration(curves)["seed"] == 0
    assert all("units" in curves[name].attrs for name in curves.variables)
    assert curves.sharpness_converged.values.all()


@pytest.mark.parametrize(
    "fields",
    [
        {"optimiser": "sgd", "batch_size": 16},
        {"optimiser": "momentum", "batch_size": 16, "schedule": "cosine", "warmup": 3},
        {"optimiser": "adam", "step_size": 0.01},
        {"optimiser": "sam", "clip": 0.5, "schedule": "linear-decay"},
        {"optimiser": "flow", "step_size": 0.5},
        {"net": "cnn", "norm": "batch", "width": 4, "chunk_size": None},
        {"net": "vgg", "norm": "group", "width": 4},
        {"net": "resnet", "width": 4, "depth": 2},
        {"net": "vit", "width": 16},
        {"label_smoothing": 0.1, "chunk_size": 25},
        {**TEXT, "step_size": 0.3},
        {**TEXT, "step_size": 0.3, "optimiser": "sgd", "batch_size": 5, "label_smoothing": 0.1},
        {**TEXT, "step_size": 0.01, "optimiser": "adam", "chunk_size": 4},
        {**TEXT, "optimiser": "momentum", "clip": 0.5},
        {**TEXT, "optimiser": "sam"},
        {**TEXT, "step_size": 0.5, "optimiser": "flow", "loss": "mse"},
    ],
    ids=lambda fields: "-".join(str(value) for value in fields.values()),
)
def test_an_interrupted_run_resumes_to_the_same_numbers(tmp_path, fields):
    whole = small(**fields)
    assert whole.loss[-1] < whole.loss[0]

    def interrupt(count, note):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small(**fields, out=tmp_path / "run", checkpoint_every=5, report=interrupt)
    assert realnet.load_run(tmp_path / "run").attrs["status"] == "unfinished"
    resumed = small(**fields, out=tmp_path / "run", checkpoint_every=5)
    assert resumed.identical(whole)
    assert realnet.load_run(tmp_path / "run").identical(whole)


@pytest.mark.parametrize(
    ("data", "moments"), [({"steps": 150}, (0.0, 0.1)), ({**TEXT, "steps": 50}, (0.1,))]
)
def test_a_killed_run_resumes_to_the_same_numbers(tmp_path, data, moments):
    """SIGKILL while checkpoints are being written, at moments nobody chose."""
    fields = SMALL | {"step_size": 0.05} | data
    whole = realnet.train(**fields)
    child = (
        "import os, realnet, sys, threading, torch\n"
        f"torch.set_num_threads({torch.get_num_threads()})\n"
        "timer = threading.Timer(float(sys.argv[1]), os.kill, [os.getpid(), 9])\n"
        "def report(count, note):\n"
        "    if not timer.is_alive(): timer.start()\n"
        f"realnet.train(**{fields!r}, out={str(tmp_path / 'run')!r}, report=report,"
        " checkpoint_every=1)\n"
    )
    for seconds in moments:
        done = subprocess.run([sys.executable, "-c", child, str(seconds)], check=False)
        assert done.returncode == -9
    resumed = realnet.train(**fields, out=tmp_path / "run")
    assert resumed.identical(whole)


def test_a_run_resumed_with_other_threads_keeps_its_own(tmp_path):
    fields = SMALL | TEXT | {"step_size": 0.05}
    child = (
        "import realnet, torch\n"
        "torch.set_num_threads(1)\n"
        "def report(count, note): raise KeyboardInterrupt\n"
        f"realnet.train(**{fields!r}, out={str(tmp_path / 'run')!r}, report=report,"
        " checkpoint_every=5)\n"
    )
    done = subprocess.run([sys.executable, "-c", child], check=False, stderr=subprocess.DEVNULL)
    assert done.returncode != 0
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        whole = realnet.train(**fields)
        torch.set_num_threads(2)
        assert realnet.train(**fields, out=tmp_path / "run").identical(whole)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("every", [1, 10])
def test_overflow_is_divergence_however_often_the_sharpness_is_asked(tmp_path, every):
    fields = {"loss": "mse", "activation": "relu", "depth": 2, "step_size": 1e6, "every": every}
    curves = small(**fields, out=tmp_path / "run")
    assert curves.attrs["status"] == "diverged"
    assert realnet.load_run(tmp_path / "run").identical(curves)


def test_a_run_that_diverges_at_its_first_evaluation_is_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(
        realnet.training.building,
        "sample_loss",
        lambda *_: lambda outputs, labels: outputs.sum(1) / 0.0,
    )
    curves = small(out=tmp_path / "run")
    assert curves.attrs["status"] == "diverged"
    assert realnet.load_run(tmp_path / "run").attrs["status"] == "diverged"


def test_the_progress_reported_adds_up_to_the_steps(tmp_path):
    told = []
    small(out=tmp_path / "run", checkpoint_every=5, report=lambda count, note: told.append(count))
    assert sum(told) == SMALL["steps"]


def test_text_is_trained_by_the_mean_over_its_tokens():
    curves = small(**TEXT, step_size=0.3)
    text = load_text(6, 0, context=8)
    model = build_network("gpt", Shape(text.n_classes, context=8), width=16, depth=1, seed=0)
    losses = []
    for _ in range(4):
        outputs = model(torch.as_tensor(text.inputs)).flatten(0, 1)
        value = torch.nn.functional.cross_entropy(outputs, torch.as_tensor(text.labels).flatten())
        losses.append(float(value.detach()))
        model.zero_grad()
        value.backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= 0.3 * p.grad
    np.testing.assert_allclose(curves.step_loss[:4], losses, rtol=FLOAT32_STEP)
    assert curves.attrs["loss_definition"].startswith("mean over samples of -sum")
    assert store.configuration(curves)["net"] == "gpt"


def test_dials_reach_the_data_and_are_part_of_the_configuration(tmp_path):
    dials = {"fraction": 0.1, "magnitude": 6.0, "classes": (2, 5)}
    fields = {"data": "planted", "size": 80, "steps": 2, "every": 1}
    curves = small(**fields, dials=dials, out=tmp_path / "run")
    assert store.configuration(curves)["data_provenance"]["classes"] == [2, 5]
    assert small(**fields, dials=dials, out=tmp_path / "run").identical(curves)
    with pytest.raises(InvalidInput, match=r"dials: .*6.0.* there"):
        small(**fields, dials=dials | {"magnitude": 7.0}, out=tmp_path / "run")
    assert "dials" not in TrainConfig().as_dict()


def test_divergence_is_a_result():
    curves = small(loss="mse", step_size=50.0)
    assert curves.attrs["status"] == "diverged" and curves.attrs["diverged_step"] > 0
    assert np.isfinite(curves.sharpness).all()


def test_memory_that_is_too_small_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*_, **__):
        raise torch.OutOfMemoryError("no memory")

    with monkeypatch.context() as patch:
        patch.setattr(torch.autograd, "grad", full)
        with pytest.raises(InvalidInput, match="smaller --chunk-size"):
            small(out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert small(out=tmp_path / "run", chunk_size=20).attrs["status"] == "completed"


def test_a_finished_run_is_not_run_again(tmp_path):
    first = small(out=tmp_path / "run")
    calls = []
    again = small(out=tmp_path / "run", report=lambda *args: calls.append(args))
    assert again.identical(first) and not calls


def test_a_folder_with_another_configuration_is_refused(tmp_path):
    small(out=tmp_path / "run")
    with pytest.raises(InvalidInput, match=r"seed: 0 there, 1 asked"):
        small(out=tmp_path / "run", seed=1)


def test_damaged_run_folders_are_clear_errors(tmp_path):
    run = tmp_path / "run"
    with pytest.raises(InvalidInput, match="existing run folder"):
        runfolder.load_run(run)
    small(out=run)
    curves, config = run / runfolder.CURVES, run / runfolder.CONFIG
    curves.write_bytes(curves.read_bytes()[:1000])
    with pytest.raises(InvalidInput, match="truncated"):
        runfolder.load_run(run)
    text = config.read_text()
    config.write_text(text.replace('"version": 2', '"version": 99'))
    with pytest.raises(InvalidInput, match="99"):
        runfolder.load_run(run)
    config.write_text(text[:50])
    with pytest.raises(InvalidInput, match="truncated"):
        runfolder.load_run(run)


def test_a_damaged_checkpoint_is_said_and_the_run_made_again(tmp_path):
    run = tmp_path / "run"
    first = small(out=run)
    checkpoint = run / runfolder.CHECKPOINT
    checkpoint.write_bytes(checkpoint.read_bytes()[:500])
    with pytest.warns(Notice, match="begins again at step 0"):
        again = small(out=run)
    assert again.identical(first) and runfolder.load_run(run).identical(first)


def test_somebody_elses_folder_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="new or empty folder"):
        small(out=tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"data": "text", "net": "mlp"}, "gpt for data text"),
        ({"data": "text", "dials": {"context": 1}}, "context is 1"),
        ({"data": "text", "dials": {"size": 3}}, "context, tokens, vocabulary"),
        ({"data": "text", "dials": {"tokens": "bytes"}}, "characters, words"),
        ({"data": "text", "width": 33}, "multiple of 16"),
        ({"data": "text", "norm": "batch"}, "none"),
        ({"net": "vit", "width": 16, "norm": "group"}, "none"),
        ({"data": "planted", "dials": {"classes": 5}}, "classes is 5"),
        ({"data": "planted", "dials": {"objects": [1]}}, "digits"),
    ],
    ids=str,
)
def test_impossible_combinations_are_refused_before_any_work(fields, says, tmp_path):
    with pytest.raises(InvalidInput) as caught:
        small(**fields, out=tmp_path / "run")
    assert says in str(caught.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("data", "imagenet", "digits"),
        ("net", "lenet", "mlp, cnn"),
        ("loss", "hinge", "cross-entropy, mse"),
        ("optimiser", "lion", "adam"),
        ("step_size", -1.0, "> 0"),
        ("step_size", float("nan"), "finite"),
        ("steps", 0, ">= 1"),
        ("label_smoothing", 1.0, "[0, 1)"),
        ("batch_size", 10, "full batch"),
        ("net", "gpt", "for images one of mlp, cnn"),
        ("dials", {"colour": 1}, "none"),
        ("dials", {"side": {1}}, "a dictionary"),
    ],
)
def test_bad_input_says_what_is_allowed(field, value, says, tmp_path):
    with pytest.raises(InvalidInput) as caught:
        small(**{field: value}, out=tmp_path / "run")
    came = "colour" if value == {"colour": 1} else str(value)
    assert says in str(caught.value) and came in str(caught.value)
    assert not (tmp_path / "run").exists()
