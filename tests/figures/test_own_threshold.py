"""Where a run has recorded its optimiser's own threshold, that is its edge, and not 2/eta."""

import numpy as np
import pytest
import xarray as xr

from figures.explorer.overlay import _first
from figures.style import edge_of, panels
from linmodel.thresholds import heavy_ball
from realnet.bridge.threshold import level, levels
from realnet.bridge.toy import ToyParameters
from realnet.experiments import agreement, decisive, removal
from realnet.experiments.kit.collecting import edge_attrs
from tests.tolerances import ALGEBRA

ETA, MOMENTUM, COUNT = 0.1, 0.9, 41
TIME = ETA * np.arange(COUNT)
STEP_SIZES = ETA * np.linspace(0.5, 1.0, COUNT)  # warming up
OWN = np.array([heavy_ball(eta, MOMENTUM) for eta in STEP_SIZES])


def run(own=True):
    """A run of momentum, whose sharpness climbs to twice its own edge; or of descent, to its."""
    edge = OWN if own else np.full(COUNT, 2 / ETA)
    found = xr.Dataset(
        {
            "sharpness": ("time", edge * np.linspace(0.0, 2.0, COUNT)),
            "step_loss": ("step_time", np.linspace(1.0, 0.5, COUNT)),
            "loss": ("time", np.ones(COUNT)),
            "accuracy": ("time", np.ones(COUNT)),
            "step": ("time", np.arange(COUNT)),
        },
        {"time": TIME, "step_time": TIME},
        {"two_over_eta": 2 / ETA, "step_size": ETA, "configuration": "{}"},
    )
    if own:
        found["threshold"] = ("time", OWN)
        found.attrs["threshold"] = OWN[-1]
    return found


def test_levels_are_those_recorded_and_descents_where_none_are():
    np.testing.assert_allclose(levels(run()), OWN, rtol=ALGEBRA)
    np.testing.assert_allclose(levels(run().drop_vars("threshold")), OWN[-1], rtol=ALGEBRA)
    np.testing.assert_allclose(levels(run(own=False)), 2 / ETA, rtol=ALGEBRA)
    assert level(edge_attrs({"arm": run()})) == pytest.approx(OWN[-1], rel=ALGEBRA)
    assert level(edge_attrs({"arm": run(own=False)})) == pytest.approx(2 / ETA, rel=ALGEBRA)


def test_the_edge_is_drawn_as_recorded():
    for own, text, last in ((True, "own threshold", OWN[-1]), (False, "2/η at η = 0.1", 2 / ETA)):
        _, axes = panels(1, 1, (3, 3))
        edge_of(axes[0, 0], run(own))
        (line,) = axes[0, 0].lines
        assert text in line.get_label()
        assert np.asarray(line.get_ydata())[-1] == pytest.approx(last, rel=ALGEBRA)
    np.testing.assert_allclose(_drawn(run()), OWN, rtol=ALGEBRA)


def _drawn(dataset):
    _, axes = panels(1, 1, (3, 3))
    edge_of(axes[0, 0], dataset)
    return axes[0, 0].lines[0].get_ydata()


@pytest.mark.parametrize("own", [True, False])
def test_experiments_measure_against_it(own):
    """Sharpness is 0 to 2 times the edge, linearly: it rises through it half way."""
    middle = TIME[COUNT // 2]
    assert agreement.numbers(run(own))["largest_sharpness"] == pytest.approx(2.0, rel=ALGEBRA)
    pair = {f"loss class {i}": ("step_time", np.linspace(1.0, 0.5, COUNT)) for i in (0, 1)}
    assert decisive.numbers(run(own).assign(pair))["edge_time"] == pytest.approx(middle)
    arms = np.broadcast_to(run(own).sharpness.values, (1, len(removal.ARMS), COUNT))
    dims = ("removal_group", "without", "time")
    names = ("removal_sharpness", "removal_loss", "removal_own", "removal_all")
    removed = run(own).assign(dict.fromkeys(names, (dims, arms)))
    removed = removed.assign_coords(removal_group=["a group"], without=list(removal.ARMS))
    np.testing.assert_allclose(removal.outcomes(removed, "a group")[:, 0], middle / TIME[-1])


def test_the_toy_beside_a_run_has_the_runs_own_edge():
    toy = ToyParameters(
        alpha=1.0, beta_norm=1.0, k=10.0, aligned_share=0.1, sharpness_scale=2.0, time_scale=0.5
    )
    state = _first(toy, OWN[-1], TIME, np.linspace(0.0, 1.0, COUNT))
    assert 2 / state["step_size"] * toy.sharpness_scale == pytest.approx(OWN[-1], rel=1e-5)
