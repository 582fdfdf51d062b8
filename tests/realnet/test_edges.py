"""Every quantity against the dense Hessian, or a closed form."""

import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from linmodel import InvalidInput, thresholds
from linmodel.errors import Notice
from realnet.curvature.tracker import SharpnessTracker
from realnet.edges.batch import BatchSharpness, GradientNoise, ratio_of_means
from realnet.edges.directional import AlongGroup
from realnet.edges.gauss_newton import GaussNewton
from realnet.edges.hessian import LargestMagnitude, MostNegative
from realnet.edges.preconditioned import Preconditioned
from realnet.edges.solving import smallest
from realnet.edges.spectrum import Density, Trace, interval_of_mean
from tests.realnet.test_curvature import dense_hessian, small_problem
from tests.tolerances import AUTOGRAD, CRITICAL_STEP, MOMENTS, SHARPNESS, SHARPNESS_TIGHT

ETA = 0.05


class Case:
    """A small network in float64, its data in three chunks, its dense Hessian and gradient."""

    def __init__(self, make=lambda p: torch.optim.SGD(p, ETA), steps=3):
        self.model, self.x, self.y = small_problem(width=4, depth=1)
        self.optimizer = make(self.model.parameters())
        for _ in range(steps):
            self.optimizer.zero_grad()
            self.loss_fn(self.x, self.y).backward()
            self.optimizer.step()
        chunks = [(self.x[a:b], self.y[a:b]) for a, b in ((0, 7), (7, 25), (25, 30))]
        self.tracker = SharpnessTracker(
            self.loss_fn, self.model, chunks=chunks, k=2, tolerance=1e-8, max_products=2000
        )

    def loss_fn(self, x, y):
        return nn.functional.cross_entropy(self.model(x), y)

    def hessian(self, x=None, y=None):
        x, y = (self.x, self.y) if x is None else (x, y)
        return dense_hessian(lambda: self.loss_fn(x, y), self.model.parameters())

    def gradient(self, x=None, y=None):
        x, y = (self.x, self.y) if x is None else (x, y)
        parts = torch.autograd.grad(self.loss_fn(x, y), list(self.model.parameters()))
        return torch.cat([part.reshape(-1) for part in parts])

    def evaluate(self, *which):
        return self.tracker.evaluate(which, self.optimizer)


def test_largest_most_negative_and_largest_in_absolute_value():
    case = Case()
    values = torch.linalg.eigvalsh(case.hessian())
    found = case.evaluate("top", MostNegative(k=2), LargestMagnitude(k=3))
    by_size = values[values.abs().argsort(descending=True)][:3]
    for name, expected in (
        ("sharpness", values.flip(0)[:2]),
        ("negative", values[:2]),
        ("magnitude", by_size),
    ):
        more = found[name].more["values"]
        torch.testing.assert_close(more, expected, rtol=SHARPNESS_TIGHT, atol=0)
        assert found[name].value == more[0] and found[name].converged
    assert found["sharpness"].threshold == pytest.approx(2 / ETA)
    assert found["negative"].threshold is None and "sharpness" in str(found)


def test_largest_in_absolute_value_is_not_converged_where_the_lower_side_is_not(monkeypatch):
    """The upper one alone is right; whether the smallest is larger in size is not known."""

    def unknown(*asked):
        pairs = smallest(*asked)
        return replace(pairs, converged=torch.zeros_like(pairs.converged))

    monkeypatch.setattr("realnet.edges.hessian.smallest", unknown)
    found = Case().evaluate("magnitude")
    assert not found["magnitude"].converged and "not converged" in str(found)


ADAPTIVE = {
    "adam": lambda p: torch.optim.Adam(p, 0.01, betas=(0.9, 0.99), weight_decay=0.3),
    "amsgrad": lambda p: torch.optim.Adam(p, 0.01, amsgrad=True),
    "adamw": lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.2),
    "rmsprop": lambda p: torch.optim.RMSprop(p, 0.01, momentum=0.5, centered=True),
    "adagrad": lambda p: torch.optim.Adagrad(p, 0.01, lr_decay=0.1),
}
LEVELS = {
    "adam": 38 / 0.01,
    "amsgrad": 38 / 0.01,
    "adamw": 38 / 0.01 * (1 - 0.001),
    "rmsprop": 3 / 0.01,
    "adagrad": 2 / 0.01,
}


def probed_preconditioner(case):
    """The naive twin: D from torch's own step, which is linear in the momentum (frozen v)."""
    twin_model = copy.deepcopy(case.model)
    state = copy.deepcopy(case.optimizer.state_dict())
    group = state["param_groups"][0]
    pieces = []
    for i, p in enumerate(twin_model.parameters()):
        s = state["state"][i]
        if "exp_avg_sq" in s:
            t, (b1, b2) = float(s["step"]), group["betas"]
            v = s["max_exp_avg_sq"] if group["amsgrad"] else s["exp_avg_sq"]
            # torch: step_size = lr / (1 - b1^t); denom = sqrt(v) / sqrt(1 - b2^t) + eps
            step = group["lr"] / (1 - b1**t)
            moved = step / (v.sqrt() / math.sqrt(1 - b2**t) + group["eps"])
        elif "square_avg" in s:
            moved = group["lr"] / ((s["square_avg"] - s["grad_avg"] ** 2).sqrt() + group["eps"])
        else:
            rate = group["lr"] / (1 + (float(s["step"]) - 1) * group["lr_decay"])
            moved = rate / (s["sum"].sqrt() + group["eps"])
        pieces.append((group["lr"] / moved).reshape(p.shape).reshape(-1))
    return torch.cat(pieces)


@pytest.mark.parametrize("name", ADAPTIVE)
def test_preconditioned_hessian_of_each_adaptive_optimiser(name):
    case = Case(ADAPTIVE[name])
    root = probed_preconditioner(case).rsqrt()
    hessian = case.hessian()
    if name == "adam":
        hessian = hessian + 0.3 * torch.eye(len(hessian))
    expected = torch.linalg.eigvalsh(root[:, None] * hessian * root)[-1]
    found = case.evaluate("preconditioned", "sharpness")
    assert found["preconditioned"].value == pytest.approx(float(expected), rel=SHARPNESS_TIGHT)
    assert found["preconditioned"].threshold == pytest.approx(LEVELS[name])
    assert found["sharpness"].threshold is None  # Adam does not see it


def test_groups_of_different_step_sizes_have_thresholds_each():
    def make(params):
        first, *rest = params
        return torch.optim.SGD([{"params": [first], "lr": 0.01}, {"params": rest}], ETA)

    case = Case(make)
    with pytest.warns(Notice, match=r"step sizes are 0\.01, 0\.05 and their thresholds 200, 40"):
        found = case.evaluate("sharpness", "preconditioned")
    assert found["sharpness"].threshold == pytest.approx(2 / ETA)
    eta = torch.full((case.tracker.objective.n,), ETA, dtype=torch.float64)
    eta[: case.model.get_parameter(case.tracker.objective.names[0]).numel()] = 0.01
    root = eta.sqrt()
    top = float(torch.linalg.eigvalsh(root[:, None] * case.hessian() * root)[-1])
    one = found["preconditioned"]
    assert one.ratio == pytest.approx(top / 2, rel=SHARPNESS_TIGHT)


def test_gauss_newton_and_what_the_hessian_has_beside_it():
    case = Case()

    def jacobian():
        outputs = case.model(case.x)
        rows = [
            torch.cat(
                [
                    part.reshape(-1)
                    for part in torch.autograd.grad(
                        entry, list(case.model.parameters()), retain_graph=True
                    )
                ]
            )
            for entry in outputs.reshape(-1)
        ]
        return torch.stack(rows), outputs.softmax(1).detach()

    rows, p = jacobian()
    blocks = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
    gauss = rows.T @ torch.block_diag(*blocks) @ rows / len(case.x)
    asked = GaussNewton(
        lambda x, y: case.model(x), lambda f, x, y: nn.functional.cross_entropy(f, y)
    )
    found = case.evaluate(asked)["gauss_newton"]
    assert found.value == pytest.approx(
        float(torch.linalg.eigvalsh(gauss)[-1]), rel=SHARPNESS_TIGHT
    )
    rest = torch.linalg.eigvalsh(case.hessian() - gauss)[-1]
    assert found.more["rest"] == pytest.approx(float(rest), rel=SHARPNESS_TIGHT)
    wrong = GaussNewton(lambda x, y: case.model(x), lambda f, x, y: f.square().mean())
    with pytest.raises(InvalidInput, match="the tracked loss"):
        case.evaluate(wrong)


def test_batch_sharpness_and_gradient_noise_of_the_whole_data_are_along_the_gradient():
    case = Case()
    g, h = case.gradient(), case.hessian()
    expected = float(g @ h @ g / (g @ g))
    found = case.evaluate(
        BatchSharpness(batch_size=30, draws=3), GradientNoise(batch_size=30, draws=3)
    )
    for name in ("batch_sharpness", "gradient_noise"):
        assert found[name].value == pytest.approx(expected, rel=AUTOGRAD)
        assert found[name].high - found[name].low < AUTOGRAD * expected
        assert found[name].threshold == pytest.approx(2 / ETA)


def test_batch_sharpness_is_the_ratio_over_all_batches():
    case = Case(lambda p: torch.optim.SGD(p, ETA, momentum=0.8))
    batches = [(case.x[i : i + 5], case.y[i : i + 5]) for i in range(0, 30, 5)]
    gradients = [case.gradient(*batch) for batch in batches]
    bent = sum(float(g @ case.hessian(*b) @ g) for g, b in zip(gradients, batches, strict=True))
    whole = case.hessian()
    squares = sum(float(g @ g) for g in gradients)
    noise = sum(float(g @ whole @ g) for g in gradients) / 6 / float(case.gradient().square().sum())
    options = {"batches": batches, "draws": 6, "precision": 1e-9}
    found = case.evaluate(BatchSharpness(**options), GradientNoise(**options))
    assert found["batch_sharpness"].value == pytest.approx(bent / squares, rel=AUTOGRAD)
    assert found["gradient_noise"].value == pytest.approx(noise, rel=AUTOGRAD)
    assert found["batch_sharpness"].threshold == pytest.approx(3.6 / ETA)
    assert found["batch_sharpness"].more["small_batch"] == pytest.approx(0.4 / ETA)


def test_the_stop_rules_interval_holds_the_ratio_as_often_as_it_says():
    generator, inside = np.random.default_rng(0), 0
    for _ in range(400):
        b = generator.gamma(2.0, size=60)
        a = 3.0 * b + b * generator.standard_normal(60)
        value, half = ratio_of_means(np.stack([a, b], 1))
        inside += abs(value - 3.0) <= half
    assert 0.91 * 400 <= inside <= 0.98 * 400


def test_curvature_along_the_update_is_torchs_next_step():
    case = Case(lambda p: torch.optim.AdamW(p, ETA, weight_decay=0.1))
    before = torch.cat([p.detach().reshape(-1).clone() for p in case.model.parameters()])
    h, g = case.hessian(), case.gradient()
    found = case.evaluate("update")["update"]
    case.optimizer.zero_grad()
    case.loss_fn(case.x, case.y).backward()
    case.optimizer.step()
    after = torch.cat([p.detach().reshape(-1) for p in case.model.parameters()])
    u = (before - after) / ETA
    assert found.value == pytest.approx(float(u @ h @ u / (u @ u)), rel=AUTOGRAD)
    assert found.threshold == pytest.approx(float(2 * (g @ u) / (u @ u)) / ETA, rel=AUTOGRAD)


def test_curvature_along_a_groups_gradient():
    case = Case()
    h, g = case.hessian(), case.gradient(case.x[:9], case.y[:9])
    found = case.evaluate(AlongGroup((case.x[:9], case.y[:9]), "first"))["first"]
    assert found.value == pytest.approx(float(g @ h @ g / (g @ g)), rel=AUTOGRAD)
    assert found.more["gradient_norm"] == pytest.approx(float(g.norm()), rel=AUTOGRAD)


def test_critical_sharpness_of_a_quadratic_is_its_closed_form():
    scale = torch.tensor([3.0, 1.0, 0.2], dtype=torch.float64)
    point = nn.Parameter(torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64))
    tracker = SharpnessTracker(lambda: 0.5 * (scale * point.square()).sum(), [point])
    g = scale * point.detach()
    expected = float((scale * g * g).sum() / (g @ g))
    for _ in range(2):
        found = tracker.evaluate("critical", torch.optim.SGD([point], 0.1))
        assert found["critical"].value == pytest.approx(expected, rel=CRITICAL_STEP)
        assert found["critical"].threshold == pytest.approx(20.0)
    assert found.passes <= 4 and found.products == 0 and found.gradients == 1


def test_critical_sharpness_is_the_first_step_size_that_does_not_descend():
    case = Case(lambda p: torch.optim.Adam(p, 0.01))
    found = case.evaluate("critical")["critical"]
    assert found.more["passes"] <= 12
    twins = []
    for factor in (1 - 2 * CRITICAL_STEP, 1 + 2 * CRITICAL_STEP):
        twin = Case(lambda p: torch.optim.Adam(p, 0.01))
        twin.optimizer.param_groups[0]["lr"] = found.more["eta_c"] * factor
        before = twin.loss_fn(twin.x, twin.y)
        twin.optimizer.zero_grad()
        before.backward()
        twin.optimizer.step()
        twins.append(bool(twin.loss_fn(twin.x, twin.y) > before))
    assert twins == [False, True]


def test_sams_threshold_is_that_of_its_own_radius():
    class SAM:
        """As in the common implementations: a base optimiser, rho in its groups."""

        def __init__(self, params):
            self.base_optimizer = torch.optim.SGD(params, ETA)
            self.param_groups, self.state = self.base_optimizer.param_groups, {}
            self.param_groups[0]["rho"] = 0.2
            self.step, self.zero_grad = self.base_optimizer.step, self.base_optimizer.zero_grad

    case = Case(SAM)
    rho = 0.2 / float(case.gradient().norm())
    found = case.evaluate("sharpness")["sharpness"]
    assert found.threshold == pytest.approx(thresholds.sam(2 / ETA, rho), rel=AUTOGRAD)


def refused(match, call):
    with pytest.raises(InvalidInput, match=match) as error:
        call()
    assert "\n" not in str(error.value)


def test_bad_input_is_one_sentence():
    case = Case(lambda p: torch.optim.Adam(p, 0.01), steps=0)
    refused("needs the optimiser", lambda: case.tracker.evaluate("preconditioned"))
    refused("made no step yet", lambda: case.evaluate("preconditioned"))
    refused("a quantity, or one of", lambda: case.evaluate("sharpnes"))
    refused("with its options", lambda: case.evaluate("batch_sharpness"))
    refused("each name once", lambda: case.evaluate("top", "sharpness"))
    refused("draws", lambda: BatchSharpness(batch_size=4, draws=0))
    refused("one of the two", lambda: BatchSharpness())
    refused("at most the number of samples", lambda: case.evaluate(BatchSharpness(batch_size=31)))
    refused("iterated again", lambda: case.evaluate(BatchSharpness(batches=iter([(1,)]))))
    refused("at least one batch", lambda: case.evaluate(BatchSharpness(batches=[])))
    refused(
        "LBFGS", lambda: case.tracker.evaluate("update", torch.optim.LBFGS(case.model.parameters()))
    )
    case = Case(lambda p: torch.optim.Adam(p, 0.01))
    for state in case.optimizer.state.values():
        del state["exp_avg_sq"]
    refused("second moment", lambda: case.evaluate("preconditioned"))
    refused("Is its state whole", lambda: case.evaluate("update"))
    other = torch.optim.Adam([nn.Parameter(torch.ones(2))], 0.01)
    refused("in no group", lambda: case.tracker.evaluate(Preconditioned(), other))
    some = torch.optim.SGD(list(case.model.parameters())[:1], 0.01)
    refused("tensors are in no group", lambda: case.tracker.evaluate("top", some))
    refused("'bool'", lambda: case.tracker.evaluate("top", True))
    assert BatchSharpness(batch_size=4, draws="3").draws == Trace(draws="3").draws == 3


class Shrinking:
    """A loader that gives a chunk less at the second pass, or whose worker dies."""

    num_workers = 1

    def __init__(self, case, dies=None):
        self.case, self.dies, self.passes = case, dies, 0

    def __iter__(self):
        self.passes += 1
        yield self.case.x[:15], self.case.y[:15]
        if self.passes > 1 and self.dies:
            raise self.dies
        if self.passes == 1:
            yield self.case.x[15:], self.case.y[15:]


@pytest.mark.parametrize(
    ("dies", "match"),
    [
        (None, "as in the first pass"),
        (
            RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed."),
            r"Killed\. Look at",
        ),
        (ConnectionResetError(104, "Connection reset by peer"), "the worker"),
    ],
)
def test_a_loader_that_gives_less_the_second_time_or_dies(dies, match):
    case = Case()
    tracker = SharpnessTracker(case.loss_fn, case.model, chunks=Shrinking(case, dies))
    refused(match, lambda: tracker.evaluate(["critical"], case.optimizer))


def test_nothing_of_the_model_or_the_optimiser_moves():
    case = Case(lambda p: torch.optim.Adam(p, 0.01))
    before = copy.deepcopy((case.model.state_dict(), case.optimizer.state_dict()))
    grads = [p.grad.clone() for p in case.model.parameters()]
    case.evaluate("sharpness", "critical", "update", "preconditioned", BatchSharpness(batch_size=9))
    after = case.model.state_dict(), case.optimizer.state_dict()
    torch.testing.assert_close(after, before, rtol=0, atol=0)
    for p, grad in zip(case.model.parameters(), grads, strict=True):
        assert torch.equal(p.grad, grad)


class Dropped(torch.autograd.Function):
    """Square, whose backward drops the second-order term."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.square()

    @staticmethod
    def backward(ctx, grad):
        return 2 * grad * ctx.saved_tensors[0].detach()


@pytest.mark.parametrize("quantity", ["batches", "gauss_newton"])
def test_products_of_other_graphs_are_verified_before_a_number_is_given(quantity):
    case = Case()

    def loss_of(outputs):
        return Dropped.apply(outputs).mean()

    asked = {
        "batches": BatchSharpness(batches=[(case.x,)], draws=2),
        "gauss_newton": GaussNewton(case.model, loss_of),
    }
    tracker = SharpnessTracker(
        lambda x: loss_of(case.model(x)), case.model, chunks=[(case.x,)], k=1
    )
    refused("Dropped", lambda: tracker.evaluate(asked[quantity]))


def others(case):
    """All quantities but the sharpness and the critical one."""
    whole = [(case.x, case.y)]
    return [
        *("negative", "magnitude", "preconditioned", "update", "trace", "density"),
        BatchSharpness(batch_size=9),
        GradientNoise(batches=whole),
        AlongGroup(whole[0]),
        GaussNewton(lambda x, y: case.model(x), lambda f, x, y: nn.functional.cross_entropy(f, y)),
    ]


def test_by_differences_the_sharpness_tells_its_doubt_and_of_the_rest_only_critical_answers():
    exact, case = Case(), Case()
    case.tracker = SharpnessTracker(
        case.loss_fn, case.model, chunks=[(case.x, case.y)], product="difference"
    )
    found = case.evaluate("top", "critical")
    expected = exact.evaluate("top", "critical")
    one = found["sharpness"]
    assert abs(one.value - expected["sharpness"].value) <= float(one.more["errors"].max())
    assert 0 < one.doubt <= case.tracker.tolerance * one.value and one.step > 0
    assert f"step of {one.step:.2g}, off by at most {one.doubt:.2g}" in str(found)
    history = case.tracker.history
    assert history.sharpness_doubt == one.doubt and history.sharpness_step == one.step
    assert history.sharpness_doubt.attrs["units"] == "1 / time"
    assert found["critical"].value == pytest.approx(expected["critical"].value, rel=CRITICAL_STEP)
    assert expected["sharpness"].doubt is None and "differences" not in str(expected)
    assert "sharpness_doubt" not in exact.tracker.history
    for asked in others(case):
        refused("by how much it may be off", lambda asked=asked: case.evaluate(asked))


def test_in_half_precision_a_step_is_not_known():
    case = Case()
    model, x = case.model.bfloat16(), case.x.bfloat16()
    tracker = SharpnessTracker(
        lambda: nn.functional.cross_entropy(model(x).float(), case.y), model, product="difference"
    )
    for asked in ("critical", "update"):
        refused("lost in their rounding", lambda asked=asked: tracker.evaluate(asked, 0.1))


def test_over_processes_only_the_sharpness_is_measured():
    case = Case()
    torch.distributed.init_process_group(
        "gloo", store=torch.distributed.HashStore(), rank=0, world_size=1
    )
    try:
        tracker = SharpnessTracker(
            case.loss_fn, case.model, chunks=[(case.x, case.y)], processes=True
        )
        assert tracker.evaluate("top", case.optimizer)["top"].converged
        for asked in ("critical", *others(case)):
            refused("which with processes", lambda a=asked: tracker.evaluate(a, case.optimizer))
    finally:
        torch.distributed.destroy_process_group()


def curvlinops_or_skip():
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("curvlinops", reason="extra `curvature` is not installed")


def test_trace_and_density():
    curvlinops_or_skip()
    case = Case()
    values = torch.linalg.eigvalsh(case.hessian())
    trace = float(values.sum())
    exact = case.evaluate(Trace(draws=len(values)))["trace"]
    assert exact.value == pytest.approx(trace, rel=AUTOGRAD)
    drawn = case.evaluate(Trace(draws=20), Density())
    assert drawn["trace"].low < trace < drawn["trace"].high
    assert drawn["trace"].more["draws"] == 20 and drawn.products == 20 + 2 * 20
    assert drawn["density"].value == pytest.approx(float(values[-1]), rel=SHARPNESS)
    grid, density = drawn["density"].more["grid"], drawn["density"].more["density"]
    assert float(torch.trapezoid(density, grid)) == pytest.approx(1, abs=MOMENTS)
    assert bool((density >= 0).all()) and grid[0] < drawn["density"].more["smallest"]


def test_the_interval_of_the_trace_holds_it_where_one_eigenvalue_is_all_of_it():
    generator, inside = np.random.default_rng(0), 0
    for _ in range(1000):
        low, high = interval_of_mean(generator.standard_normal(20) ** 2)
        inside += low <= 1 <= high
    assert 920 <= inside <= 970  # Student's: 895
    assert interval_of_mean(np.full(5, 3.0)) == (3.0, 3.0)


def test_one_number_has_no_density():
    curvlinops_or_skip()
    refused("steps", lambda: Density(steps=1))
    point = nn.Parameter(torch.ones(1))
    tracker = SharpnessTracker(lambda: 1.5 * point.square().sum(), [point])
    refused("one number has no density", lambda: tracker.evaluate("density"))


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "curvlinops", None)
    refused(r"pip install '\.\[curvature\]'", lambda: Case().evaluate("trace"))


def test_a_noisy_loss_is_refused_where_no_product_is_asked_for_too():
    point = nn.Parameter(torch.ones(3))
    tracker = SharpnessTracker(lambda: (point * torch.rand(3)).square().sum(), [point])
    refused("not deterministic", lambda: tracker.evaluate("critical", 0.1))
