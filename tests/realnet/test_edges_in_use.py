"""What training does around the quantities: groups, freezing, wrappers, schedules, watches."""

import copy
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from realnet.curvature.tracker import SharpnessTracker
from realnet.edges.batch import BatchSharpness
from realnet.edges.directional import AlongGroup
from realnet.edges.gauss_newton import GaussNewton
from realnet.edges.stepping import read
from tests.realnet.test_curvature import dense_hessian
from tests.realnet.test_edges import ETA, Case, refused
from tests.realnet.test_watching import Loop
from tests.tolerances import ALGEBRA, AUTOGRAD, SHARPNESS_TIGHT


def halves(model):
    """Its tensors: the first layer's, the others."""
    tensors = list(model.parameters())
    return tensors[:2], tensors[2:]


def test_layers_that_are_unfrozen_count_from_then_on():
    case = Case()
    first, rest = halves(case.model)
    for training in ([False] * 2, [True] * 2):
        for p in first:
            p.requires_grad_(training[0])
        own = [*first, *rest] if training[0] else rest
        values = torch.linalg.eigvalsh(dense_hessian(lambda: case.loss_fn(case.x, case.y), own))
        for _ in training:
            found = case.evaluate("sharpness", "negative")
            for name, expected in (("sharpness", values[-1]), ("negative", values[0])):
                assert found[name].value == pytest.approx(float(expected), rel=SHARPNESS_TIGHT)


def test_only_groups_that_hold_a_tracked_tensor_have_a_say():
    case = Case()
    first, rest = halves(case.model)
    for p in first:
        p.requires_grad_(False)
    case.optimizer = torch.optim.SGD([{"params": first, "lr": 1.0}, {"params": rest}], ETA)
    found = case.evaluate("sharpness", "preconditioned", "critical")
    assert found["sharpness"].threshold == pytest.approx(2 / ETA)
    assert found["critical"].threshold == pytest.approx(2 / ETA)
    assert found["preconditioned"].ratio == pytest.approx(found["sharpness"].ratio)
    advice = case.tracker.largest_stable_step(case.optimizer)
    assert advice.step_size == ETA and advice.largest == pytest.approx(2 / advice.value)


class Sam(torch.optim.Optimizer):
    """The common implementation: ascend by rho g / |g|, come back, step the base optimiser."""

    def __init__(self, params, rho=0.3, **options):
        super().__init__(params, {"rho": rho} | options)
        self.base_optimizer = torch.optim.SGD(self.param_groups, **options)
        self.param_groups = self.base_optimizer.param_groups

    def around(self, loss):
        tensors = [p for group in self.param_groups for p in group["params"]]
        before = [p.detach().clone() for p in tensors]
        gradient = torch.autograd.grad(loss(), tensors)
        norm = torch.stack([g.norm() for g in gradient]).norm()
        with torch.no_grad():
            for p, g in zip(tensors, gradient, strict=True):
                p.add_(g, alpha=float(self.param_groups[0]["rho"] / norm))
        self.zero_grad()
        loss().backward()
        with torch.no_grad():
            for p, old in zip(tensors, before, strict=True):
                p.copy_(old)
        self.base_optimizer.step()


def test_the_update_of_sam_is_its_own():
    case = Case()
    case.optimizer = Sam(case.model.parameters(), lr=ETA, momentum=0.5, weight_decay=0.1)
    before = torch.cat([p.detach().reshape(-1).clone() for p in case.model.parameters()])
    h, g = case.hessian(), case.gradient()
    found = case.evaluate("update")["update"]
    case.optimizer.around(lambda: case.loss_fn(case.x, case.y))
    u = (before - torch.cat([p.detach().reshape(-1) for p in case.model.parameters()])) / ETA
    assert found.value == pytest.approx(float(u @ h @ u / (u @ u)), rel=AUTOGRAD)
    assert found.threshold == pytest.approx(float(2 * (g @ u) / (u @ u)) / ETA, rel=AUTOGRAD)


@pytest.mark.parametrize(
    ("make", "which"),
    [
        (lambda p: Sam(p, lr=ETA, weight_decay=0.5), "sharpness"),
        (lambda p: torch.optim.SGD(p, ETA, weight_decay=0.5), AlongGroup(())),
        (lambda p: torch.optim.AdamW(p, ETA, weight_decay=2.0), "preconditioned"),
    ],
)
def test_at_the_largest_stable_step_the_value_is_the_threshold(make, which):
    case = Case(steps=0)
    case.optimizer = make(case.model.parameters())
    if which == "preconditioned":
        case.loss_fn(case.x, case.y).backward()
        case.optimizer.step()
    if not isinstance(which, str):
        which = AlongGroup((case.x[:9], case.y[:9]))
    advice = case.tracker.largest_stable_step(case.optimizer, which)
    for group in case.optimizer.param_groups:
        group["lr"] = advice.largest
    again = case.tracker.largest_stable_step(case.optimizer, which)
    assert again.value == pytest.approx(again.threshold, rel=SHARPNESS_TIGHT)


def test_an_optimiser_around_an_optimiser_is_read_with_a_word():
    class Lookahead:
        def __init__(self, optimizer):
            self.optimizer, self.param_groups = optimizer, optimizer.param_groups

    inner = torch.optim.SGD([nn.Parameter(torch.ones(2))], ETA)
    assert "Lookahead is read as the SGD inside" in read(Lookahead(inner)).said()
    assert read(torch.optim.lr_scheduler.LinearLR(inner)).said() == ""


def test_critical_sharpness_alone_sees_a_loss_that_is_no_mean():
    case = Case()

    def total(x, y):
        return nn.functional.cross_entropy(case.model(x), y, reduction="sum")

    tracker = SharpnessTracker(total, case.model, chunks=[(case.x[:9], case.y[:9])] * 2)
    refused("no mean over samples", lambda: tracker.evaluate("critical", ETA))
    generator = np.random.default_rng(0)

    class Augmented:
        def __iter__(self):
            yield case.x + torch.from_numpy(generator.normal(size=case.x.shape)), case.y

    tracker = SharpnessTracker(case.loss_fn, case.model, chunks=Augmented())
    refused("not deterministic", lambda: tracker.evaluate("critical", ETA))


def test_batches_are_not_drawn_evenly_from_chunks_of_other_weights():
    case = Case()
    parts = [(case.x[:10], case.y[:10]), (case.x[10:], case.y[10:])]
    which = BatchSharpness(batch_size=9, draws=2)
    for weights, fine in (([2, 4], True), ([1, 1], False)):
        tracker = SharpnessTracker(case.loss_fn, case.model, chunks=parts, weights=weights)
        if fine:
            assert tracker.evaluate(which)["batch_sharpness"].value > 0
        else:
            refused("pass batches=", lambda tracker=tracker: tracker.evaluate(which))


def test_gauss_newton_runs_the_network_as_the_loss_does():
    torch.manual_seed(0)
    x, y = torch.randn(20, 4).double(), torch.randn(20, 1).double()
    model = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Dropout(0.3), nn.Linear(5, 1))
    model.double()
    tracker = SharpnessTracker(
        lambda: nn.functional.mse_loss(model(x), y), model, training_mode="consistent"
    )
    before = copy.deepcopy(model.state_dict())
    which = GaussNewton(lambda: model(x), lambda f: nn.functional.mse_loss(f, y))
    assert tracker.evaluate(which)["gauss_newton"].converged
    torch.testing.assert_close(model.state_dict(), before, rtol=0, atol=0)


@pytest.mark.parametrize("label", ["birds/deer", "", "loss", "time"])
def test_a_name_that_the_history_cannot_hold_is_refused_before_any_work(label):
    case = Case()
    refused("a quantity's name is", lambda: case.evaluate(AlongGroup((case.x, case.y), label)))


def test_two_watches_count_each_step_once():
    loop = Loop()
    loop.tracker.largest_stable_step(loop.optimizer)  # before it: no step of the training
    loop.tracker.watch(loop.optimizer, every=2)
    loop.tracker.watch(loop.optimizer, every=3, which="critical")
    loop.steps(5)
    history = loop.tracker.history
    seen = history.step.values
    np.testing.assert_array_equal(seen[np.isfinite(history.sharpness)], [0, 0, 2, 4])
    np.testing.assert_array_equal(seen[np.isfinite(history.critical)], [0, 3])
    np.testing.assert_allclose(history.time, 0.1 * seen, rtol=ALGEBRA)
    assert history.attrs["steps_done"] == 5
    assert loop.tracker.plot("critical").axes[1].get_ylabel() == "[1 / time]"


def test_the_edge_is_waited_for():
    """Adam's state, a step size above zero: nothing is refused while they are to come."""
    loop = Loop(lambda p: torch.optim.Adam(p, 0.01))
    loop.tracker.watch(loop.optimizer, 1, ["sharpness", "preconditioned"], when="edge")
    loop.steps(2)
    loop = Loop()
    schedule = torch.optim.lr_scheduler.LambdaLR(loop.optimizer, lambda step: step / 4)
    loop.tracker.watch(schedule, every=1, when="edge")
    loop.steps(2, schedule.step)
    loop = Loop(lambda p: torch.optim.Adam(p, 0.01))
    loop.tracker.watch(loop.optimizer, 1, when="edge")
    refused("with a threshold", lambda: loop.steps(1))


@pytest.mark.parametrize(
    "make",
    [
        lambda o: torch.optim.lr_scheduler.LambdaLR(o, lambda step: 1.0),
        lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 1250.0, 900, cycle_momentum=False),
        lambda o: torch.optim.lr_scheduler.SequentialLR(
            o, [torch.optim.lr_scheduler.ConstantLR(o, 1.0, 1)] * 2, [1]
        ),
    ],
)
def test_a_lowered_step_stays_lowered_under_its_schedule(make):
    loop = Loop(lambda p: torch.optim.SGD(p, 50.0))
    schedule = make(loop.optimizer)
    loop.tracker.watch(schedule, every=10, when="edge", action="lower")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        loop.steps(2, schedule.step)
    assert "is lowered to" in str(said[0].message) and "again" not in str(said[0].message)
    assert loop.optimizer.param_groups[0]["lr"] < 15.0
