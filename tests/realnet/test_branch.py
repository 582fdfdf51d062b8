from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from linmodel import InvalidInput
from realnet.config import TrainConfig
from realnet.experiments import branching
from realnet.observers.branch import ARMS, Branch, averaged
from realnet.training.run import Run
from realnet.training.task import Task
from tests.tolerances import SAME_STEPS

STEPS, PARTS = 40, 3
CONFIG = TrainConfig(
    data="digits", step_size=0.4, steps=STEPS, every=4, device="cpu", dtype="float64"
)


def small_task(scale=0.1):
    """A linear network that sharpens from a small start: it crosses 2/eta on the way."""
    generator = torch.Generator().manual_seed(1)
    model = nn.Sequential(nn.Linear(4, 6), nn.Linear(6, 3)).double()
    with torch.no_grad():
        for parameter in model.parameters():
            shape = parameter.shape
            parameter.copy_(scale * torch.randn(shape, generator=generator, dtype=torch.float64))
    inputs = torch.randn(30, 4, generator=generator, dtype=torch.float64)
    labels = inputs[:, :3].argmax(-1)

    def loss(outputs, labels):
        return 0.5 * (outputs - 3 * nn.functional.one_hot(labels, 3)).square().sum(-1)

    return Task(model, loss, inputs, labels)


def run_to_end(run):
    while not run.finished:
        run.advance()
    return run.dataset()


def branched(config=CONFIG, scale=0.1):
    return Run.on(small_task(scale), config, [Branch(PARTS, config)])


@pytest.fixture(scope="module")
def curves():
    return run_to_end(branched())


def test_the_run_is_what_it_is_without_branches_and_enters_the_edge(curves):
    bare = run_to_end(Run.on(small_task(), CONFIG))
    assert np.array_equal(bare.loss, curves.loss)
    at = int(np.flatnonzero(curves.step == curves.attrs["branch_step"])[0])
    edge = 2 / CONFIG.step_size
    assert curves.sharpness[at] < edge <= curves.sharpness[at + 1]


def test_the_twin_is_descent_of_a_smaller_step_from_the_same_state(curves):
    """The naive twin: the run to the branch point, then a loop of its own."""
    run = Run.on(small_task(), CONFIG)
    while run.step < curves.attrs["branch_step"]:
        run.advance()
    point, whole, eta = run.point, run.task.whole, CONFIG.step_size / PARTS
    for _ in range(PARTS * (STEPS - 4 - run.step)):
        whole.write(point)
        point = point - eta * whole.gradient()[1]
    whole.write(point)
    told = curves["below loss"].sel(time=(STEPS - 4) * CONFIG.step_size, method="nearest")
    assert np.allclose(run.task.losses(), told, rtol=SAME_STEPS)
    assert curves.time[-1] == pytest.approx(STEPS * CONFIG.step_size)


def test_arms_are_measured_from_the_branch_point_on_and_part(curves):
    since = curves.time > curves.attrs["branch_time"]
    for arm in ARMS:
        assert np.isnan(curves[f"{arm} loss"].values[~since]).all()
        assert np.isfinite(curves[f"{arm} loss"].values[since][:-1]).all()
    distance = curves.branch_distance.values[since][:-1]
    assert (distance > 0).all()


def test_the_random_arm_is_as_far_from_below_as_the_run(monkeypatch):
    seen = []
    run = branched()
    watch = run.observers[-1]
    kept = watch._measure

    def measure(task, following):
        if watch.twin is not None:
            away = watch._direction(following) * float((watch.points[-1] - watch.twin).norm())
            task.whole.write(watch.twin + away)
            seen.append(task.losses().double().numpy())
        kept(task, following)

    monkeypatch.setattr(watch, "_measure", measure)
    found = run_to_end(run)
    told = found["random loss"].dropna("time", how="all").values
    assert np.allclose(seen, told, rtol=SAME_STEPS)
    assert float(watch._direction(run.point).norm()) == pytest.approx(1.0)


def test_averaging_takes_out_an_oscillation_of_period_two():
    """On a quadratic at 2.2/eta the mean of three points shrinks what alternates."""
    points = [torch.tensor([(-1.2) ** t, 0.9**t]) for t in range(3)]
    mean = averaged(*points)
    assert abs(mean[0]) < 0.02 * abs(points[1][0])
    assert float(mean[1]) == pytest.approx(float(points[1][1]), rel=0.01)


def test_branches_resume_to_the_same_numbers(curves, tmp_path):
    first = branched()
    for _ in range(curves.attrs["branch_step"] + 7):
        first.advance()
    torch.save(first.state(), tmp_path / "state")
    again = branched()
    again.restore(torch.load(tmp_path / "state", weights_only=True))
    assert run_to_end(again).identical(curves)


def test_other_optimisers_and_too_few_parts_are_refused():
    with pytest.raises(InvalidInput, match="full-batch descent"):
        Branch(4, replace(CONFIG, optimiser="momentum"))
    with pytest.raises(InvalidInput, match="at least 2"):
        Branch(1, CONFIG)


def test_a_run_that_stays_below_its_edge_has_no_branch():
    found = run_to_end(branched(replace(CONFIG, step_size=0.01)))
    assert "branch_step" not in found.attrs
    assert found.attrs["branch_status"] == "never at its edge"
    past = branched(replace(CONFIG, steps=4), scale=2.0)
    assert run_to_end(past).attrs["branch_status"] == "past its edge throughout"
    assert np.isnan(branching.effects(found, branching.Settings(), 0)).all()


def test_effects_are_judged_as_registered():
    """A planted effect of one group on all seeds is seen; noise is not."""
    rng = np.random.default_rng(0)
    effect = rng.normal(0, 1, (10, 2))
    effect[:, 0] += 5
    ends, p = branching.judged(effect, 9999)
    mean, low, high = ends[:, 0]
    assert low < 5 < high and mean == pytest.approx(effect[:, 0].mean())
    assert p[0] == pytest.approx(2 / 2**10) and p[1] > 0.05
    assert np.isnan(branching.judged(effect[:2], 99)[1]).all()


def test_effects_are_the_arms_means_less_the_twins(curves):
    settings = branching.Settings(horizon=12)
    found = branching.effects(curves, settings, 3)
    when = curves.attrs["branch_time"] + 12 * CONFIG.step_size
    at = int(np.abs(curves.time.values - when).argmin())
    chosen = branching.groups(curves, 3)["random"]
    for i, arm in enumerate(branching.PLAN["arms"]):
        change = (curves[f"{arm} loss"] - curves["below loss"]).values[at]
        row = branching.GROUPS.index("all"), branching.GROUPS.index("random")
        assert found[i, row[0], 0] == pytest.approx(change.mean())
        assert found[i, row[1], 0] == pytest.approx(change[chosen].mean())
    assert np.isnan(found[:, branching.GROUPS.index("planted")]).all()


def test_groups_are_what_was_written_down():
    assert set(branching.GROUPS) == {*branching.PLAN["groups"], "random", "all"}
    assert set(branching.PLAN["arms"]) | {branching.PLAN["against"]} == set(ARMS)
