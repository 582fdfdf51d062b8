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
from tests.realnet.one_of_two import OPTIONS, loss_of, problem, trained
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
        ("failing", "another process stopped with an error", "ArithmeticError: planted"),
        ("parameters", "processes' parameters differ", "processes' parameters differ"),
        ("buffers", "processes' buffers (running stat", "processes' buffers (running stat"),
        ("batches", "no error", "no error"),
        ("frozen", "or frozen parameters differ", "or frozen parameters differ"),
        ("seeds", "processes' vectors differ", "processes' vectors differ"),
        ("which", "which with processes", "which with processes"),
        ("shares", "shares of the data are not known", "shares of the data are not known"),
        ("group", "processes is 'all'", "True, or a group of torch.distributed"),
        ("sharded", "sharded over processes (DTensor)", "sharded over processes (DTensor)"),
    ],
)
def test_what_goes_wrong_is_one_sentence_on_both(said, what, first, second):
    assert first in said[0][what] and second in said[1][what]


def test_a_process_that_dies_is_one_sentence_on_the_other(said):
    assert "another process does not answer" in said[0]["died"]


def test_without_a_group_processes_are_refused():
    model, x, y = problem()
    with pytest.raises(InvalidInput, match="init_process_group"):
        SharpnessTracker(loss_of(model, "mean"), model, chunks=[(x, y)], processes=True)


def test_fingerprints_tell_order_and_bits():
    a, b = torch.tensor([1.0, 2.0]), torch.tensor([2.0, 1.0])
    assert fingerprint([a]) == fingerprint([a.clone()]) != fingerprint([b])
    assert fingerprint([a.bfloat16()]) != fingerprint([b.bfloat16()])
