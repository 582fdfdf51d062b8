from datetime import UTC, datetime

import pytest
from matplotlib.figure import Figure

from figures import experiment_tables, experiments
from linmodel import InvalidInput

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Every experiment, finished at the smallest size that its code can run at."""
    from realnet.bridge import profile, searching
    from realnet.experiments import (
        decisive,
        forecast,
        grokking,
        layers,
        measured,
        mechanism,
        roles,
        text,
        toy,
    )
    from realnet.experiments.definition import Scale
    from realnet.experiments.engine import run_experiment
    from realnet.experiments.registry import EXPERIMENTS

    out = tmp_path_factory.mktemp("experiments")
    with pytest.MonkeyPatch.context() as patch:
        for module, arms in ((decisive, 3), (roles, 2), (grokking, 2), (text, 2)):
            patch.setattr(module, "ARMS", dict(list(module.ARMS.items())[:arms]))
            patch.setattr(module, "STEPS", 100)
            patch.setattr(module, "SEEDS", 1 if module is text else 2)
        patch.setattr(mechanism, "STEPS", 100)
        patch.setattr(mechanism, "SMOOTHING", (0.0, 0.4))
        patch.setattr(grokking, "MODULUS", 7)
        patch.setattr(text, "CONTEXT", 8)
        patch.setattr(layers, "NETWORKS", {"mlp": layers.NETWORKS["mlp"] | {"width": 8}})
        # A search that finds something, not the best.
        patch.setattr(searching, "SCREENED", 20)
        patch.setattr(searching, "REFINED", 1)
        patch.setattr(searching, "POLISHING_ROUNDS", 1)
        patch.setattr(profile, "EVALUATIONS", 3)
        for settings in ("TOYS", "PLANTED"):
            patch.setattr(measured, settings, dict(list(getattr(measured, settings).items())[:1]))
        patch.setattr(measured, "SEEDS", 1)
        patch.setattr(measured, "RESAMPLES", 5)
        patch.setattr(measured, "CHECKPOINTS", 12)
        small = {"net": "mlp", "width": 8, "depth": 1, "size": 60, "time": 40.0, "small": 0.25}
        small["larger"] = (2.0, 3.0, 4.0)
        patch.setattr(forecast, "NETWORKS", {"mlp": small})
        patch.setattr(forecast, "DRAWS", 10)
        patch.setattr(forecast, "SEEDS", 1)
        patch.setattr(toy, "STEPS", 60)
        patch.setattr(toy, "SAMPLES", 200)
        for one in EXPERIMENTS.values():
            run_experiment(one, Scale(size=60, quick=True), out)
    return out


@pytest.mark.parametrize("name", list(experiments.DRAWERS))
def test_every_finished_experiment_has_a_figure_with_its_date(folder, name):
    drawn = experiments.figure(name, folder)
    assert isinstance(drawn, Figure) and drawn.axes
    drawn.canvas.draw()
    text = drawn._supxlabel.get_text()
    assert "today" in text and "quick run" in text and "cpu" in text


def test_the_real_arms_stand_beside_the_toys(folder):
    drawn = experiments.beside_toy(folder)
    drawn.canvas.draw()
    assert len(drawn.axes) == 6


@pytest.mark.parametrize("name", list(experiments.DRAWERS))
def test_every_experiment_has_tables_with_as_many_cells_as_headings(folder, name):
    from realnet.experiments.results import load_result

    tables = experiment_tables.tables(name, load_result(folder, name))
    for table in tables:
        assert table.rows and {len(row) for row in table.rows} == {len(table.heading)}


def test_tables_have_a_row_for_every_arm_and_description(folder):
    from realnet.experiments.results import load_result

    roles = experiment_tables.roles(load_result(folder, "roles"))[0]
    assert [row[0] for row in roles.rows] == ["baseline", "batch 16"]
    assert "[" in roles.rows[0][1], "an interval beside every mean"
    forecasts = experiment_tables.forecast(load_result(folder, "forecast"))[0]
    assert "reading" in {row[0] for row in forecasts.rows}


def test_what_is_not_finished_is_not_drawn(tmp_path):
    assert experiments.finished(tmp_path) == []
    with pytest.raises(InvalidInput, match="a finished one"):
        experiments.figure("roles", tmp_path)
    with pytest.raises(InvalidInput, match="decisive_strong"):
        experiments.figure("nothing", tmp_path)


def test_committed_curves_are_what_their_manifest_says_and_small():
    from realnet.experiments.results import load_result

    for name in experiments.finished():
        data = load_result(experiments.CURVES, name)
        assert '"quick": false' in data.attrs["configuration"]
    sizes = [path.stat().st_size for path in experiments.CURVES.glob("*.nc")]
    assert sum(sizes) < 5e6


def test_age_is_said_in_days():
    now = datetime(2026, 3, 4, tzinfo=UTC)
    assert experiments.age("2026-03-01T00:00:00+00:00", now) == "2026-03-01 (3 days ago)"
    assert experiments.age("2026-03-04T00:00:00+00:00", now) == "2026-03-04 (today)"
