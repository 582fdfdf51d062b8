"""What a signal is said to be: enrichment, swings against chance, the gallery."""

import numpy as np
import pytest

from linmodel.errors import InvalidInput
from realnet.signals.chance import against_chance
from realnet.signals.enrichment import enrichment, sentence
from realnet.signals.gallery import SHOWN, Ends, gallery
from tests.tolerances import ALGEBRA

N = 120
LABELS = np.repeat(np.arange(4), N // 4)
NAMES = ("plane", "ship", "cat", "dog")


def test_enrichment_and_its_sentence_name_the_planted_feature_and_classes() -> None:
    generator = np.random.default_rng(0)
    plus, minus = np.arange(10), np.arange(30, 40)
    blue = generator.normal(size=N)
    blue[np.concatenate([plus, minus])] += 2
    features = {"blue": blue, "noise": generator.normal(size=N), "constant": np.ones(N)}
    rows = enrichment(plus, minus, features, LABELS, NAMES, draws=1999)
    low = {(one.side, one.feature) for one in rows if one.p <= 0.05}
    wanted = {("plus", "blue"), ("minus", "blue"), ("plus", "class plane"), ("minus", "class ship")}
    assert wanted <= low and ("plus", "noise") not in low
    assert not any(one.feature == "constant" for one in rows)
    blues = {one.side: one.difference for one in rows if one.feature == "blue"}
    assert blues["plus"] == pytest.approx((blue[plus].mean() - blue.mean()) / blue.std(), ALGEBRA)
    told = sentence(rows, len(plus), len(minus))
    assert "10 samples (plane 100%) against 10 samples (ship 100%)" in told
    assert "both sides: more blue" in told and "noise" not in told


def test_sides_without_anything_in_common_are_said_to_have_nothing() -> None:
    noise = np.random.default_rng(1).normal(size=N)
    rows = enrichment(np.arange(8), np.arange(40, 48), {"noise": noise}, LABELS, draws=199)
    assert "no single feature" in sentence(rows, 8, 8)


def test_an_empty_side_is_refused() -> None:
    with pytest.raises(InvalidInput, match="sides"):
        enrichment(np.arange(3), np.arange(0), {}, LABELS)


def swinging(loading, steps: int = 30, noise: float = 1e-3):
    generator = np.random.default_rng(0)
    signs = (-1.0) ** np.arange(steps) * np.linspace(0.5, 1.5, steps)
    return signs[:, None] * loading + noise * generator.normal(size=(steps, len(loading)))


def test_antiphase_of_any_two_groups_is_total_but_only_the_extremes_swing_far() -> None:
    """The planted error of the old measure: random groups, one direction, correlation -1."""
    loading = np.random.default_rng(2).normal(size=N)
    losses = swinging(loading)
    order = np.argsort(loading)
    extreme = against_chance(losses, LABELS, order[-8:], order[:8], draws=199)
    assert extreme.antiphase < -0.9 and extreme.antiphase_low < -0.9
    assert extreme.swing_p <= 0.005 and extreme.swing_ratio > 3
    chosen = np.random.default_rng(3).permutation(N)
    usual = against_chance(losses, LABELS, chosen[:8], chosen[8:16], draws=199)
    assert abs(usual.antiphase) > 0.9 and usual.swing_p > 0.05


def test_random_groups_keep_the_classes() -> None:
    """A class that swings as a whole is no opposing group: its random twins swing as far."""
    loading = np.where(LABELS == 0, 1.0, np.where(LABELS == 1, -1.0, 0.0))
    found = against_chance(swinging(loading), LABELS, np.arange(8), np.arange(30, 38), draws=199)
    assert found.antiphase < -0.9 and found.swing_p > 0.05


def test_too_few_steps_are_refused() -> None:
    with pytest.raises(InvalidInput, match="steps"):
        against_chance(np.zeros((4, N)), LABELS, np.arange(2), np.arange(2, 4))


def test_the_gallery_shows_both_ends_and_their_captions() -> None:
    images = np.random.default_rng(0).normal(size=(N, 3, 8, 8))
    ends = Ends("signal 1", np.arange(20), np.arange(50, 53))
    figure = gallery(images, [ends, ends], [NAMES[label] for label in LABELS])
    axes = [ax for part in figure.subfigs for ax in part.axes]
    assert sum(bool(ax.images) for ax in axes) == 2 * (SHOWN + 3)
    assert axes[0].get_xlabel() == "plane" and axes[0].get_ylabel() == "loss rises"
    with pytest.raises(InvalidInput, match="signals"):
        gallery(images, [])
