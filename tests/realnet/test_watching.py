"""History, watching, advice: what a person does with a tracker."""

import json

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

from linmodel import InvalidInput
from linmodel.errors import Notice
from realnet.bridge.threshold import factor_of
from realnet.curvature.tracker import SharpnessTracker
from realnet.edges.batch import BatchSharpness
from realnet.edges.plotting import draw
from realnet.edges.watching import Edge
from tests.realnet.test_curvature import small_problem
from tests.tolerances import ALGEBRA, SHARPNESS


class Loop:
    """A network under an optimiser, its tracker, steps."""

    def __init__(self, make=lambda p: torch.optim.SGD(p, 0.1), **options):
        self.model, self.x, self.y = small_problem(width=4, depth=1)
        self.optimizer = make(self.model.parameters())
        chunks = [(self.x, self.y)]
        self.tracker = SharpnessTracker(self.loss_fn, self.model, chunks=chunks, **options)

    def loss_fn(self, x, y):
        return nn.functional.cross_entropy(self.model(x), y)

    def steps(self, count, after=lambda: None):
        for _ in range(count):
            self.optimizer.zero_grad()
            self.loss_fn(self.x, self.y).backward()
            self.optimizer.step()
            after()


def test_a_schedule_is_followed_step_by_step():
    loop, logged = Loop(lambda p: torch.optim.SGD(p, 0.1, momentum=0.5), k=2), []
    schedule = torch.optim.lr_scheduler.StepLR(loop.optimizer, 3, gamma=0.5)
    which = ["sharpness", "critical", BatchSharpness(batch_size=10, draws=20)]
    loop.tracker.watch(schedule, every=2, which=which, log=logged.append)
    loop.steps(6, schedule.step)
    history = loop.tracker.history
    eta = np.array([0.1, 0.1, 0.05])
    np.testing.assert_allclose(history.step, [0, 2, 4])
    np.testing.assert_allclose(history.time, [0, 0.2, 0.35], rtol=ALGEBRA)
    np.testing.assert_allclose(history.step_size, eta, rtol=ALGEBRA)
    np.testing.assert_allclose(history.sharpness_threshold, 3 / eta, rtol=ALGEBRA)
    np.testing.assert_allclose(history.critical_threshold, 2 / eta, rtol=ALGEBRA)
    np.testing.assert_allclose(history.two_over_eta, 2 / eta, rtol=ALGEBRA)
    assert (history.batch_sharpness_low < history.batch_sharpness).all()
    assert "sharpness_2" in history and "threshold" not in history.attrs
    assert [row["step"] for row in logged] == [0, 2, 4]
    assert json.dumps(logged) and logged[-1]["sharpness"] == history.sharpness[-1]
    figure = loop.tracker.plot()
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "[1 / time]", "[1 / time]"]
    assert "time" in figure.axes[-1].get_xlabel()
    labels = {line.get_label() for axes in figure.axes for line in axes.lines}
    assert {"sharpness", "batch_sharpness", "threshold", "2/η"} <= labels


def planted_history(thresholds=False):
    sizes = {"magnitude": 40.0, "negative": -30.0, "trace": 900.0, "largest": 20.0}
    history = xr.Dataset(coords={"time": [0.0, 1.0]}).assign(two_over_eta=("time", [10.0, 10.0]))
    history["loss"] = ("time", [2.0, 1.0])
    for name, size in sizes.items():
        about = {"units": "1 / time", "source": "planted"}
        history[name] = ("time", np.array([0.5, 1.0]) * size, about)
        if thresholds:
            history[f"{name}_threshold"] = history.two_over_eta
    return history


def test_lines_share_a_panel_where_they_can_be_compared():
    names = [[line.get_label() for line in axes.lines] for axes in draw(planted_history()).axes]
    assert names == [["loss"], ["magnitude", "largest"], ["negative"], ["trace"]]
    together = draw(planted_history(thresholds=True)).axes
    assert len(together) == 2 and together[1].lines[-1].get_label() == "2/η"


def test_a_wide_axis_has_plain_numbers():
    history = planted_history()
    history.trace.values[:] = 0.1, 9.0
    texts = {text.get_text() for text in draw(history, "trace").axes[-1].get_yticklabels()}
    assert {"0.1", "1", "10"} <= texts


def test_saved_it_goes_on_where_it_was(tmp_path):
    whole, first = Loop(), Loop()
    watch = whole.tracker.watch(whole.optimizer, every=2)
    whole.steps(8)
    first.tracker.watch(first.optimizer, every=2)
    first.steps(4)
    file = first.tracker.save(tmp_path / "history.nc")
    again = SharpnessTracker(first.loss_fn, first.model, chunks=[(first.x, first.y)])
    again.resume(file)
    assert again.history.drop_attrs().identical(first.tracker.history.drop_attrs())
    again.watch(first.optimizer, every=2)
    first.steps(4)
    for name in ("time", "step", "sharpness", "sharpness_threshold", "loss"):
        np.testing.assert_allclose(again.history[name], whole.tracker.history[name], rtol=SHARPNESS)
    assert factor_of(again.history) == pytest.approx(2)
    file.write_bytes(file.read_bytes()[:-100] + b"x" * 100)
    with pytest.raises(InvalidInput):
        again.resume(file)
    watch.close()
    whole.steps(2)
    assert whole.tracker.history.sizes["time"] == 4


def test_single_evaluations_are_kept_too():
    loop = Loop()
    values = [loop.tracker.evaluate().sharpness for _ in range(2)]
    history = loop.tracker.history
    np.testing.assert_allclose(history.sharpness, values)
    assert (history.products > 0).all() and np.isnan(history.step_size).all()


def test_adam_is_first_seen_after_its_first_step():
    loop = Loop(lambda p: torch.optim.Adam(p, 0.01))
    loop.tracker.watch(loop.optimizer, every=1, which="preconditioned")
    loop.steps(3)
    assert list(loop.tracker.history.step) == [1, 2]
    assert loop.tracker.history.preconditioned_threshold[0] == pytest.approx(3800)


def test_a_warm_up_from_zero_has_an_infinite_threshold():
    loop = Loop()
    schedule = torch.optim.lr_scheduler.LambdaLR(loop.optimizer, lambda step: step / 4)
    loop.tracker.watch(schedule, every=1, which=["sharpness", "update", "critical"])
    loop.steps(3, schedule.step)
    np.testing.assert_allclose(loop.tracker.history.sharpness_threshold, [np.inf, 80, 40])
    loop.tracker.plot()


@pytest.mark.parametrize(
    "make",
    [
        lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.5),
        lambda p: torch.optim.AdamW(p, 0.01),
    ],
)
def test_the_largest_stable_step_has_the_measured_curvature_as_its_threshold(make):
    loop = Loop(make)
    loop.steps(3)
    advice = loop.tracker.largest_stable_step(loop.optimizer)
    for group in loop.optimizer.param_groups:
        group["lr"] = advice.largest
    again = loop.tracker.largest_stable_step()
    assert again.value == pytest.approx(again.threshold, rel=1.5 * SHARPNESS)
    assert "the largest stable step size is" in str(advice)


def test_at_the_edge_it_warns_lowers_or_stops():
    loop = Loop(lambda p: torch.optim.SGD(p, 50.0))
    loop.tracker.watch(loop.optimizer, every=1, when="edge", action="lower")
    with pytest.warns(Notice, match="beyond the optimiser's threshold .* is lowered to"):
        loop.steps(1)
    advice = loop.tracker.largest_stable_step
    assert loop.optimizer.param_groups[0]["lr"] < 50
    assert advice().step_size == loop.optimizer.param_groups[0]["lr"]
    loop = Loop(lambda p: torch.optim.SGD(p, 50.0))
    before = [p.detach().clone() for p in loop.model.parameters()]
    loop.tracker.watch(loop.optimizer, every=1, when="edge", action="stop")
    with pytest.raises(Edge, match="the largest stable step size is"):
        loop.steps(1)
    assert all(torch.equal(p, q) for p, q in zip(loop.model.parameters(), before, strict=True))


def test_bad_input_is_one_sentence():
    loop = Loop()
    for match, call in (
        ("optimizer", lambda: loop.tracker.watch(loop.model)),
        ("every", lambda: loop.tracker.watch(loop.optimizer, every=0)),
        ("when", lambda: loop.tracker.watch(loop.optimizer, when="late")),
        ("action", lambda: loop.tracker.watch(loop.optimizer, action="pray")),
        ("log", lambda: loop.tracker.watch(loop.optimizer, log=3)),
        ("history is", lambda: loop.tracker.plot()),
        ("needs the optimiser", lambda: Loop().tracker.largest_stable_step()),
        ("LBFGS", lambda: loop.tracker.watch(torch.optim.LBFGS(loop.model.parameters()))),
    ):
        with pytest.raises(InvalidInput, match=match) as error:
            call()
        assert "\n" not in str(error.value)
