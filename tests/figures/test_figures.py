"""Every toy figure is drawn from data of which its caption is true."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from figures import bridge, closed_form, edge, ledger, oscillation, real_run, settling
from figures.catalogue import module, names
from figures.findings import proofs
from figures.options import Options, Work
from figures.style import panels, save, thin
from linmodel.errors import InvalidInput
from proofs_check import claims_table
from tests.figures.made import bridge_data, ledger_data, run_data

WORK = Work(Options(), Path("unused"))


@pytest.fixture(scope="module")
def data():
    return {
        "edge": edge.compute(WORK),
        "oscillation": oscillation.compute(WORK),
        "closed_form": closed_form.compute(WORK),
        "settling": settling.compute(Work(Options(sweep_points=5), Path("unused"))),
        "ledger": ledger_data(),
        "real_run": run_data(),
        "bridge": bridge_data(),
    }


def test_edge_caption(data):
    flow, below, above = (data["edge"][key] for key in ("flow", "below", "above"))
    limit = edge.limit_curvature()
    assert float(flow.opposing_curvature[-1]) == pytest.approx(limit, rel=1e-6)
    falling = np.diff(flow.opposing_curvature) < 0
    # One minimum: falling, then rising for ever.
    assert falling[0] and not falling[-1] and np.abs(np.diff(falling.astype(int))).sum() == 1
    assert np.isnan(below.t_edge) and float(below.sharpness.max()) < below.attrs["two_over_eta"]
    assert float(above.t_edge) > 0
    level = above.attrs["two_over_eta"]
    assert float(above.sharpness.max()) > limit > level
    assert 0 < float(above.opposing_curvature[-1]) < level
    assert above.attrs["status"] == "completed"


def test_oscillation_caption(data):
    steps = data["oscillation"]["descent"]
    first, last = oscillation.window(steps)
    cut = steps.isel(time=slice(first, last + 1))
    turns = steps.attrs["step_size"] * cut.opposing_curvature.values[:-1]
    signs = np.sign(cut.o.values)
    np.testing.assert_array_equal(signs[1:] != signs[:-1], turns > 1)
    np.testing.assert_array_equal(np.diff(np.abs(cut.o.values)) > 0, turns > 2)
    small = np.abs(cut.c * cut.o).values < 1
    both = small[1:] & small[:-1]
    plus, minus = np.diff(cut.loss_plus)[both], np.diff(cut.loss_minus)[both]
    assert (plus * minus < 0).all()


def test_closed_form_caption(data):
    for key in closed_form.CASES:
        exact = data["closed_form"][f"{key}_exact"].sharpness
        integrated = data["closed_form"][f"{key}_integrated"].sharpness
        assert float(np.abs(integrated / exact - 1).max()) < closed_form.PROMISED


def test_settling_caption(data):
    for key in settling.PROBLEMS:
        found = data["settling"][key].verdict
        assert (found.sel(edge=slice(0, 1.9)) == settling.THEOREM)[:-1].all()
        assert (found.isel(edge=-1, log10_o0=0) == settling.GONE).all()
        assert sum(settling.shares(data["settling"][key]).values()) == pytest.approx(1)


@pytest.mark.parametrize("name", names())
def test_every_figure_is_drawn_with_labelled_axes(name, data, tmp_path):
    if name not in data:
        pytest.skip("tested by its owner's own tests")
    figure = module(name).draw(data[name])
    assert isinstance(figure, Figure)
    for axes in figure.axes:
        if axes.axison and axes.lines:
            shared = axes.get_shared_x_axes().get_siblings(axes)
            assert axes.get_ylabel() and any(each.get_xlabel() for each in shared)
    path = save(figure, tmp_path / f"{name}.png")
    assert path.stat().st_size > 10_000


@pytest.mark.parametrize(
    "name", ["edge", "oscillation", "settling", "closed_form", "ledger", "real_run", "bridge"]
)
def test_modules_keep_the_contract(name):
    source = module(name)
    assert name == source.NAME
    assert source.TITLE and source.CAPTION
    assert set(source.OPTIONS) <= set(Options().as_dict())


def test_words_report_what_was_measured():
    text = " ".join(real_run.words(run_data()))
    assert "rises through 2/η at time 1.5" in text
    text = " ".join(real_run.words(run_data(reaches=False)))
    assert "does not rise through 2/η" in text
    text = " ".join(bridge.words(bridge_data()))
    assert "status ok" in text and "observed 1.5" in text


def test_a_verdict_that_is_not_the_recorded_one_is_named():
    table = ledger_data()
    assert "recorded one" in ledger.words(table)[0]
    table["claims"]["verdict"][1] = "open"
    assert "Not as recorded: F4" in ledger.words(table)[0]


def test_no_statement_is_left_out_of_the_ledgers_pictures():
    """E1 to E8 were: their letter had no name."""
    assert {claim["id"][0] for claim in claims_table()} <= set(ledger.FAMILIES)
    names = ["M1", "E3", "E4", "Q7", *(f"F{i}" for i in range(30))]
    placed = [name for members in ledger.families(names).values() for name in members]
    assert sorted(placed) == sorted(names)
    table = {"claims": ledger_data()["claims"].assign_coords(claim=["M1", "E3", "Q7"])}
    _, drawn = proofs.verdicts(table)
    counts = [text.get_text() for text in drawn.axes[0].texts]
    assert sum(map(int, counts)) == 3


def test_thinning_keeps_the_peak():
    x = np.arange(100_000.0)
    y = np.sin(x / 1000)
    y[54_321] = 9.0
    few_x, few_y = thin(x, y)
    assert len(few_x) < 4000
    assert few_y.max() == 9.0


def test_saving_refuses_other_formats(tmp_path):
    figure, _ = panels(1, 1, (2, 2))
    with pytest.raises(InvalidInput, match=r"\.png, \.svg or \.pdf"):
        save(figure, tmp_path / "figure.bmp")
    with pytest.raises(InvalidInput, match="output folder"):
        save(figure, tmp_path / "missing" / "figure.png")
    assert list(tmp_path.iterdir()) == []


def test_unknown_figures_list_what_exists():
    with pytest.raises(InvalidInput, match=r"edge.*ledger.*report"):
        module("nonsense")


@pytest.mark.parametrize(
    "wrong", [{"steps": 0}, {"train_size": -3}, {"step_size": float("nan")}, {"every": 0.5}]
)
def test_bad_options_are_refused(wrong):
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        Options(**wrong)
