from dataclasses import replace

import numpy as np
import pytest

from linmodel import InvalidInput
from realnet.config import TrainConfig
from realnet.data.matched import largest, matched_by_class, matched_by_value
from realnet.experiments import removal
from realnet.observers.measures import Measures, measured_antiphase
from realnet.observers.removal import ARMS, DOSES, Removal
from realnet.training.building import build_task, load_samples
from realnet.training.run import Run
from realnet.training.train import train
from tests.tolerances import SAME_STEPS

CONFIG = TrainConfig(
    data="planted", net="mlp", loss="cross-entropy", size=40, width=4, depth=1, step_size=0.3,
    steps=12, every=6, device="cpu", dials={"fraction": 0.2, "magnitude": 8.0},
    observe=("removal", "measures"),
)  # fmt: skip


@pytest.fixture(scope="module")
def curves():
    return train(CONFIG)


def test_an_arm_is_the_run_from_the_same_start_without_its_samples(curves):
    """The naive twin: the samples taken out by hand, the network of the same seed."""
    own = curves.sel(removal_group="planted", without="members 50%")
    keep = own.removal_taken.values == 0
    samples = load_samples(CONFIG)
    task = build_task(CONFIG, samples)
    parts = task.inputs[keep], task.labels[keep]
    point, losses = [p.clone() for p in task.model.parameters()], []
    for _ in range(CONFIG.steps):
        loss = task.mean_loss(*parts)
        task.model.zero_grad()
        loss.backward()
        losses.append(loss.item())
        for p in task.model.parameters():
            p.data -= CONFIG.step_size * p.grad
    assert np.allclose(losses, own.removal_loss, rtol=1e3 * SAME_STEPS, atol=1e-5)
    assert len(point) == 4 and keep.sum() == 40 - 4


def test_nothing_left_out_is_the_run_itself_and_all_doses_are_nested(curves):
    own = curves.sel(removal_group="planted")
    assert np.array_equal(own.removal_loss.sel(without="untouched"), curves.step_loss)
    assert np.array_equal(own.removal_sharpness.sel(without="untouched"), curves.sharpness)
    taken = own.removal_taken.values > 0
    planted = load_samples(CONFIG).members["opposing"]
    assert np.array_equal(taken[ARMS.index("members 100%")], planted)
    for less, more in zip(list(DOSES)[:-1], list(DOSES)[1:], strict=True):
        assert (taken[ARMS.index(less)] <= taken[ARMS.index(more)]).all()
    for arm in removal.PLAN["controls"]:
        assert taken[ARMS.index(arm)].sum() == planted.sum()
        assert not (taken[ARMS.index(arm)] & planted).any()


def test_share_of_curvature_is_that_of_the_measures(curves):
    own = curves.sel(removal_group="planted", without="untouched")
    share = own.removal_own / own.removal_all
    assert np.allclose(share, curves["share opposing"], rtol=1e-4)
    both = curves["share class 0"] + curves["share class 1"]
    assert np.allclose(both, curves["share opposing"], rtol=1e-4)
    assert ((curves["along class 0"] >= 0) & (curves["along class 0"] <= 1)).all()


def test_controls_are_like_the_members():
    rng = np.random.default_rng(0)
    labels, values = rng.integers(0, 3, 200), rng.normal(size=200)
    members = rng.permutation(200)[:20]
    alike = matched_by_class(members, labels, 1)
    assert np.array_equal(labels[alike], labels[members]) and len(set(alike)) == 20
    close = matched_by_value(members, values, 1)
    assert np.abs(values[close] - values[members]).max() < 0.5 and not set(close) & set(members)
    assert np.array_equal(matched_by_value(members[:7], values, 1), close[:7])
    assert np.array_equal(values[largest(values, 3)], np.sort(values)[::-1][:3])
    with pytest.raises(InvalidInput, match="at most half"):
        matched_by_class(range(150), labels, 1)


def test_outcomes_are_what_was_written_down(curves):
    found = removal.outcomes(curves, "planted")
    assert found.shape == (len(ARMS), len(removal.PLAN["outcomes"])) and np.isfinite(found).all()
    own = curves.sel(removal_group="planted", without="class")
    rise = max(0.0, np.diff(own.removal_loss).max())
    assert found[ARMS.index("class"), 2] == pytest.approx(rise)
    assert np.isnan(removal.outcomes(curves, "found")).all()
    assert curves.attrs["removal_found"] == "none"
    assert {0.0, *DOSES.values()} == set(removal.PLAN["doses"])
    assert {*removal.PLAN["controls"], *removal.PLAN["rivals"]} < set(ARMS)


def test_a_run_that_diverges_has_a_status_and_an_arm_that_does_no_numbers(curves):
    gone = train(replace(CONFIG, loss="mse", activation="relu", step_size=1e6))
    assert gone.attrs["status"] == "diverged" and gone.attrs["removal_planted"] == "unfinished"
    assert "removal_loss" not in gone
    lost = curves.copy(deep=True)
    lost.removal_sharpness.loc[{"removal_group": "planted", "without": "class"}] = np.nan
    assert np.isnan(removal.outcomes(lost, "planted")[ARMS.index("class")]).all()


def test_other_optimisers_are_refused():
    with pytest.raises(InvalidInput, match="full-batch"):
        Run(replace(CONFIG, optimiser="momentum"))
    assert Removal(CONFIG).name == "removal" and Measures().name == "measures"


def test_antiphase_is_refused_where_the_run_never_nears_its_edge(curves):
    """Two losses in perfect antiphase, far from the edge and at it."""
    swing = (-1.0) ** np.arange(12) * np.linspace(1, 2, 12)
    losses = np.stack([swing, -swing, 0 * swing], axis=1)
    far = curves.assign(sharpness=0.28 * curves.threshold)
    value, status = measured_antiphase(far, losses)
    assert np.isnan(value) and status.startswith("refused: never near the edge, at most 0.28")
    near = curves.assign(sharpness=1.1 * curves.threshold)
    value, status = measured_antiphase(near, losses)
    assert value == pytest.approx(-1) and status == "measured over 12 steps"
    value, status = measured_antiphase(near.assign(threshold=np.nan * near.threshold), losses)
    assert np.isnan(value) and "no threshold" in status
    assert "no two groups" in measured_antiphase(near, losses[:0])[1]
    far = train(replace(CONFIG, step_size=1e-3, observe=("measures",)))
    assert np.isnan(far.attrs["antiphase"]) and "never near" in far.attrs["antiphase_status"]
