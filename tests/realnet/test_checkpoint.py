"""A checkpoint is this run's own and whole, or it is refused, or the run begins again."""

from __future__ import annotations

import io
import os
import pickle
import zipfile

import numpy as np
import pytest
import torch

import realnet
from linmodel import InvalidInput
from linmodel.errors import Notice
from linmodel.files import hold, seal, unseal
from realnet.training import runfolder

SMALL = {"data": "digits", "size": 40, "width": 4, "depth": 1, "steps": 6, "every": 3}
SMALL |= {"step_size": 0.05}


def stop(count, note):
    raise KeyboardInterrupt


@pytest.fixture
def half(tmp_path):
    """A run interrupted after 3 steps."""
    with pytest.raises(KeyboardInterrupt):
        realnet.train(**SMALL, out=tmp_path / "run", checkpoint_every=3, report=stop)
    return tmp_path / "run"


def rewritten(folder, change):
    """The checkpoint's content as `change` leaves it, sealed again as if nothing were wrong."""
    file = folder / runfolder.CHECKPOINT
    found = torch.load(io.BytesIO(unseal(file.read_bytes())), weights_only=True)
    change(found)
    buffer = io.BytesIO()
    torch.save(found, buffer)
    file.write_bytes(seal(buffer.getvalue()))


@pytest.mark.parametrize("file", [runfolder.CHECKPOINT, runfolder.CURVES])
def test_a_flipped_bit_changes_no_curve(half, file):
    path, whole = half / file, realnet.train(**SMALL)
    content, generator = path.read_bytes(), np.random.default_rng(1)
    checkpoint = (half / runfolder.CHECKPOINT).read_bytes()
    for place in generator.integers(0, 8 * len(content), 6):
        (half / runfolder.CHECKPOINT).write_bytes(checkpoint)
        harmed = bytearray(content)
        harmed[place // 8] ^= 1 << (place % 8)
        path.write_bytes(harmed)
        if file == runfolder.CHECKPOINT:
            with pytest.warns(Notice, match="begins again"):
                assert realnet.train(**SMALL, out=half).identical(whole)
        else:
            assert realnet.train(**SMALL, out=half).identical(whole)
        assert realnet.load_run(half).identical(whole)


def test_a_finished_run_with_damaged_curves_has_them_from_its_checkpoint(tmp_path):
    whole = realnet.train(**SMALL, out=tmp_path / "run")
    curves = tmp_path / "run" / runfolder.CURVES
    content = bytearray(curves.read_bytes())
    content[len(content) // 2] ^= 4
    curves.write_bytes(content)
    with pytest.raises(InvalidInput, match="checksum differs"):
        realnet.load_run(tmp_path / "run")
    with pytest.warns(Notice, match="written again"):
        realnet.train(**SMALL, out=tmp_path / "run")
    assert realnet.load_run(tmp_path / "run").identical(whole)


@pytest.mark.parametrize("fields", [{"seed": 1}, {"step_size": 0.1}], ids=str)
def test_another_runs_checkpoint_is_refused(half, tmp_path, fields):
    with pytest.raises(KeyboardInterrupt):
        realnet.train(**SMALL | fields, out=tmp_path / "b", checkpoint_every=3, report=stop)
    os.replace(tmp_path / "b" / runfolder.CHECKPOINT, half / runfolder.CHECKPOINT)
    with pytest.raises(InvalidInput, match="another run's checkpoint"):
        realnet.train(**SMALL, out=half)


def test_a_tracker_state_of_another_version_is_told_to_who_trains(half):
    """The tracker's own advice, to start it anew, is for a loop of one's own."""

    def older(found):
        (tracker,) = (one["tracker"] for one in found["state"]["observers"].values())
        del tracker[next(name for name in tracker if name.startswith("jump_"))]

    rewritten(half, older)
    with pytest.raises(InvalidInput, match=r"another version .* wrote it\. Delete it"):
        realnet.train(**SMALL, out=half)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("step", -5),
        ("step", 10**9),
        ("step", 3.0),
        ("time", float("nan")),
        ("time", -1.0),
        ("threads", 100_000),
        ("threads", 0),
        ("point", torch.zeros(3)),
        ("model", {}),
        ("order", torch.zeros(4)),
        ("optimiser", {"sharpness": 3.0}),
        ("records", {}),
        ("tracker", [1]),
        ("more", 1),
    ],
)
def test_values_that_no_run_has_are_refused(half, part, value):
    rewritten(half, lambda found: found["state"].update({part: value}))
    with pytest.raises(InvalidInput, match=r"checkpoint\.pt"):
        realnet.train(**SMALL, out=half)


def test_what_would_run_or_swell_is_refused_unread(half, tmp_path):
    file = half / runfolder.CHECKPOINT

    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "witness"),)

    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data.pkl", bytes(2**24))
    evil = io.BytesIO()
    torch.save(Evil(), evil)
    for content, says in ((evil, "tensors and numbers"), (bomb, "larger than it is")):
        file.write_bytes(seal(content.getvalue()))
        with pytest.raises(InvalidInput, match=says) as caught:
            realnet.train(**SMALL, out=half)
        assert "weights_only" not in str(caught.value)
    file.write_bytes(seal(pickle.dumps(Evil())))
    with pytest.raises(InvalidInput, match="not a checkpoint"):
        realnet.train(**SMALL, out=half)
    assert not (tmp_path / "witness").exists()


def test_a_second_process_is_told_and_a_link_is_refused(half, tmp_path):
    with hold(half), pytest.raises(InvalidInput, match="Another one writes it now"):
        realnet.train(**SMALL, out=half)
    (tmp_path / "dead").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InvalidInput, match="dead link"):
        realnet.train(**SMALL, out=tmp_path / "dead")


def test_a_checkpoint_interval_beyond_the_end_costs_nothing(tmp_path):
    found = realnet.train(**SMALL, out=tmp_path / "run", checkpoint_every=10**15)
    assert found.attrs["status"] == "completed"
