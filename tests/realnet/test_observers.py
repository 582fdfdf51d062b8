from dataclasses import replace

import numpy as np
import pytest
import torch

from linmodel import InvalidInput
from realnet.config import TrainConfig
from realnet.curvature.tracker import SharpnessTracker
from realnet.observers import check_observers, make_observers, names
from realnet.training.run import Run
from realnet.training.train import train
from tests.tolerances import FLOAT32_STEP, SHARPNESS

TRAIN = TrainConfig(
    data="planted", net="mlp", loss="cross-entropy", size=120, width=8, depth=1, step_size=0.2,
    steps=20, every=5, device="cpu", dials={"fraction": 0.1, "magnitude": 6.0},
    observe=("alignment", "groups"),
)  # fmt: skip
OPTIONS = [
    {"observe": ("probe", "sketch=8", "layers", "alignment", "held_out")},
    {"observe": ("evidence=2",)},
    {"arm": "removed"},
    {"dropout": 0.3, "observe": ("full_loss",)},
    {"weight_decay": 0.01, "perp_grad": True},
    {"loss": "stablemax"},
    {"optimiser": "adam", "step_size": 0.01, "batch_size": 20, "observe": ("edges",)},
]


def config(**fields):
    return replace(TRAIN, **fields)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(map(str, options)))
def test_an_observed_run_resumes_to_the_same_numbers(tmp_path, options):
    whole = train(config(**options))
    run = Run(config(**options))
    for _ in range(7):
        run.advance()
    torch.save(run.state(), tmp_path / "state")
    again = Run(config(**options))
    again.restore(torch.load(tmp_path / "state", weights_only=True))
    while not again.finished:
        again.advance()
    assert again.dataset().identical(whole)


def test_observers_change_nothing():
    bare = train(config(observe=()))
    seen = train(config(observe=tuple(name for name in names())))
    assert seen[list(bare.data_vars)].drop_attrs().identical(bare.drop_attrs())


class Norms:
    name = "norms"

    def __init__(self):
        self.norms, self.steps = [], []

    def before(self, moment):
        self.norms.append(float(moment.point.norm()))

    def after(self, moment):
        self.steps.append(moment.step)

    def state(self):
        return {"norms": self.norms, "steps": self.steps}

    def restore(self, state):
        self.norms, self.steps = state["norms"], state["steps"]

    def add_to(self, curves):
        return curves.assign(norm=("norm_step", self.norms))


def test_an_observer_of_ones_own_sees_every_point_and_resumes():
    run = Run(config(), observers=[Norms()])
    while not run.finished:
        run.advance()
    curves = run.dataset()
    np.testing.assert_allclose(curves.norm[::5], curves.weight_norm, rtol=FLOAT32_STEP)
    assert run.observers[-1].steps == list(range(20))
    with pytest.raises(InvalidInput, match="Resume with them"):
        Run(config()).restore(run.state())
    with pytest.raises(InvalidInput, match="different names"):
        Run(config(), observers=[Norms(), Norms()])


def test_probes_agree_with_plain_derivatives():
    fields = {"observe": ("probe",), "dtype": "float64"}
    run = Run(config(**fields))
    run.advance()
    row = run.dataset().isel(time=0)
    # The mean of v^T H_i v is v^T H v, which is the sharpness.
    np.testing.assert_allclose(row.curvature_mean, row.sharpness, rtol=SHARPNESS)
    again = Run(config(**fields))
    before = again.task.losses()
    gradient = again.task.whole.gradient()[1]
    again.task.whole.write(again.point - 0.2 * gradient)
    change = again.task.losses() - before
    np.testing.assert_allclose(row.change_sd, change.std(correction=0), rtol=1e-9)
    np.testing.assert_allclose(row.actual_change, change.mean(), rtol=1e-9)


def test_sketch_keeps_distances():
    curves = train(config(observe=("sketch",)))
    run = Run(config())
    start = run.point.clone()
    while not run.finished:
        run.advance()
    moved = float((run.point - start).norm())
    sketched = np.linalg.norm(curves.sketch[-1] - curves.sketch[0])
    assert curves.sketch.shape[1] == 128 and abs(sketched / moved - 1) < 0.25


def test_removed_groups_are_still_watched_and_dropout_is_not_in_the_curvature():
    curves = train(config(arm="removed"))
    assert np.isfinite(curves["loss class 0"]).all()
    assert train(config(dropout=0.5, steps=1)).sharpness[0] == pytest.approx(
        float(train(config(steps=1)).sharpness[0]), rel=SHARPNESS
    )


def test_noisy_steps_have_the_full_loss_beside_their_own():
    curves = train(config(observe=("full_loss",), optimiser="sgd", batch_size=8))
    at = np.isin(curves.step_time, curves.time)
    np.testing.assert_allclose(curves["loss all"].values[at], curves.loss[:-1], rtol=FLOAT32_STEP)
    assert (curves["loss all"] != curves.step_loss).any()
    plain = train(config(observe=("full_loss",)))
    np.testing.assert_allclose(plain["loss all"], plain.step_loss, rtol=FLOAT32_STEP)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"arm": "hidden"}, "untouched, removed"),
        ({"arm": "removed", "data": "digits", "dials": {}}, "planted groups"),
        ({"rho": 2.0}, "in \\[0, 1\\]"),
        ({"rho": 0.5}, "every arm but background"),
        ({"dropout": 1.0}, "in \\[0, 1\\)"),
        ({"weight_decay": -1.0}, ">= 0"),
        ({"dials": {"nonsense": 1}}, "fraction"),
        ({"dials": {"fraction": 0.1}, "data": "digits"}, "none"),
        ({"data": "nothing"}, "digits"),
        ({"loss": "stablemax", "label_smoothing": 0.1}, "stablemax"),
        ({"observe": ("nothing",)}, "alignment"),
        ({"observe": ("probe", "probe")}, "each once"),
        ({"observe": ("sketch=many",)}, "whole number"),
    ],
)
def test_bad_configurations_say_what_is_allowed(fields, says):
    with pytest.raises(InvalidInput, match=says):
        config(**fields)


def test_an_observer_without_a_number_takes_none():
    assert check_observers("probe") == ("probe",)
    with pytest.raises(InvalidInput, match="takes no number"):
        make_observers(["probe=3"], TRAIN)


def test_dials_reach_a_run_and_the_groups():
    few = Run(config(dials={"fraction": 0.05, "magnitude": 6.0}))
    many = Run(config(dials={"fraction": 0.2, "magnitude": 9.0}))
    assert few.task.members["opposing"].sum() == 6 and many.task.members["opposing"].sum() == 24


def test_a_run_records_its_step_sizes_and_its_optimisers_own_threshold():
    run = train(config(optimiser="momentum", momentum=0.5, schedule="cosine", observe=()))
    eta = 0.2 * 0.5 * (1 + np.cos(np.pi * run.step.values / 20))
    np.testing.assert_allclose(run.step_size, eta, rtol=FLOAT32_STEP, atol=1e-12)
    np.testing.assert_allclose(run.threshold[:-1], 3 / eta[:-1], rtol=FLOAT32_STEP)
    assert np.isinf(run.threshold[-1]) and run.attrs["threshold"] == pytest.approx(15)
    assert "threshold" not in train(config(optimiser="sam", observe=())).attrs


def test_the_edges_observer_sees_what_torchs_adam_sees():
    """The naive twin: the same steps by torch, the quantity read from torch's own state."""
    run = Run(config(optimiser="adam", step_size=0.01, dtype="float64", every=1, steps=4,
                     observe=("edges",), tolerance=1e-6))  # fmt: skip
    twin = Run(config(optimiser="adam", step_size=0.01, dtype="float64", steps=4, observe=()))
    twin.task.whole.write(twin.point)
    model, task = twin.task.model, twin.task
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    tracker = SharpnessTracker(task.mean_loss, model, chunks=task.whole.chunks, tolerance=1e-6)
    expected = []
    for _ in range(4):
        optimiser.zero_grad()
        task.mean_loss(task.inputs, task.labels).backward()
        optimiser.step()
        expected.append(tracker.evaluate("preconditioned", optimiser)["preconditioned"].value)
    while not run.finished:
        run.advance()
    found = run.dataset()
    assert np.isnan(found.preconditioned_sharpness[0])
    np.testing.assert_allclose(found.preconditioned_sharpness[1:], expected, rtol=SHARPNESS)
    np.testing.assert_allclose(found.preconditioned_threshold, 3800, rtol=FLOAT32_STEP)
