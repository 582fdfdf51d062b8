"""Crisp and graded signals in one answer: JSON, lines, the gallery's file."""

import json

import numpy as np
import pytest

from linmodel.errors import InvalidInput
from realnet.config import TrainConfig
from realnet.data.samples import Samples
from realnet.signals.answer import answers
from realnet.signals.command import _from_training
from realnet.signals.drawn import draw
from realnet.signals.groups import OpposingPair
from realnet.signals.printed import as_json, lines
from realnet.training.run import Run
from tests.realnet.test_signals_graded import N, made, planted

NAMED = {"mode", "plus", "minus", "p_value", "energy_share", "curvature_share"}
NAMED |= {"effective_plus", "effective_minus", "enrichment"}


@pytest.fixture(scope="module")
def pictured():
    """Evidence of a graded signal, and images whose brightness is its feature."""
    loading, labels, looks = planted()
    images = np.random.default_rng(0).normal(size=(N, 3, 8, 8)) + 3 * looks[:, 0, None, None, None]
    evidence = made(loading, labels)
    evidence["curvature"] = evidence.curvature + 1e-6
    return evidence, images, labels


def test_the_signal_is_answered_with_the_names_that_users_build_on(pictured, tmp_path) -> None:
    evidence, images, labels = pictured
    signals, notes = answers(evidence, [], images)
    assert notes == [] and signals[0].found and signals[0].mode == "graded"
    (one,) = json.loads(as_json(signals, notes))["pairs"]
    assert set(one) >= NAMED
    assert {"side", "feature", "difference", "p"} <= set(one["enrichment"][0])
    assert {labels[one["plus"]].max(), labels[one["minus"]].max()} == {0, 1}
    assert any("brightness" in line and "signal 1 (graded)" in line for line in lines(signals, []))
    samples = Samples(images.astype(np.float32), labels, "made", 5)
    file = tmp_path / "ends.png"
    assert str(file) in draw(file, samples, signals, None)
    assert file.read_bytes().startswith(b"\x89PNG")


def test_a_crisp_pair_of_the_same_samples_is_told_once(pictured) -> None:
    evidence, images, _ = pictured
    (graded,), _ = answers(evidence, [], images)
    plus, minus = np.array(graded.plus), np.array(graded.minus)
    pair = OpposingPair(plus, minus, 2.0, 0.001, np.zeros(N), -1.0, ("a view",))
    (told,), _ = answers(evidence, [pair], images)
    assert told.mode == "crisp" and set(told.plus) == set(graded.plus)
    assert told.curvature_share == pytest.approx(graded.curvature_share, abs=0.1)


def test_far_from_the_edge_and_without_images_the_reason_is_said(pictured, tmp_path) -> None:
    evidence, images, labels = pictured
    far = made(planted()[0], labels, near=0.3)
    signals, notes = answers(far, [], images)
    assert signals == [] and "sharpness" in notes[0]
    assert lines(signals, notes)[-1] == "no opposing signal beats its null"
    assert json.loads(as_json(signals, notes))["notes"] == notes
    assert "images only" in answers(evidence, [])[1][0]
    samples = Samples(images.astype(np.float32), labels, "made", 5)
    assert draw(tmp_path / "none.png", samples, [], None) == "no gallery: no signal found"
    assert not (tmp_path / "none.png").exists()


def test_records_that_skip_steps_are_refused(pictured) -> None:
    evidence, images, _ = pictured
    signals, notes = answers(evidence.isel(time=slice(None, None, 2)), [], images)
    assert signals == [] and "every step" in notes[0]


def test_too_few_samples_are_refused_before_anything_is_trained(monkeypatch) -> None:
    monkeypatch.setattr(Run, "advance", lambda _: pytest.fail("a step was taken"))
    few = TrainConfig(data="digits", size=20, steps=3, observe=("evidence=1",))
    with pytest.raises(InvalidInput, match="number of samples"):
        _from_training(few)
