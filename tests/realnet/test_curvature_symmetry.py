"""Products that are not symmetric are no second derivatives: refused at first, never converged."""

import pytest
import torch
from torch import nn

from linmodel import InvalidInput
from realnet import SharpnessTracker, top_eigenpairs
from realnet.curvature.eigensolver import TopSolver
from realnet.curvature.symmetry import refuse_asymmetric, told
from tests.realnet.test_curvature import dense_hessian
from tests.tolerances import SHARPNESS

cross_entropy = nn.functional.cross_entropy


def data(dtype=torch.float64):
    torch.manual_seed(1)
    return torch.randn(40, 6, dtype=dtype), torch.arange(40) % 3


def network(act=nn.ReLU, norm=nn.Identity):
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(6, 8), norm(), act(), nn.Linear(8, 8), act(), nn.Linear(8, 3))


def solved(matrix):
    """The top eigenpair of a matrix."""
    generator = torch.Generator().manual_seed(0)
    solver = TopSolver(len(matrix), 1, matrix.dtype, torch.device("cpu"), generator)
    return solver.solve(lambda rows: rows @ matrix.T, 1e-3, 1e-15, 200)


def test_a_planted_asymmetry_is_told_and_refused():
    generator = torch.Generator().manual_seed(0)
    square = torch.randn(30, 30, dtype=torch.float64, generator=generator)
    matrix = torch.diag(torch.linspace(-1, 1, 30, dtype=torch.float64))
    pairs = solved(matrix)
    refuse_asymmetric(pairs, 1e-3)
    assert bool(told(pairs, 1e-3).converged.all())
    pairs = solved(matrix + 0.05 * (square - square.T))
    found = told(pairs, 1e-3)
    assert not bool(found.converged.any()) and float(found.errors[0]) >= 10 * pairs.asymmetry > 0.05
    with pytest.raises(InvalidInput, match=r"not symmetric.*weight_norm") as error:
        refuse_asymmetric(pairs, 1e-3)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_torchs_weight_norm_is_refused_where_the_gradient_jumps(dtype):
    x, y = data(dtype)
    model = network().to(dtype)
    for layer in (model[0], model[3]):
        nn.utils.parametrizations.weight_norm(layer)
    params = list(model.parameters())
    for _ in range(60):
        parts = torch.autograd.grad(cross_entropy(model(x), y), params)
        with torch.no_grad():
            for p, part in zip(params, parts, strict=True):
                p -= 0.5 * part
    with pytest.raises(InvalidInput, match="not symmetric"):
        top_eigenpairs(lambda: cross_entropy(model(x), y), model, max_products=30)


@pytest.mark.parametrize("act", [nn.ReLU, nn.Tanh])
@pytest.mark.parametrize("norm", [nn.Identity, nn.LayerNorm, nn.RMSNorm])
def test_gradients_in_the_loss_through_a_norm(norm, act):
    x, y = data()
    model = network(act, lambda: norm(8) if norm is not nn.Identity else norm()).double()

    def loss_fn():
        inputs = x.clone().requires_grad_()
        outputs = model(inputs)
        (slope,) = torch.autograd.grad(outputs[:, 0].sum(), inputs, create_graph=True)
        return cross_entropy(outputs, y) + slope.square().sum(1).mean()

    if norm is nn.LayerNorm:  # torch's derivative of its second derivative is wrong
        with pytest.raises(InvalidInput, match=r"not symmetric|not the derivative|differentiated"):
            top_eigenpairs(loss_fn, model, max_products=30)
        return
    expected = float(torch.linalg.eigvalsh(dense_hessian(loss_fn, model.parameters()))[-1])
    assert top_eigenpairs(loss_fn, model).sharpness == pytest.approx(expected, rel=SHARPNESS)


def test_a_float32_loss_near_zero_is_not_called_converged_where_it_is_wrong():
    x, _ = data(torch.float32)
    model, twin = network(), network().double()
    y = model(x).argmax(1)
    tracker = SharpnessTracker(lambda: cross_entropy(model(x), y), model, max_products=50)
    exact = SharpnessTracker(lambda: cross_entropy(twin(x.double()), y), twin)
    assert bool(tracker.evaluate().converged.all())
    margins = model(x).detach().topk(2).values
    unit = 1 / float((margins[:, 0] - margins[:, 1]).min())
    before = 1.0
    for margin, right in ((5, True), (13, False), (16, False)):  # losses of 2e-4, 6e-8, 3e-9
        with torch.no_grad():
            for p in model[5].parameters():
                p *= margin * unit / before
        before = margin * unit
        twin.load_state_dict(model.state_dict())
        found, true = tracker.evaluate(), exact.evaluate().sharpness
        assert (abs(found.sharpness - true) <= tracker.tolerance * true) == right
        assert bool(found.converged.all()) == right
    with pytest.raises(InvalidInput, match=r"model\.double"):
        top_eigenpairs(lambda: cross_entropy(model(x), y), model, max_products=50)


@pytest.mark.parametrize("kept", [None, 15])
def test_what_is_seen_in_coordinates_is_what_vectors_show(kept):
    """The naive twin; images whose least has been cut off in a rotation (15 rows) do not count."""
    generator = torch.Generator().manual_seed(0)
    square = torch.randn(400, 400, dtype=torch.float64, generator=generator)
    matrix = (square + square.T) / 2 + 1e-6 * (square - square.T)
    seen = []

    def products(rows):
        seen.append((rows[0].clone(), rows[0] @ matrix.T))
        return seen[-1][1][None].clone()

    solver = TopSolver(
        400, 1, matrix.dtype, torch.device("cpu"), torch.Generator().manual_seed(0), kept or 57
    )
    for _ in range(2):
        seen.clear()
        pairs = solver.solve(products, 1e-6, 1e-15, 60)
        naive = max(
            abs(float(u @ image - v @ its)) for u, its in seen for v, image in seen
        )  # fmt: skip
        assert 0 < pairs.asymmetry <= naive * (1 + 1e-6) + 1e-12
        if kept is None:
            assert pairs.asymmetry > 0.5 * naive
