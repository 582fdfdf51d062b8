"""The small, crowded end of a spectrum, against dense eigenvalues."""

import numpy as np
import pytest
import torch

from realnet.curvature import lanczos
from realnet.curvature.assurance import MISSED
from realnet.curvature.lanczos import RestartedLanczos
from tests.tolerances import SHARPNESS

CPU = torch.device("cpu")
N = 250


def solver(n=N, k=1, dtype=torch.float64, rows=57, sure=False, seed=0):
    return RestartedLanczos(n, k, dtype, CPU, torch.Generator().manual_seed(seed), rows, sure)


def solve(found_by, matrix, limit=200, abrupt=False):
    dtype = matrix.dtype
    floor = 4 * torch.finfo(dtype).eps
    return found_by.solve(lambda rows: rows @ matrix, 0.5 * SHARPNESS, floor, limit, abrupt)


def swinging(seed, count=12):
    """Six crowded top eigenvalues that pass each other, a hundredth of the smallest in size."""
    generator = torch.Generator().manual_seed(seed)
    values = 0.05 * torch.randn(N, generator=generator, dtype=torch.float64)
    values[:6] = torch.tensor([0.2, 0.19, 0.18, 0.17, 0.16, 0.15])
    values[6:16] = -torch.logspace(1.2, -1, 10, dtype=torch.float64)
    basis = torch.linalg.qr(torch.randn(N, N, generator=generator, dtype=torch.float64))[0]
    draw = torch.randn(N, N, generator=generator, dtype=torch.float64)
    turn = torch.matrix_exp(0.03 * (draw - draw.T) / N**0.5)
    for t in range(count):
        now = values * (1 + 0.1 * torch.sin(torch.arange(N) + 0.3 * t))
        yield basis @ torch.diag(now) @ basis.T, now.sort(descending=True).values
        basis = basis @ turn


def misses(found_by, seed, dtype, k=1):
    """Converged and off; not converged."""
    silent = unknown = 0
    for matrix, values in swinging(seed):
        found = solve(found_by, matrix.to(dtype))
        off = (found.values / values[:k] - 1).abs() > SHARPNESS
        silent += bool((off & found.converged).any())
        unknown += not bool(found.converged.all())
    return silent, unknown


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("rows", "k"), [(57, 1), (20, 1), (12, 1), (57, 3)])
def test_a_crowded_top_that_swings_is_followed(rows, k, dtype):
    silent, unknown = misses(solver(k=k, dtype=dtype, rows=rows), 5, dtype, k)
    assert silent == 0 and unknown <= (1 if rows == 12 else 0)


def test_the_checks_tell_an_evaluation_that_ends_too_early(monkeypatch):
    """As many products as the bounds ask for, which do not know of a hidden runner-up."""
    monkeypatch.setattr(lanczos, "LEAST", 1)
    monkeypatch.setattr(lanczos, "TIGHT", 1.0)
    assert sum(misses(solver(seed=seed), seed, torch.float64)[0] for seed in range(3)) > 0


@pytest.mark.parametrize("rows", [9, 57])
def test_a_value_is_its_own_vectors(rows):
    found_by = solver(rows=rows, dtype=torch.float32)
    for matrix, _ in swinging(2, 4):
        found = solve(found_by, matrix.float())
        x = found.vectors[0].double()
        assert float(x @ matrix @ x) == pytest.approx(float(found.values[0]), rel=SHARPNESS)
        assert float((matrix @ x - found.values[0] * x).norm()) == pytest.approx(
            float(found.residuals[0]), abs=SHARPNESS
        )


def test_too_few_products_are_told():
    matrix = next(swinging(0))[0]
    for limit in (3, 8, 23):
        found = solve(solver(), matrix, limit=limit)
        assert found.products == limit and not found.converged.any() and np.isnan(found.missed)
    found = solve(solver(n=40), torch.arange(40).double().diag(), limit=20)
    assert not found.converged.any()  # small residuals, but fewer products than tell of a crowd


@pytest.mark.parametrize("fails", [1, 9, 20])
def test_an_evaluation_that_fails_does_not_spoil_the_next(fails):
    found_by, spent = solver(rows=12), 0
    (first, _), (second, values) = swinging(0, 2)

    def products(rows):
        nonlocal spent
        spent += 1
        if spent == fails:
            raise ArithmeticError
        return rows @ first

    solve(found_by, first)
    with pytest.raises(ArithmeticError):
        found_by.solve(products, 0.5 * SHARPNESS, 0.0, 200)
    assert found_by.tops is None  # what it knew is of rows that have been turned
    found = solve(found_by, second)
    assert bool(found.converged.all())
    assert float(found.values[0]) == pytest.approx(float(values[0]), rel=SHARPNESS)


def test_something_larger_is_found_where_the_bound_is_asked_for():
    """The last top vector is still one, and nothing but chance leads to the larger one."""
    values = torch.cat([torch.linspace(-1, 1, N - 1, dtype=torch.float64), torch.tensor([3.0])])
    before, now = values.clone(), values.clone()
    now[0], reached = 5.0, {}
    for name, sure, abrupt in (("fast", False, False), ("sure", True, False), ("far", False, True)):
        found_by = solver(sure=sure)
        assert float(solve(found_by, before.diag()).values[0]) == pytest.approx(3.0)
        assert found_by.tops is not None
        found_by.tops = torch.linalg.qr(found_by.tops.T)[0].T[:1]
        found = solve(found_by, now.diag(), abrupt=abrupt)
        reached[name] = float(found.values[0])
        if name != "fast":
            assert found.missed <= MISSED and bool(found.converged.all())
    assert reached["sure"] == pytest.approx(5.0) and reached["far"] == pytest.approx(5.0)


@pytest.mark.parametrize(("level", "least", "most"), [(5.0, 24, 24), (0.15, 30, 200)])
def test_what_is_below_a_level_is_not_asked_for_closely(level, least, most):
    matrix, values = next(swinging(3))
    floor, found_by = 4 * torch.finfo(torch.float64).eps, solver()
    found = found_by.solve(lambda rows: rows @ matrix, 1e-6 * SHARPNESS, floor, 200, level=level)
    assert least <= found.products <= most and bool(found.converged.all())
    assert level == 5.0 or float(found.values[0]) == pytest.approx(float(values[0]), rel=1e-9)


@pytest.mark.parametrize("n", [1, 2, 5, 30])
@pytest.mark.parametrize("size", [0.0, 1.0, 1e-12])
def test_small_and_degenerate_matrices(n, size):
    """The identity and zero among them: a Krylov space of one vector."""
    for matrix in (
        size * torch.eye(n, dtype=torch.float64),
        size * torch.arange(n).double().diag(),
    ):
        k = min(2, n)
        found = solve(solver(n, k, rows=20), matrix)
        expected = torch.linalg.eigvalsh(matrix).flip(0)[:k]
        torch.testing.assert_close(found.values, expected, rtol=SHARPNESS, atol=1e-300)
        assert bool(found.converged.all()) and found.products <= 40
