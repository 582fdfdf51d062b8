from types import SimpleNamespace

import numpy as np
import xarray as xr

from figures import signals
from figures.options import Options, Work
from realnet.signals.numbers import DEFINITIONS


def test_a_small_run_gives_figure_words_and_every_number(tmp_path):
    datasets = signals.compute(Work(Options(train_size=120, steps=20), tmp_path))
    numbers = datasets["numbers"]
    assert numbers.sizes["pair"] >= 1
    figure = signals.draw(datasets)
    titles = [axes.get_title("left") for axes in figure.axes]
    assert "Members of the groups" in titles
    assert "planted" in signals.words(datasets)[0]
    (table,) = signals.tables(datasets)
    assert {row[0] for row in table.rows} == set(DEFINITIONS)


def test_a_run_without_groups_says_so():
    time = ("change_time", 0.1 * np.arange(5))
    datasets = {
        "numbers": xr.Dataset({"change_sd": ("change_time", np.ones(5))}, {"change_time": time})
    }
    assert signals.words(datasets) == ["No opposing groups were found in this run."]
    assert signals.tables(datasets) == []
    texts = [text.get_text() for axes in signals.draw(datasets).axes for text in axes.texts]
    assert texts == 3 * ["no groups found"]


def test_grey_images_are_drawn_too():
    pair = SimpleNamespace(plus=np.array([0, 1]), minus=np.array([2, 3]), members=np.arange(4))
    data = SimpleNamespace(
        inputs=np.random.default_rng(0).random((4, 1, 3, 3)),
        labels=np.array([0, 0, 1, 1]),
        members={},
        provenance={"mean": [0.0], "sd": [1.0]},
    )
    numbers = signals.add_members(xr.Dataset(), data, pair)
    assert numbers.images.shape == (2, 2, 3, 3, 1)
    assert 0 <= float(numbers.images.min()) <= float(numbers.images.max()) <= 1
    assert int(numbers.planted) == 0
