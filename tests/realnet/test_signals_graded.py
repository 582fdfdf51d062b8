"""Graded signals: found where planted, refused where only opposition is there."""

import numpy as np
import pytest
import xarray as xr

from linmodel.errors import InvalidInput
from realnet.signals.features import components, image_features, standardised
from realnet.signals.graded import find_graded_signals
from realnet.signals.loadings import loadings, swing_matrix
from realnet.signals.permutations import alike, differences, holm, tied, two_targets, within
from tests.tolerances import ALGEBRA

N, STEPS, ETA = 300, 60, 0.1
LOOKS = (5, 20, 40)


def made(loading, labels, seed: int = 0, near: float = 1.0, alternating: bool = True) -> xr.Dataset:
    """Evidence of a run whose losses fall smoothly and swing by +-loading at every step."""
    generator = np.random.default_rng(seed)
    time = np.arange(STEPS + 1)
    signs = (-1.0) ** time if alternating else np.ones(STEPS + 1)
    trend = np.exp(-time / 50)[:, None] * generator.uniform(0.5, 1.5, N)
    noise = 1e-3 * generator.normal(size=(STEPS + 1, N))
    losses = trend + 0.05 * signs[:, None] * loading + noise
    slopes = loading + 0.1 * generator.normal(size=(len(LOOKS), 1, N))
    return xr.Dataset(
        {
            "loss": (("time", "sample"), losses),
            "slope": (("checkpoint", "direction", "sample"), slopes),
            "curvature": (("checkpoint", "direction", "sample"), slopes**2),
            "eigenvalue": (("checkpoint", "direction"), np.full((3, 1), near * 2 / ETA)),
            "label": ("sample", labels),
        },
        coords={
            "time": ("time", ETA * time),
            "checkpoint": ("checkpoint", ETA * np.array(LOOKS)),
            "checkpoint_step": ("checkpoint", np.array(LOOKS)),
        },
        attrs={"step_size": ETA},
    )


def planted(seed: int = 0, told: float = 1.0):
    """A graded feature, two classes that it sets against each other, three that it leaves alone.

    told: how much more of the feature the two classes have; 0: it says nothing about labels.
    """
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(5), N // 5)
    feature = generator.standard_t(3, size=N) + told * (labels < 2)
    target = np.where(labels == 0, 1.0, np.where(labels == 1, -1.0, 0.0))
    loading = np.maximum(feature, 0) * target + 0.05 * generator.normal(size=N)
    looks = np.column_stack([feature, generator.normal(size=(N, 3))])
    return loading, labels, looks


def test_a_graded_signal_is_found_with_its_sides_and_their_feature() -> None:
    loading, labels, looks = planted()
    (signal,) = find_graded_signals(made(loading, labels), {"looks": looks}, draws=1999)
    assert signal.found and signal.p_value <= 0.01
    assert {"concentration", "feature", "classes", "persistence"} <= set(signal.holds)
    sides = {tuple(np.unique(labels[side])) for side in (signal.plus, signal.minus)}
    assert sides == {(0,), (1,)}
    assert abs(np.corrcoef(signal.values, loading)[0, 1]) > 0.99
    weights = signal.values**2 * (signal.values > 0)
    assert signal.effective_plus == pytest.approx(weights.sum() ** 2 / (weights**2).sum(), ALGEBRA)
    assert weights[signal.plus].sum() >= weights.sum() / 2 > weights[signal.plus[:-1]].sum()


@pytest.mark.parametrize("which", ["feature of nothing", "labels of nothing", "Gaussian loadings"])
def test_opposition_alone_is_no_discovery(which: str) -> None:
    loading, labels, looks = planted()
    generator = np.random.default_rng(7)
    if which == "feature of nothing":
        looks = generator.normal(size=looks.shape)
    elif which == "labels of nothing":
        labels = generator.permutation(labels)
    else:
        loading = generator.normal(size=N)
    found = find_graded_signals(made(loading, labels), {"looks": looks}, draws=1999)
    assert len(found) == 1 and not found[0].found


def test_opposition_with_labels_dealt_out_at_random_is_listed_and_not_found() -> None:
    """Look and labels conflict there too; what is missing is that the look goes with the labels."""
    loading, labels, looks = planted(told=0.0)
    (signal,) = find_graded_signals(made(loading, labels), {"looks": looks}, draws=1999)
    assert {"concentration", "feature"} <= set(signal.holds) and "classes" not in signal.holds
    assert not signal.found and signal.p_value == signal.tied["looks"].p


def test_penultimate_features_are_tested_and_decide_nothing() -> None:
    loading, labels, looks = planted()
    evidence = made(loading, labels)
    columns = np.repeat(np.abs(loading)[None, :, None], len(LOOKS), axis=0)
    evidence["penultimate"] = (("checkpoint", "sample", "component"), columns)
    (with_,) = find_graded_signals(evidence, {"looks": looks}, draws=199)
    (without,) = find_graded_signals(made(loading, labels), {"looks": looks}, draws=199)
    assert without.penultimate is None and with_.penultimate.p <= 0.01
    assert with_.p_value == without.p_value


def test_false_alarms_stay_below_the_level() -> None:
    generator = np.random.default_rng(3)
    labels = np.repeat(np.arange(5), N // 5)
    alarms = 0
    for seed in range(20):
        evidence = made(generator.standard_t(3, size=N), labels, seed)
        looks = {"looks": generator.normal(size=(N, 4))}
        alarms += sum(s.found for s in find_graded_signals(evidence, looks, level=0.05, draws=99))
    assert alarms <= 3


def test_what_does_not_alternate_is_no_loading() -> None:
    loading, labels, _ = planted()
    assert len(loadings(made(loading, labels))) == len(LOOKS)
    assert loadings(made(loading, labels, alternating=False)) == []


def test_loadings_that_the_top_eigenvectors_do_not_confirm_are_left_out() -> None:
    loading, labels, _ = planted()
    evidence = made(loading, labels)
    evidence["slope"] = evidence.slope * 0 + np.random.default_rng(0).normal(size=N)
    assert loadings(evidence) == []


def test_far_from_the_edge_is_refused_in_a_sentence() -> None:
    loading, labels, looks = planted()
    with pytest.raises(InvalidInput, match=r"sharpness .* at most is '0.50'"):
        find_graded_signals(made(loading, labels, near=0.5), {"looks": looks})


@pytest.mark.parametrize("name", ["loss", "slope", "curvature", "eigenvalue"])
def test_a_variable_of_nan_is_refused_in_a_sentence(name) -> None:
    loading, labels, looks = planted()
    evidence = made(loading, labels)
    evidence[name] = evidence[name] * np.nan
    with pytest.raises(InvalidInput, match=f"not finite in {name}"):
        find_graded_signals(evidence, {"looks": looks})


@pytest.mark.parametrize(
    "features", [{}, {"x": np.ones((N, 2))}, {"x": np.ones((3, 2))}, {"x": np.full((N, 1), np.nan)}]
)
def test_features_that_cannot_tell_are_refused(features) -> None:
    loading, labels, _ = planted()
    with pytest.raises(InvalidInput, match="features"):
        find_graded_signals(made(loading, labels), features)


def test_swings_are_half_second_differences_less_their_mean() -> None:
    losses = np.random.default_rng(0).normal(size=(5, 4))
    naive = np.array(
        [
            [(losses[t + 2, i] - 2 * losses[t + 1, i] + losses[t, i]) / 2 for i in range(4)]
            for t in range(3)
        ]
    )
    naive -= naive.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(swing_matrix(losses), naive, atol=ALGEBRA)


def test_permutations_stay_within_classes_and_the_statistic_is_the_naive_one() -> None:
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 5)
    values = generator.normal(size=15)
    for dealt in within(values, labels, 300, generator):
        for label in range(3):
            own = np.sort(dealt[:, labels == label], axis=1)
            np.testing.assert_array_equal(
                own, np.tile(np.sort(values[labels == label]), (len(own), 1))
            )
    plus, minus = np.maximum(values, 0), np.maximum(-values, 0)
    features = generator.normal(size=(15, 2))
    naive = sum(
        plus[i] * minus[j] * features[i] @ features[j] for i in range(15) for j in range(15)
    )
    assert alike(plus, minus, features, labels, 99, 0).value == pytest.approx(naive, ALGEBRA)


def test_two_targets_by_hand() -> None:
    labels = np.array([0, 0, 1, 1])
    plus, minus = np.array([0.5, 0.5, 0, 0]), np.array([0, 0, 0.5, 0.5])
    assert two_targets(plus, minus, labels, 99, 0).value == 1.0


def test_tied_is_the_between_class_share_of_the_variance() -> None:
    labels = np.array([0, 0, 1, 1])
    found = tied(np.array([1.0, 3.0, 5.0, 7.0]), labels, 999, 0)
    assert found.value == pytest.approx(16 / 20) and found.p == pytest.approx(1 / 3, abs=0.06)


def test_holm_by_hand() -> None:
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03])), [0.03, 0.06, 0.06])
    gaps = np.array([[0.01, np.nan], [0.04, 0.03]])
    np.testing.assert_allclose(holm(gaps), [[0.03, np.nan], [0.06, 0.06]])


def test_differences_find_the_planted_column_only() -> None:
    generator = np.random.default_rng(0)
    columns = standardised(generator.normal(size=(200, 2)))
    members = np.argsort(-columns[:, 0])[:20]
    value, p = differences(members, columns, 499, generator)
    assert value[0] > 1 and p[0] <= 0.002 < 0.05 < p[1]


def test_features_of_pictures_by_hand() -> None:
    flat, half = np.zeros((3, 8, 8)), np.zeros((3, 8, 8))
    half[2] = 0.9  # blue
    object_ = np.zeros((3, 8, 8))
    object_[:, 3:5, 3:5] = 1.0
    found = image_features(np.stack([flat, half, object_]))
    np.testing.assert_allclose(found["brightness"], [0, 0.3, 4 / 64])
    np.testing.assert_allclose(found["blue"], [0, 0.6, 0])
    np.testing.assert_allclose(found["object"], [0, 0, 1])
    np.testing.assert_allclose(found["border"], [0, 0.3, 0], atol=ALGEBRA)
    with pytest.raises(InvalidInput, match="images"):
        image_features(np.zeros((3, 8, 8)))


def test_components_are_the_principal_ones() -> None:
    inputs = np.random.default_rng(0).normal(size=(40, 2, 3)) * [3.0, 1.0, 0.1]
    scores = components(inputs, 3)
    flat = inputs.reshape(40, -1) - inputs.reshape(40, -1).mean(axis=0)
    _, vectors = np.linalg.eigh(flat.T @ flat)
    naive = flat @ vectors[:, ::-1][:, :3]
    for own, other in zip(scores.T, naive.T, strict=True):
        assert abs(np.corrcoef(own, other)[0, 1]) == pytest.approx(1, ALGEBRA)
