"""Curvature that is exactly zero, below the range of squares, or of a state from elsewhere."""

import warnings

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from linmodel import InvalidInput
from realnet import SharpnessTracker, top_eigenpairs
from realnet.curvature.eigensolver import TopSolver
from realnet.curvature.search import ASKED, COLD
from realnet.curvature.secant import norm
from tests.realnet.test_curvature_hidden import evaluate, matrix, solver_of
from tests.tolerances import SHARPNESS


@pytest.mark.parametrize("top", [1.0, 1e15])
def test_a_hessian_that_falls_to_nothing_is_forgotten(top):
    """Roundoff of what had been known took 200 products an evaluation, and said not converged."""
    n = 120
    solver, now = solver_of(n), matrix([-1.0 + 2 * i / n for i in range(n + 1)][1:])
    for factor in (top, -top):
        evaluate(solver, factor * now)
    after = 1.0 if top > 1 else 0.0
    found = [evaluate(solver, after * now) for _ in range(3)]
    for each in found:
        assert float(each.values[0]) == pytest.approx(after, rel=SHARPNESS)
    assert found[0].products <= 1 + COLD + 2 * ASKED
    assert bool(found[2].converged.all()) and found[2].products <= 5


@pytest.mark.parametrize("n", [20, 40, 57])
def test_where_the_model_has_room_for_all_directions_each_is_measured_once(n):
    """It forgot some, and went on to the limit, once it was nearly full."""
    solver, now = solver_of(n), torch.eye(n, dtype=torch.float64)
    for factor in (1.0, 0.0, 1.0, -1.0):
        found = evaluate(solver, factor * now)
        assert found.values.tolist() == pytest.approx([factor])
        assert found.products <= n + 1  # one more where all is forgotten


@pytest.mark.parametrize("scale", [1e-18, 1e-22, 1e-30])
def test_curvature_whose_square_float32_cannot_hold(scale):
    now = matrix([0.1 * i for i in range(80)])
    solver = solver_of(80, dtype=torch.float32)
    single = scale * now.float()
    for _ in range(2):
        found = solver.solve(lambda rows: rows @ single, 0.5 * SHARPNESS, 1e-6, 200)
        assert bool(found.converged.all())
        assert float(found.values[0]) == pytest.approx(7.9 * scale, rel=SHARPNESS)


def test_curvature_that_float32_cannot_hold_is_zero():
    """In a loss that has saturated; the rows of the model were not orthonormal any more."""
    solver, single = (
        solver_of(80, dtype=torch.float32),
        matrix([0.1 * i for i in range(80)]).float(),
    )
    for scale in (1e-33, 1e-36, 1e-39):
        found = solver.solve(
            lambda rows, scale=scale: rows @ (scale * single), 0.5 * SHARPNESS, 1e-6, 200
        )
        assert abs(float(found.values[0])) <= 10 * scale


def test_a_length_is_right_whatever_its_size():
    for size in (1e-40, 1e-30, 1e-12, 1.0, 1e15):
        assert norm(torch.full((4,), size)) == pytest.approx(2 * size, rel=1e-4)
    assert norm(torch.zeros(3)) == 0.0


def test_a_loss_that_is_rounded_away_is_said_to_be():
    x = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(20) % 2
    x[:, 0] = 10.0 * (2 * labels - 1)
    layer = nn.Linear(3, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[-1.0, 0.1, 0.0], [1.0, 0.0, 0.1]]))
    with pytest.raises(InvalidInput, match="rounded away in float32"):
        top_eigenpairs(lambda: cross_entropy(layer(x), labels), layer)
    layer, x = layer.double(), x.double()
    assert top_eigenpairs(lambda: cross_entropy(layer(x), labels), layer).sharpness > 0


def quadratic(n, seed=0):
    draw = torch.randn(n, n, generator=torch.Generator().manual_seed(seed))
    w = nn.Parameter(torch.ones(n))
    return lambda: (draw @ w).square().sum(), w


@pytest.mark.parametrize(("n", "options"), [(30, {}), (60, {}), (40, {"memory": 15})])
def test_the_state_of_another_model_is_refused_and_nothing_of_it_taken_up(n, options):
    loss_fn, w = quadratic(40)
    first = SharpnessTracker(loss_fn, [w])
    first.evaluate()
    loss_fn, w = quadratic(n)
    tracker, untouched = (SharpnessTracker(loss_fn, [w], **options) for _ in range(2))
    with pytest.raises(InvalidInput, match="vectors of 40 numbers"):
        tracker.restore(first.state())
    with pytest.raises(InvalidInput, match="one without"):
        tracker.restore({k: v for k, v in untouched.state().items() if k != "habits"})
    for habits in (torch.ones(3), torch.full((5,), float("nan")), None):
        with pytest.raises(InvalidInput, match="cannot be read"):
            tracker.restore(untouched.state() | {"habits": habits})
    with pytest.raises(InvalidInput, match="cannot be read"):
        tracker.restore(None)
    assert torch.equal(tracker.evaluate().values, untouched.evaluate().values)


def test_what_has_become_nan_is_put_back():
    """Zeros took a NaN for their own: running means of the first batches stayed lost."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    x = torch.full((8, 4), float("nan"))
    with pytest.raises(InvalidInput, match="running_mean"):
        top_eigenpairs(lambda: model(x).square().mean(), list(model.parameters()))
    assert torch.equal(model[1].running_mean, torch.zeros(3))
    w = nn.Parameter(torch.zeros(3))

    def spoils():
        with torch.no_grad():
            w.fill_(float("nan"))
        return w.square().sum()

    with pytest.raises(InvalidInput, match="changes the parameters"):
        top_eigenpairs(spoils, [w])
    assert torch.equal(w, torch.zeros(3))


@pytest.mark.parametrize("listed", [False, True])
def test_a_scripted_module_is_taken(listed):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Tanh(), nn.Linear(3, 2)).eval()
    x, labels = torch.randn(12, 4), torch.arange(12) % 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        scripted = torch.jit.script(model)
    given = list(scripted.parameters()) if listed else scripted
    found = top_eigenpairs(lambda: cross_entropy(scripted(x), labels), given)
    expected = top_eigenpairs(lambda: cross_entropy(model(x), labels), model)
    assert found.sharpness == pytest.approx(expected.sharpness, rel=SHARPNESS)
    scripted.train()
    before = {name: buffer.clone() for name, buffer in scripted.named_buffers()}
    with pytest.raises(InvalidInput, match=r"moves the buffers|training mode"):
        top_eigenpairs(lambda: cross_entropy(scripted(x), labels), given)
    assert all(torch.equal(before[name], now) for name, now in scripted.named_buffers())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_value_is_its_vectors_own_where_the_top_is_a_hundredth_of_the_rest(dtype):
    """A short memory, images as small as the top: one that was cut off put values 75% off."""
    n, generator = 250, torch.Generator().manual_seed(2)
    values = 0.05 * torch.randn(n, generator=generator, dtype=torch.float64)
    values[:6] = torch.tensor([0.2, 0.19, 0.18, 0.17, 0.16, 0.15])
    values[6:16] = -torch.logspace(1.2, -1, 10, dtype=torch.float64)
    basis = torch.linalg.qr(torch.randn(n, n, generator=generator, dtype=torch.float64))[0]
    draw = torch.randn(n, n, generator=generator, dtype=torch.float64)
    turn = torch.matrix_exp(0.03 * (draw - draw.T) / n**0.5)
    start = torch.Generator().manual_seed(2)
    solver = TopSolver(n, 1, dtype, torch.device("cpu"), start, rows=9)
    for t in range(12):
        now = (
            basis @ torch.diag(values * (1 + 0.1 * torch.sin(torch.arange(n) + 0.3 * t))) @ basis.T
        )
        basis, single = basis @ turn, now.to(dtype)
        floor = 4 * torch.finfo(dtype).eps
        found = solver.solve(lambda rows, h=single: rows @ h, 0.5 * SHARPNESS, floor, 200)
        x = found.vectors[0].double()
        assert float(x @ now @ x) == pytest.approx(float(found.values[0]), rel=SHARPNESS)
