import numpy as np
import pytest
import scipy.sparse.linalg
import torch
from torch import nn

from linmodel import InvalidInput
from realnet.curvature.eigensolver import TopSolver
from realnet.curvature.tracker import SharpnessTracker, top_eigenpairs
from realnet.networks import Shape, build_network
from tests.tolerances import FLOAT32_STEP, ORTHONORMAL, SHARPNESS, SHARPNESS_TIGHT


def dense_hessian(loss_fn, params):
    """The naive twin: one double-backward pass a row, float64 out."""
    params = list(params)
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        loss = loss_fn()
    parts = torch.autograd.grad(loss, params, create_graph=True, materialize_grads=True)
    flat = torch.cat([part.reshape(-1) for part in parts])
    rows = [
        torch.cat(
            [
                row.reshape(-1)
                for row in torch.autograd.grad(
                    entry, params, retain_graph=True, materialize_grads=True
                )
            ]
        )
        for entry in flat
    ]
    return torch.stack(rows).double()


def quadratic(diagonal, dtype=torch.float64):
    """1/2 x^T D x in a random orthonormal basis, as a loss of one parameter."""
    values = torch.as_tensor(diagonal, dtype=dtype)
    generator = torch.Generator().manual_seed(1)
    draw = torch.randn(len(values), len(values), generator=generator, dtype=torch.float64)
    basis = torch.linalg.qr(draw).Q.to(dtype)
    point = nn.Parameter(torch.ones(len(values), dtype=dtype))
    return (lambda: 0.5 * (values * (basis @ point).square()).sum()), point, values


def small_problem(kind="mlp", dtype=torch.float64, **options):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(30, 1, 6, 6, generator=generator, dtype=torch.float64).to(dtype)
    y = torch.randint(3, (30,), generator=generator)
    model = build_network(kind, Shape(3, 1, 6, 6), **options).to(dtype)
    return model, x, y


CASES = {
    "mlp": {"width": 5, "depth": 2},
    "cnn": {"width": 2, "depth": 1, "norm": "group"},
    "vgg": {"width": 2, "depth": 1, "activation": "gelu"},
    "resnet": {"width": 2, "depth": 2},
    "resnet8": {"width": 2, "depth": 2},
    "vit": {"width": 4, "depth": 1},
}


@pytest.mark.parametrize("kind", CASES)
def test_eigenpairs_of_every_network_are_those_of_the_dense_hessian(kind, k=3):
    model, x, y = small_problem(kind, **CASES[kind])

    def loss_fn():
        return nn.functional.cross_entropy(model(x), y)

    hessian = dense_hessian(loss_fn, model.parameters())
    expected = torch.linalg.eigvalsh(hessian).flip(0)[:k]
    found = top_eigenpairs(loss_fn, model, k, tolerance=1e-7, max_products=len(hessian))
    torch.testing.assert_close(found.values, expected, rtol=SHARPNESS_TIGHT, atol=0)
    residuals = (found.vectors @ hessian - found.values[:, None] * found.vectors).norm(dim=1)
    torch.testing.assert_close(found.residuals, residuals, rtol=SHARPNESS, atol=SHARPNESS_TIGHT)
    assert found.converged.all() and found.sharpness == found.values[0]


def test_agrees_with_eigsh_in_float32_and_chunked():
    model, x, y = small_problem(dtype=torch.float32, width=20)

    def loss_fn(x, y):
        return nn.functional.cross_entropy(model(x), y)

    chunks = [(x[:7], y[:7]), (x[7:25], y[7:25]), (x[25:], y[25:])]
    tracker = SharpnessTracker(loss_fn, model, chunks=chunks)
    found = tracker.evaluate()
    tracker.objective.begin()

    def product(v):
        return tracker.objective.products(torch.as_tensor(v, dtype=torch.float32)[None])[0].numpy()

    n = tracker.objective.n
    operator = scipy.sparse.linalg.LinearOperator((n, n), matvec=product, dtype=np.float32)
    (expected,) = scipy.sparse.linalg.eigsh(operator, 1, which="LA", return_eigenvectors=False)
    assert found.sharpness == pytest.approx(float(expected), rel=SHARPNESS)
    whole = top_eigenpairs(lambda: loss_fn(x, y), model)
    assert found.sharpness == pytest.approx(whole.sharpness, rel=SHARPNESS)
    assert found.loss == pytest.approx(whole.loss, rel=SHARPNESS)
    torch.testing.assert_close(found.gradient, whole.gradient)


def test_tracking_stays_true_along_descent_at_the_edge():
    model, x, y = small_problem(dtype=torch.float32, width=8)
    onehot = nn.functional.one_hot(y, 3).float()

    def loss_fn():
        return 0.5 * (model(x) - onehot).square().sum(1).mean()

    tracker = SharpnessTracker(loss_fn, model)
    step_size, spent, near = 0.7, [], []
    for _ in range(12):
        found = tracker.evaluate()
        expected = torch.linalg.eigvalsh(dense_hessian(loss_fn, model.parameters()))[-1]
        assert found.sharpness == pytest.approx(float(expected), rel=SHARPNESS)
        assert found.converged.all()
        spent.append(found.products)
        near.append(found.sharpness * step_size / 2)
        for _ in range(10):
            gradients = torch.autograd.grad(loss_fn(), list(model.parameters()))
            with torch.no_grad():
                for p, g in zip(model.parameters(), gradients, strict=True):
                    p -= step_size * g
    assert max(near) > 1.0
    assert np.median(spent[1:]) < spent[0]


def test_a_long_track_in_float32_keeps_its_basis_orthonormal():
    """What the model keeps is never made orthonormal afresh: errors must not feed on themselves."""
    generator = torch.Generator().manual_seed(0)
    n, noise = 300, torch.randn(2, 300, 300, generator=generator, dtype=torch.float64)
    still = torch.diag(torch.linspace(-1, 1, n, dtype=torch.float64) ** 5)
    moving = [0.01 * n**-0.5 * (part + part.T) for part in noise]
    solver = TopSolver(n, 1, torch.float32, torch.device("cpu"), generator)
    for step in range(120):
        angle = torch.tensor(0.05 * step)
        now = still + angle.sin() * moving[0] + angle.cos() * moving[1]
        single = now.float()
        found = solver.solve(lambda rows, h=single: rows @ h, SHARPNESS, FLOAT32_STEP, 100)
        assert found.converged.all()
        if step % 20 == 0:
            top = torch.linalg.eigvalsh(now)[-1]
            assert float(found.values[0]) == pytest.approx(float(top), rel=SHARPNESS)
    rows = solver.model.rows.double()
    assert (rows @ rows.T - torch.eye(len(rows))).abs().max() < ORTHONORMAL


def test_a_slowly_turning_matrix_needs_two_products_an_evaluation():
    """The top vector, gone straight on with, and the probe."""
    generator = torch.Generator().manual_seed(0)
    n = 100
    draw = torch.randn(n, n, generator=generator, dtype=torch.float64)
    turn = torch.matrix_exp(0.02 * (draw - draw.T) / n**0.5)
    values = torch.linspace(-1, 1, n, dtype=torch.float64) ** 3
    values[-1] = 2.0
    basis, spent = torch.eye(n, dtype=torch.float64), []
    solver = TopSolver(n, 1, torch.float64, torch.device("cpu"), generator)
    for _ in range(20):
        basis = basis @ turn
        now = basis @ torch.diag(values) @ basis.T
        found = solver.solve(lambda rows, h=now: rows @ h, SHARPNESS, FLOAT32_STEP, 100)
        assert float(found.values[0]) == pytest.approx(2.0, rel=SHARPNESS)
        spent.append(found.products)
    assert np.median(spent) == 2


def shuffled(n, steps, seed):
    """A dense top whose vectors turn while its eigenvalues are dealt anew: the edge, and worse."""
    generator = torch.Generator().manual_seed(seed)
    top, bulk = torch.linspace(6.3, 5.3, 14), torch.linspace(5, 0, n - 14)
    values = torch.cat([top, bulk]).double()
    basis = torch.eye(n, dtype=torch.float64)
    for _ in range(steps):
        draw = torch.randn(n, n, generator=generator, dtype=torch.float64)
        basis = basis @ torch.matrix_exp(0.2 * (draw - draw.T) / n**0.5)
        now = values.clone()
        now[:14] += 0.15 * torch.randn(14, generator=generator, dtype=torch.float64)
        yield basis @ torch.diag(now) @ basis.T, float(now.max())


def test_a_shuffled_top_is_lost_far_more_seldom_than_by_warm_eigsh_of_as_many_products():
    """No method of few products is safe here: an eigenvector may hide from every start."""
    n, missed, spent = 150, {"ours": 0, "eigsh": 0}, {"ours": 0, "eigsh": 0}
    for seed in range(6):
        generator = torch.Generator().manual_seed(seed)
        solver = TopSolver(n, 1, torch.float64, torch.device("cpu"), generator)
        start = np.random.default_rng(seed).normal(size=n)
        for matrix, expected in shuffled(n, 25, seed):
            found = solver.solve(lambda rows, h=matrix: rows @ h, 0.5 * SHARPNESS, 1e-12, 100)
            spent["ours"] += found.products
            missed["ours"] += abs(float(found.values[0]) / expected - 1) > SHARPNESS

            def product(vector, matrix=matrix):
                spent["eigsh"] += 1
                return matrix.numpy() @ vector

            operator = scipy.sparse.linalg.LinearOperator((n, n), matvec=product, dtype=float)
            values, vectors = scipy.sparse.linalg.eigsh(
                operator, 1, which="LA", v0=start, ncv=10, tol=1e-3
            )
            start = vectors[:, 0]
            missed["eigsh"] += abs(float(values[0]) / expected - 1) > SHARPNESS
    assert 3 * missed["ours"] <= missed["eigsh"]
    assert spent["ours"] <= spent["eigsh"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("diagonal", "k"),
    [
        ([-3.0, 1.0, 0.5, 0.2, 0.1], 1),
        ([-10.0, -3.0, -2.0, -1.0], 2),
        ([5.0, 5.0, 5.0, 1.0, 0.5, 0.1], 3),
        ([5.0, 5.0, 5.0, 5.0], 2),
        ([0.0, 0.0, 0.0], 2),
        ([0.0, 0.0, 2.0, 0.0], 1),
        ([1e-6, 1e-7, -1e-6, 0.0], 1),
        ([1e6, 1.0, 1e-3, -1e6], 1),
        ([4.0], 1),
        ([4.0, 3.0], 5),
        ([0.0, -1.0, -2.0], 1),
    ],
)
def test_algebraically_largest_eigenvalues_with_their_multiplicity(diagonal, k, dtype):
    loss_fn, point, values = quadratic(diagonal, dtype)
    found = top_eigenpairs(loss_fn, [point], k)
    expected = values.double().sort(descending=True).values[:k]
    allowed = SHARPNESS * float(values.abs().max())
    torch.testing.assert_close(found.values, expected, rtol=SHARPNESS, atol=allowed)
    assert found.converged.all()


@pytest.mark.parametrize("n", [20, 300])
@pytest.mark.parametrize("seed", range(5))
def test_a_new_top_eigenvalue_is_found_although_the_warm_start_is_an_eigenvector(n, seed):
    values = np.linspace(0.0, 6.0, n)
    values[0] = 10.0
    loss_fn, point, diagonal = quadratic(values)
    tracker = SharpnessTracker(loss_fn, [point], seed=seed)
    assert tracker.evaluate().sharpness == pytest.approx(10.0, rel=SHARPNESS)
    assert tracker.evaluate().products <= 3
    diagonal[5] = 11.0
    assert tracker.evaluate().sharpness == pytest.approx(11.0, rel=SHARPNESS)


def test_a_second_eigenvalue_that_overtakes_the_first_is_followed():
    loss_fn, point, diagonal = quadratic([5.0, 4.9, 1.0, 0.5, 0.3, 0.2, 0.1, 0.0])
    tracker = SharpnessTracker(loss_fn, [point])
    for share in np.linspace(0, 1, 8):
        diagonal[0], diagonal[1] = 5.0 - 0.2 * share, 4.9 + 0.2 * share
        expected = float(diagonal.max())
        assert tracker.evaluate().sharpness == pytest.approx(expected, rel=SHARPNESS)


def test_too_few_products_are_said_and_not_hidden():
    loss_fn, point, _ = quadratic(np.linspace(0, 1, 200))
    found = top_eigenpairs(loss_fn, [point], max_products=4)
    assert found.products == 4 and not found.converged.any()
    assert found.residuals[0] > SHARPNESS


def test_linear_parameters_have_no_curvature():
    weights = nn.Parameter(torch.ones(3))
    linear = top_eigenpairs(lambda: (3 * weights).sum(), [weights])
    assert linear.sharpness == 0.0 and linear.converged.all()


class Noisy(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(6, 8), layer, nn.Tanh(), nn.Linear(8, 2))

    def forward(self, x):
        return self.layers(x)


@pytest.mark.parametrize("layer", [nn.Dropout(0.5), nn.BatchNorm1d(8)], ids=["dropout", "norm"])
def test_dropout_and_batch_norm_in_training_mode(layer):
    torch.manual_seed(0)
    model, x = Noisy(layer), torch.randn(20, 6)

    def loss_fn():
        return model(x).square().mean()

    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(InvalidInput, match=r"model\.eval"):
        top_eigenpairs(loss_fn, model)
    generator = torch.get_rng_state()
    tracker = SharpnessTracker(loss_fn, model, training_mode="consistent")
    found = tracker.evaluate()
    assert found.converged.all() and model.training
    assert tracker.evaluate().sharpness == pytest.approx(found.sharpness, rel=SHARPNESS)
    assert torch.equal(torch.get_rng_state(), generator)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    model.eval()
    expected = torch.linalg.eigvalsh(dense_hessian(loss_fn, model.parameters()))[-1]
    assert top_eigenpairs(loss_fn, model).sharpness == pytest.approx(float(expected), rel=SHARPNESS)
    assert not model.training


def test_noise_that_no_module_shows_is_refused():
    model, x = nn.Linear(6, 2), torch.randn(20, 6)

    def loss_fn():
        return nn.functional.dropout(model(x)).square().mean()

    with pytest.raises(InvalidInput, match="not deterministic"):
        top_eigenpairs(loss_fn, model)


class Functional(nn.Module):
    """Batch norm without its module, statistics in buffers."""

    def __init__(self, track):
        super().__init__()
        self.linear = nn.Linear(6, 3)
        self.register_buffer("mean", torch.zeros(3) if track else None)
        self.register_buffer("var", torch.ones(3) if track else None)

    def forward(self, x):
        x = self.linear(x)
        return nn.functional.batch_norm(x, self.mean, self.var, training=self.training)


def test_functional_batch_norm_that_moves_buffers_is_refused_and_undone():
    model, x = Functional(track=True), torch.randn(20, 6)

    def loss_fn():
        return model(x).tanh().square().mean()

    before = model.mean.clone()
    with pytest.raises(InvalidInput, match="buffers mean, var"):
        top_eigenpairs(loss_fn, model)
    assert torch.equal(model.mean, before)
    assert top_eigenpairs(loss_fn, model, training_mode="consistent").converged.all()
    assert torch.equal(model.mean, before)
    assert top_eigenpairs(loss_fn, model.eval()).converged.all()


def test_bad_losses_fail_before_any_product():
    point = nn.Parameter(torch.ones(3))
    with pytest.raises(InvalidInput, match="nan"):
        top_eigenpairs(lambda: (point * float("nan")).sum(), [point])
    with pytest.raises(InvalidInput, match="differentiable"):
        top_eigenpairs(lambda: point.detach().sum(), [point])
    with pytest.raises(InvalidInput, match="differentiable"):
        top_eigenpairs(lambda: point.square(), [point])
    with pytest.raises(InvalidInput, match="no parameters"):
        top_eigenpairs(lambda: point.sum(), nn.Identity())
    with pytest.raises(InvalidInput, match="float"):
        half = nn.Parameter(torch.ones(3, dtype=torch.bfloat16))
        top_eigenpairs(lambda: half.square().sum(), [half])


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA"), RuntimeError("can't allocate memory")]
)
def test_out_of_memory_says_to_chunk_smaller(error):
    def loss_fn():
        raise error

    with pytest.raises(InvalidInput, match="fewer samples"):
        top_eigenpairs(loss_fn, [nn.Parameter(torch.ones(3))])


def test_fused_attention_is_given_second_derivatives():
    torch.manual_seed(0)
    model = nn.MultiheadAttention(8, 2, batch_first=True)
    x = torch.randn(4, 5, 8)

    def loss_fn():
        return model(x, x, x, need_weights=False)[0].square().mean()

    found = top_eigenpairs(loss_fn, model)
    hessian = dense_hessian(loss_fn, model.parameters())
    expected = float(torch.linalg.eigvalsh(hessian)[-1])
    assert found.sharpness == pytest.approx(expected, rel=SHARPNESS)


def test_a_restored_tracker_goes_on_bitwise():
    model, x, y = small_problem(dtype=torch.float32, width=12)

    def loss_fn():
        return nn.functional.cross_entropy(model(x), y)

    first, second = SharpnessTracker(loss_fn, model), SharpnessTracker(loss_fn, model, seed=9)
    first.evaluate()
    second.restore(first.state())
    with torch.no_grad():
        for p in model.parameters():
            p *= 1.01
    one, two = first.evaluate(), second.evaluate()
    assert one.products == two.products
    assert torch.equal(one.values, two.values) and torch.equal(one.vectors, two.vectors)
