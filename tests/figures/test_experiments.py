import re

import pytest
from matplotlib.figure import Figure

from figures.experiments import forecast, roles
from figures.experiments.kit import shown
from linmodel import InvalidInput

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Every experiment, finished at the smallest size that its code can run at."""
    from realnet.experiments.kit.definition import Scale
    from realnet.experiments.kit.engine import run_experiment
    from tests.figures.small_experiments import small_experiments

    out = tmp_path_factory.mktemp("experiments")
    for one in small_experiments():
        run_experiment(one, Scale(size=60, quick=True), out)
    return out


@pytest.mark.parametrize("name", list(shown.pages()))
def test_every_finished_experiment_has_a_figure_with_its_date(folder, name):
    drawn = shown.figure(name, folder)
    assert isinstance(drawn, Figure) and drawn.axes
    drawn.canvas.draw()
    text = drawn._supxlabel.get_text()
    assert re.search(r"Made \d{4}-\d\d-\d\d on cpu", text) and "quick run" in text


def test_the_real_arms_stand_beside_the_toys(folder):
    drawn = shown.beside_toy(folder)
    drawn.canvas.draw()
    assert len(drawn.axes) == 6


@pytest.mark.parametrize("name", list(shown.pages()))
def test_every_experiment_has_tables_with_as_many_cells_as_headings(folder, name):
    from realnet.experiments.kit.results import load_result

    tables = shown.pages()[name].tables(load_result(folder, name))
    for table in tables:
        assert table.rows and {len(row) for row in table.rows} == {len(table.heading)}


def test_tables_have_a_row_for_every_arm_and_description(folder):
    from realnet.bridge.rules import RULES
    from realnet.experiments.kit.results import load_result

    table = roles.tables(load_result(folder, "roles"))[0]
    assert [row[0] for row in table.rows] == ["baseline", "batch 16"]
    assert "[" in table.rows[0][1], "an interval beside every mean"
    forecasts = forecast.tables(load_result(folder, "forecast"))[0]
    assert set(RULES) == {row[0] for row in forecasts.rows}


def test_what_is_not_finished_is_not_drawn(tmp_path):
    assert shown.finished(tmp_path) == []
    with pytest.raises(InvalidInput, match="a finished one"):
        shown.figure("roles", tmp_path)
    with pytest.raises(InvalidInput, match="decisive_strong"):
        shown.figure("nothing", tmp_path)


def test_committed_curves_are_what_their_manifest_says_and_small():
    from realnet.experiments.kit.results import load_result

    for name in shown.finished():
        data = load_result(shown.CURVES, name)
        assert '"quick": false' in data.attrs["configuration"]
    sizes = [path.stat().st_size for path in shown.CURVES.glob("*.nc")]
    assert sum(sizes) < 5e6


def test_every_experiment_has_its_page_and_caption():
    from realnet.experiments.kit.registry import experiments

    assert set(experiments()) == set(shown.pages())
    assert all(page.CAPTIONS[name] for name, page in shown.pages().items())
