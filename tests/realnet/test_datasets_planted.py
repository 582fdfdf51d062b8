import numpy as np
import pytest

from linmodel import InvalidInput
from realnet.data import datasets
from realnet.data.planted import shrink
from tests.tolerances import ALGEBRA


@pytest.mark.parametrize("objects", ["fashion", "digits"])
@pytest.mark.parametrize("background", ["colour", "photo"])
def test_members_are_as_many_as_asked_and_of_their_classes(objects, background):
    classes = (1, 4, 7)
    data = datasets.load(
        "planted", 300, 2, objects=objects, background=background, fraction=0.06, classes=classes
    )
    assert data.members["opposing"].sum() == 18
    for label in classes:
        own = data.members[f"class {label}"]
        assert own.sum() == 6 and (data.labels[own] == label).all()
    assert data.inputs.shape[1] == 3


def test_the_signal_is_the_difference_to_the_same_data_without_it():
    planted, plain = (
        datasets.load("planted", 200, 3, fraction=0.1, magnitude=size) for size in (3.0, 1e-9)
    )
    raw = [
        data.inputs * np.array(data.provenance["sd"])[:, None, None]
        + np.array(data.provenance["mean"])[:, None, None]
        for data in (planted, plain)
    ]
    difference = np.abs(raw[0] - raw[1]).max(axis=(1, 2, 3))
    members = planted.members["opposing"]
    assert (difference[members] > 1).all()
    assert difference[~members].max() < 1e-3


@pytest.mark.parametrize("dials", [{"fraction": 0}, {"magnitude": 0}])
def test_nothing_planted_has_no_members_and_no_strength(dials):
    data = datasets.load("planted", 100, **dials)
    assert not data.members["opposing"].any() and data.provenance["strength"] == 0


def test_strength_grows_with_both_dials():
    def strength(**dials):
        return datasets.load("planted", 400, 1, **dials).provenance["strength"]

    assert strength(fraction=0.05, magnitude=2) < strength(fraction=0.05, magnitude=4)
    assert strength(fraction=0.02, magnitude=4) < strength(fraction=0.1, magnitude=4)


@pytest.mark.parametrize(
    ("dials", "said"),
    [
        ({"fraction": -0.1}, "fraction"),
        ({"fraction": 0.5}, "fraction"),
        ({"fraction": 1e-9}, "one member a class"),
        ({"magnitude": float("nan")}, "magnitude"),
        ({"classes": (0,)}, "classes"),
        ({"classes": (0, 0)}, "classes"),
        ({"classes": (0, 10)}, "classes"),
        ({"background": "sky"}, "background"),
        ({"objects": "cats"}, "objects"),
        ({"side": 5}, "side"),
        ({"strengh": 1}, "strengh"),
    ],
)
def test_bad_dials_are_refused(dials, said):
    with pytest.raises(InvalidInput, match=said):
        datasets.load("planted", 100, **dials)


def test_shrinking_averages_blocks():
    images = np.random.default_rng(0).random((3, 6, 6))
    small = shrink(images, 2)
    naive = [
        [[image[3 * r : 3 * r + 3, 3 * c : 3 * c + 3].mean() for c in (0, 1)] for r in (0, 1)]
        for image in images
    ]
    np.testing.assert_allclose(small, naive, rtol=ALGEBRA)
