"""Two processes of torch.distributed (gloo), each with its own chunks, are one process with all."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from linmodel import InvalidInput
from realnet.curvature.ranks import fingerprint
from realnet.curvature.tracker import SharpnessTracker
from tests.realnet.one_of_two import OPTIONS, SETTINGS, loss_of, problem, trained
from tests.tolerances import GRADIENT_DIFFERENCE, PROCESSES

pytestmark = pytest.mark.skipif(
    not torch.distributed.is_available() or not torch.distributed.is_gloo_available(),
    reason="torch was built without gloo",
)


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What each of the two said: begun once."""
    folder = tmp_path_factory.mktemp("two")
    command = [sys.executable, "-W", "ignore", "-m", "tests.realnet.one_of_two"]
    root = Path(__file__).parents[2]
    both = [
        subprocess.Popen(
            [*command, str(rank), str(folder)], cwd=root, env=os.environ | {"OMP_NUM_THREADS": "1"}
        )
        for rank in (0, 1)
    ]
    assert [one.wait(120) for one in both] == [0, 0]
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


@pytest.mark.parametrize("kind", OPTIONS)
def test_two_processes_are_one_along_training(said, kind):
    model, x, y = problem()
    chunks = list(zip(x.split(9), y.split(9), strict=True))
    alone = SharpnessTracker(loss_of(model, kind), model, chunks=chunks, **OPTIONS[kind])
    expected = trained(alone, model)
    assert said[0][kind] == said[1][kind]  # bitwise: what follows from it is the same on both
    close = GRADIENT_DIFFERENCE if kind == "difference" else PROCESSES
    np.testing.assert_allclose(said[0][kind], expected, rtol=close)


@pytest.mark.parametrize(
    ("what", "first", "second"),
    [
        ("failing", "process 1 stopped with ArithmeticError: planted.", "ArithmeticError: planted"),
        ("made", "process 1 stopped with InvalidInput: k is 0", "InvalidInput: k is 0"),
        ("parameters", *["parameters differ: those of process 1 are not those of process 0"] * 2),
        ("buffers", *["processes' buffers (running statistics) or frozen parameters differ"] * 2),
        ("batches", "no error", "no error"),
        ("frozen", *["or frozen parameters differ: those of process 1"] * 2),
        ("larger", *["number of parameters differs between processes: 83 on process 0, 95"] * 2),
        ("another", *["process 0 is at its meeting 2 (loss and gradient), process 1 is at"] * 2),
        ("which", "which with processes", "which with processes"),
        ("shares", "shares of the data are not known", "shares of the data are not known"),
        ("group", "processes is 'all'", "True, or a group of torch.distributed"),
        ("sharded", "sharded over processes (DTensor)", "sharded over processes (DTensor)"),
    ],
)
def test_what_goes_wrong_is_one_sentence_on_both(said, what, first, second):
    assert first in said[0][what] and second in said[1][what]


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_that_differ_are_named_where_the_trackers_are_made(said, name):
    first, second = SETTINGS[name]
    told = f"{name} differs between processes: {first} on process 0, {second} on process 1."
    assert told in said[0][name] and said[0][name] == said[1][name]


def test_a_process_that_is_silent_is_one_sentence_on_the_other(said):
    assert "another process does not answer" in said[0]["silent"]
    assert "imed out" in said[0]["silent"]


def test_a_process_that_dies_is_one_sentence_on_the_other(said):
    assert "another process does not answer" in said[0]["died"]


def test_without_a_group_processes_are_refused():
    model, x, y = problem()
    with pytest.raises(InvalidInput, match="init_process_group"):
        SharpnessTracker(loss_of(model, "mean"), model, chunks=[(x, y)], processes=True)


@pytest.mark.parametrize("product", ["autograd", "difference"])
def test_the_wrapper_of_data_parallel_training_is_refused(product):
    model, x, y = problem()
    store = torch.distributed.HashStore()
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    try:
        wrapper = torch.nn.parallel.DistributedDataParallel(model)
        for given in (wrapper, model, list(model.parameters())):
            tracker = SharpnessTracker(
                lambda: loss_of(wrapper, "mean")(x, y), given, product=product
            )
            with pytest.raises(InvalidInput, match=r"wrapper\.module"):
                tracker.evaluate()
        SharpnessTracker(lambda: loss_of(wrapper.module, "mean")(x, y), wrapper).evaluate()
    finally:
        torch.distributed.destroy_process_group()


def test_fingerprints_tell_order_and_bits():
    a, b = torch.tensor([1.0, 2.0]), torch.tensor([2.0, 1.0])
    assert fingerprint([a]) == fingerprint([a.clone()]) != fingerprint([b])
    assert fingerprint([a.bfloat16()]) != fingerprint([b.bfloat16()])
