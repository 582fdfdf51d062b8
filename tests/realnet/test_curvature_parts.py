import pytest
import torch
from torch import nn

from linmodel import InvalidInput
from realnet import layer_sharpness, sample_curvature, top_eigenpairs
from realnet.networks import Shape, build_network
from realnet.training.losses import sample_loss
from tests.realnet.test_curvature import dense_hessian, small_problem
from tests.tolerances import SHARPNESS, SHARPNESS_TIGHT

KINDS = {
    "mlp": {"width": 4, "depth": 1},
    "cnn": {"width": 2, "depth": 1, "norm": "group"},
    "vit": {"width": 4, "depth": 1},
}


def test_each_layer_has_its_own_block():
    model, x, y = small_problem(width=5, depth=2)

    def loss_fn():
        return nn.functional.cross_entropy(model(x), y)

    found = layer_sharpness(loss_fn, model)
    assert list(found) == ["1", "3", "5"]
    for name, curvature in found.items():
        block = dense_hessian(loss_fn, model.get_submodule(name).parameters())
        expected = float(torch.linalg.eigvalsh(block)[-1])
        assert curvature.sharpness == pytest.approx(expected, rel=SHARPNESS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("loss", ["cross-entropy", "mse"])
def test_sample_curvature_is_each_samples_dense_quadratic_form(kind, loss):
    model, x, y = small_problem(kind, **KINDS[kind])
    x, y, measure = x[:4], y[:4], sample_loss(loss)
    n = sum(p.numel() for p in model.parameters())
    direction = torch.randn(n, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    chunks = [(x[:3], y[:3]), (x[3:], y[3:])]

    def losses(x, y):
        return measure(model(x), y)

    found = sample_curvature(losses, model, direction, chunks)
    v = direction / direction.norm()
    for i in (0, 3):
        hessian = dense_hessian(
            lambda i=i: losses(x[i : i + 1], y[i : i + 1]).sum(), model.parameters()
        )
        torch.testing.assert_close(found[i], v @ hessian @ v, rtol=SHARPNESS_TIGHT, atol=1e-12)


def test_samples_share_out_the_sharpness():
    model, x, y = small_problem(width=5)
    measure = sample_loss("cross-entropy")
    top = top_eigenpairs(lambda: measure(model(x), y).mean(), model, tolerance=1e-7)
    shares = sample_curvature(lambda: measure(model(x), y), model, top.vectors[0])
    assert float(shares.mean()) == pytest.approx(top.sharpness, rel=SHARPNESS_TIGHT)


def test_a_wrong_direction_is_refused():
    model, x, _ = small_problem(width=4)
    with pytest.raises(InvalidInput, match="direction"):
        sample_curvature(lambda: model(x).square().sum(1), model, torch.ones(3))


def test_gpt_curvature_is_the_dense_hessians():
    model = build_network("gpt", Shape(5, context=4), width=4, depth=1).double()
    ids = torch.randint(5, (6, 5), generator=torch.Generator().manual_seed(0))
    measure = sample_loss("cross-entropy")

    def loss_fn():
        return measure(model(ids[:, :-1]), ids[:, 1:]).mean()

    expected = torch.linalg.eigvalsh(dense_hessian(loss_fn, model.parameters())).flip(0)[:2]
    found = top_eigenpairs(loss_fn, model, 2, tolerance=1e-7)
    torch.testing.assert_close(found.values, expected, rtol=SHARPNESS_TIGHT, atol=0)


def test_unknown_network_lists_what_exists():
    with pytest.raises(InvalidInput, match="mlp, cnn, vgg, resnet, resnet8, vit, gpt"):
        build_network("lenet", Shape(10, 1, 8, 8))
    with pytest.raises(InvalidInput, match="text"):
        build_network("gpt", Shape(10, 1, 8, 8))
