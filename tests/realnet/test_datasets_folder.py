import numpy as np
import pytest
from PIL import Image

from linmodel import InvalidInput
from realnet.data import datasets
from realnet.data.interventions import raw_pixels
from tests.tolerances import SINGLE


def picture(seed, size=(8, 8), mode="RGB"):
    shape = (*size, 3) if mode == "RGB" else size
    values = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return Image.fromarray(values)


@pytest.fixture
def folder(tmp_path):
    """Two classes of four PNG files of 8 x 8 pixels, one of them in a sub-folder."""
    for label, name in enumerate(("cat", "dog")):
        (tmp_path / name / "more").mkdir(parents=True)
        for i in range(4):
            place = tmp_path / name / ("more" if i == 3 else ".")
            picture(10 * label + i).save(place / f"{i}.png")
    return tmp_path


def load(path, size=None, seed=0, **dials):
    return datasets.load("folder", size, seed, path=str(path), **dials)


def test_classes_are_sub_folders_and_pixels_those_of_the_files(folder):
    data = load(folder)
    assert data.inputs.shape == (8, 3, 8, 8) and data.provenance["classes"] == ["cat", "dog"]
    first = np.asarray(picture(0), dtype=float) / 255
    np.testing.assert_allclose(raw_pixels(data)[0], np.moveaxis(first, -1, 0), atol=SINGLE)
    assert data.provenance["notes"] == [] and data.describe([0, 7]) == [
        "class cat: 1",
        "class dog: 1",
    ]
    few = load(folder, size=4, seed=1)
    assert np.bincount(few.labels).tolist() == [2, 2]
    np.testing.assert_array_equal(few.inputs, load(folder, size=4, seed=1).inputs)


def test_grey_large_and_differently_sized_images_are_fitted_and_said(folder):
    picture(1, (40, 90)).save(folder / "cat" / "wide.jpg")
    picture(2, (8, 8), "L").save(folder / "dog" / "grey.bmp")
    data = load(folder)
    assert data.inputs.shape == (10, 3, 32, 32)
    notes = " ".join(data.provenance["notes"])
    assert "10 of 10 images scaled and cut to 32 x 32" in notes and "1 grey" in notes
    assert load(folder, side=16).inputs.shape == (10, 3, 16, 16)


def test_all_grey_images_have_one_channel_and_16_bits_are_read(tmp_path):
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for i in range(2):
            values = np.random.default_rng(i).integers(0, 65536, (6, 6)).astype(np.uint16)
            Image.fromarray(values).save(tmp_path / label / f"{i}.png")
    assert load(tmp_path).inputs.shape == (4, 1, 6, 6)


def spoil(folder):
    """A text, a cut-off image, one of one value, and one that would fill the memory."""
    (folder / "cat" / "notes.txt").write_text("no image")
    whole = (folder / "cat" / "1.png").read_bytes()
    (folder / "cat" / "1.png").write_bytes(whole[: len(whole) // 2])
    Image.new("RGB", (8, 8), (2, 2, 2)).save(folder / "dog" / "flat.png")
    Image.new("1", (14_000, 14_000)).save(folder / "dog" / "bomb.png")


def test_bad_images_are_named_counted_and_refused_or_skipped(folder):
    spoil(folder)
    with pytest.raises(InvalidInput) as caught:
        load(folder)
    said = str(caught.value)
    assert "4 bad files" in said and "notes.txt" in said and "bad=skip" in said
    assert "one value" in said and "\n" not in said
    with pytest.raises(InvalidInput, match=r"class cat has 3 readable images, 4 asked.*fewer"):
        load(folder, size=8, bad="skip")
    everything = load(folder, bad="skip")
    assert np.bincount(everything.labels)[0] == 3 and "4 skipped" in str(everything.provenance)
    data = load(folder, size=6, bad="skip", seed=3)
    assert len(data) == 6 and np.bincount(data.labels).tolist() == [3, 3]
    assert "skipped" in " ".join(data.provenance["notes"])


@pytest.mark.parametrize("layout", ["NHW", "NHWC", "NCHW"])
def test_arrays_in_an_npz_file_are_images_too(tmp_path, layout):
    values = np.random.default_rng(0).integers(0, 256, (6, 5, 5, 3), dtype=np.uint8)
    x = {"NHW": values[..., 0], "NHWC": values, "NCHW": np.moveaxis(values, -1, 1)}[layout]
    np.savez(tmp_path / "mine.npz", x=x, y=np.array([3, 5, 3, 5, 3, 5]))
    data = load(tmp_path / "mine.npz")
    assert data.inputs.shape == (6, 1 if layout == "NHW" else 3, 5, 5)
    assert data.labels.tolist() == [0, 1] * 3 and data.provenance["classes"] == ["3", "5"]
    np.testing.assert_allclose(raw_pixels(data)[:, 0], values[..., 0] / 255, atol=SINGLE)


def test_other_layouts_are_refused_in_one_sentence(folder, tmp_path):
    (tmp_path / "one" / "only").mkdir(parents=True)
    np.savez(tmp_path / "odd.npz", x=np.zeros((3, 4)), y=np.zeros(3))
    np.savez(tmp_path / "no_y.npz", x=np.zeros((3, 4, 4)))
    (folder / "empty").mkdir()
    for path, says in (
        ("", "path"),
        (tmp_path / "nothing", "class folders"),
        (tmp_path / "one", "two or more classes"),
        (folder, "empty"),
        (tmp_path / "odd.npz", r"\(N, H, W\)"),
        (tmp_path / "no_y.npz", "plain arrays x and y"),
    ):
        with pytest.raises(InvalidInput, match=says):
            load(path)
    for name in ("empty", "one/only", "one"):
        (folder / name).rmdir()
    with pytest.raises(InvalidInput, match="size is 50"):
        load(folder, size=50)
    with pytest.raises(InvalidInput, match="refuse or skip"):
        load(folder, bad="ignore")


def test_addition_modulo_p_has_every_pair_once():
    data = datasets.load("modular", None, 1, modulus=7, train_share=0.6)
    a, b = data.inputs[:, 0, 0].argmax(1), data.inputs[:, 1, 0].argmax(1)
    np.testing.assert_array_equal((a + b) % 7, data.labels)
    inputs, labels = data.held_out
    assert len(data) + len(labels) == 49
    pairs = np.concatenate([data.inputs, inputs]).reshape(49, -1)
    assert len(np.unique(pairs, axis=0)) == 49
    twins = set(zip(b.tolist(), a.tolist(), strict=True))
    trained = [(i, j) in twins for i, j in zip(a.tolist(), b.tolist(), strict=True)]
    np.testing.assert_array_equal(data.members["mirror trained"], trained)
    with pytest.raises(InvalidInput, match="at most 29"):
        datasets.load("modular", 30, 1, modulus=7, train_share=0.6)


def test_held_out_windows_are_the_rest_of_the_draw():
    whole = datasets.load("text", 8, 2, context=16)
    data = datasets.load("text", 5, 2, context=16, held_out=3)
    np.testing.assert_array_equal(data.inputs, whole.inputs[:5])
    np.testing.assert_array_equal(data.held_out[0], whole.inputs[5:])
