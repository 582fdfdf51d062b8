import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from linmodel import InvalidInput
from realnet.data import cifar, datasets
from realnet.data.inert_pickle import read_inert

RECORDS = 40


@pytest.fixture(autouse=True)
def small_files(monkeypatch):
    for layout in cifar.LAYOUTS.values():
        monkeypatch.setitem(layout.records, "train", RECORDS)
        monkeypatch.setitem(layout.records, "test", RECORDS)


def batch(seed, n_classes):
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 256, (RECORDS, cifar.PIXELS), dtype=np.uint8)
    return pixels, generator.permutation(np.arange(RECORDS) % n_classes)


def write_python(folder, name, protocol=2):
    layout = cifar.LAYOUTS[name]
    place = folder / layout.folders[0]
    place.mkdir()
    for index, stem in enumerate((*layout.train, *layout.test)):
        pixels, labels = batch(index, layout.n_classes)
        content = {b"data": pixels, layout.label_key: labels.tolist(), b"batch_label": b"x"}
        (place / stem).write_bytes(pickle.dumps(content, protocol=protocol))
    return place


def write_binary(folder, name):
    layout = cifar.LAYOUTS[name]
    place = folder / layout.folders[1]
    place.mkdir()
    for index, stem in enumerate((*layout.train, *layout.test)):
        pixels, labels = batch(index, layout.n_classes)
        head = np.zeros((RECORDS, layout.label_bytes), dtype=np.uint8)
        head[:, -1] = labels
        (place / f"{stem}.bin").write_bytes(np.hstack([head, pixels]).tobytes())
    return place


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
@pytest.mark.parametrize("part", ["train", "test"])
def test_both_formats_give_the_same_images(tmp_path, name, part):
    (tmp_path / "p").mkdir()
    (tmp_path / "b").mkdir()
    write_python(tmp_path / "p", name)
    write_binary(tmp_path / "b", name)
    first = datasets.load(name, folder=tmp_path / "p", part=part)
    other = datasets.load(name, folder=tmp_path / "b", part=part)
    assert first.inputs.shape == (len(getattr(cifar.LAYOUTS[name], part)) * RECORDS, 3, 32, 32)
    np.testing.assert_array_equal(first.inputs, other.inputs)
    np.testing.assert_array_equal(first.labels, other.labels)
    assert first.n_classes == cifar.LAYOUTS[name].n_classes


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_every_pickle_protocol_that_arrays_are_written_in(tmp_path, protocol):
    place = write_python(tmp_path, "cifar10", protocol)
    data = datasets.load("cifar10", folder=place, part="test")
    np.testing.assert_array_equal(data.labels, batch(5, 10)[1])


def test_a_pickle_as_python_2_wrote_it(tmp_path):
    # Text opcodes S and c of protocol 0/1, with str for what is bytes today.
    state = b"(I1\n(I1\nI3\ntcnumpy\ndtype\n(S'u1'\nI0\nI1\ntRI00\nS'abc'\ntb"
    content = b"(dS'data'\ncnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
    path = tmp_path / "old"
    path.write_bytes(content + state + b"s.")
    assert read_inert(path)[b"data"].tolist() == [[97, 98, 99]]


class Malicious:
    def __init__(self, call, *arguments):
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_malicious_pickle_runs_nothing(tmp_path, protocol):
    place = write_python(tmp_path, "cifar10")
    witness = tmp_path / "witness"
    for evil in (
        Malicious(os.system, f"touch {witness}"),
        Malicious(eval, f"open({str(witness)!r}, 'w')"),
        {b"data": Malicious(Path.touch, witness), b"labels": []},
        Malicious(np.load, str(witness)),
    ):
        content = pickle.dumps(evil, protocol=protocol)
        (place / "test_batch").write_bytes(content)
        with pytest.raises(InvalidInput, match="never run"):
            datasets.load("cifar10", folder=tmp_path, part="test")
        assert not witness.exists()
    pickle.loads(pickle.dumps(Malicious(os.system, f"touch {witness}"), protocol=protocol))
    assert witness.exists(), "the planted pickle must be one that would have run"


def test_names_reached_through_an_allowed_module_are_refused(tmp_path):
    path = tmp_path / "evil"
    for name in (b"numpy\nload", b"numpy.core.multiarray\nfromfile", b"_codecs\nlookup"):
        path.write_bytes(b"c" + name + b"\n(S'x'\ntR.")
        with pytest.raises(InvalidInput, match="never run"):
            read_inert(path)
    path.write_bytes(b"c_codecs\nencode\n(Vx\nVbz2\ntR.")
    with pytest.raises(InvalidInput, match="codec"):
        read_inert(path)


def test_shared_children_cost_no_more_than_once(tmp_path):
    path = tmp_path / "shared"
    child: object = {b"x": 1}
    for _ in range(100):
        child = {b"a": child, b"b": child}
    path.write_bytes(pickle.dumps({b"data": child}, protocol=2))
    assert set(read_inert(path)) == {b"data"}
    key: tuple = ()
    hard = b"\x80\x02)" + b"2\x86" * 300  # t = (t, t) 300 times, then a key of a dictionary
    for content, says in (
        (hard + b"q\x00}h\x00K\x01s.", "keys"),
        (hard + b"\x91.", "set|truncated"),
        (b"\x80\x02}(" + hard[2:] + b"K\x01u.", "keys"),
        (pickle.dumps({frozenset([key])}, protocol=4), "set"),
    ):
        path.write_bytes(content)
        with pytest.raises(InvalidInput, match=says):
            read_inert(path)


def test_one_text_named_many_times_does_not_swell(tmp_path, monkeypatch):
    monkeypatch.setattr("realnet.data.inert_pickle.LARGEST", 10**5)
    path = tmp_path / "swelling"
    word = b"X" + (10**4).to_bytes(4, "little") + b"a" * 10**4 + b"q\x01"
    name = b"X\x06\x00\x00\x00latin1q\x02"
    again = b"c_codecs\nencode\nh\x01h\x02\x86R"
    path.write_bytes(b"\x80\x02(" + word + name + again * 20 + b"l.")
    with pytest.raises(InvalidInput, match="swells"):
        read_inert(path)


def test_object_arrays_and_other_types_are_refused(tmp_path):
    path = tmp_path / "array"
    for array in (np.array([None, []], dtype=object), np.ones(3)):
        path.write_bytes(pickle.dumps({b"data": array}, protocol=2))
        with pytest.raises(InvalidInput, match="u1"):
            read_inert(path)


def test_truncated_folders_are_named(tmp_path):
    place = write_python(tmp_path, "cifar10")
    whole = (place / "data_batch_4").read_bytes()
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        (place / "data_batch_4").write_bytes(whole[:length])
        with pytest.raises(InvalidInput, match="data_batch_4 is truncated"):
            datasets.load("cifar10", folder=tmp_path)
    (place / "data_batch_4").unlink()
    with pytest.raises(InvalidInput, match="lacks data_batch_4"):
        datasets.load("cifar10", folder=tmp_path)
    with pytest.raises(InvalidInput, match="cifar-10-batches-py"):
        datasets.load("cifar10", folder=tmp_path / "nowhere")
    with pytest.raises(InvalidInput, match="part"):
        datasets.load("cifar10", folder=tmp_path, part="valid")


def test_truncated_binary_files_are_named(tmp_path):
    place = write_binary(tmp_path, "cifar100")
    whole = (place / "train.bin").read_bytes()
    for length in (0, len(whole) - 1, len(whole) - 2 - cifar.PIXELS):
        (place / "train.bin").write_bytes(whole[:length])
        with pytest.raises(InvalidInput, match=r"train\.bin has"):
            datasets.load("cifar100", folder=tmp_path)


def test_foreign_and_inconsistent_batches_are_refused(tmp_path):
    place = write_python(tmp_path, "cifar10")
    pixels, labels = batch(5, 10)
    for content, said in (
        ([1, 2], "not this format"),
        ({b"data": pixels}, "not this format"),
        ({b"data": pixels[:-1], b"labels": labels.tolist()}, "truncated"),
        ({b"data": pixels, b"labels": labels.tolist()[:-1]}, "truncated"),
        ({b"data": pixels, b"labels": ["cat"] * RECORDS}, "whole numbers"),
        ({b"data": pixels, b"labels": [10] * 20 + [1] * 20}, "from 0 to 9"),
        ({b"data": pixels, b"labels": [10**30] * RECORDS}, "from 0 to 9"),
    ):
        (place / "test_batch").write_bytes(pickle.dumps(content, protocol=2))
        with pytest.raises(InvalidInput, match=said):
            datasets.load("cifar10", folder=tmp_path, part="test")
