"""What a warm-started eigensolver can lose: each way was seen, and stays a test."""

import numpy as np
import pytest
import torch
from torch import nn

from linmodel import InvalidInput
from realnet.curvature.eigensolver import TopSolver
from realnet.curvature.measured import Measured
from realnet.curvature.objective import NotFinite
from realnet.curvature.probe import Change, Habit
from realnet.curvature.search import COLD
from realnet.curvature.secant import SecantModel, dots, norm
from realnet.curvature.tracker import SharpnessTracker
from tests.tolerances import DENSE, EXPRESSED, ORTHONORMAL, SHARPNESS, SUMMED

ROUNDOFF = 1e-12


def solver_of(n, k=1, seed=0, dtype=torch.float64):
    return TopSolver(n, k, dtype, torch.device("cpu"), torch.Generator().manual_seed(seed))


def matrix(values, seed=1):
    n = len(values)
    draw = torch.randn(n, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    basis = torch.linalg.qr(draw).Q
    return basis @ torch.diag(torch.as_tensor(values, dtype=torch.float64)) @ basis.T


def evaluate(solver, now, limit=200):
    single = now.to(solver.like)
    return solver.solve(lambda rows: rows @ single, 0.5 * SHARPNESS, ROUNDOFF, limit)


@pytest.mark.parametrize("seed", range(4))
def test_runners_up_that_overtake_while_all_turns_are_found(seed):
    """The top falls, the second stays, the third rises; first guesses are good all the while."""
    n = 120
    generator = torch.Generator().manual_seed(seed)
    draw = torch.randn(n, n, generator=generator, dtype=torch.float64)
    turn = torch.matrix_exp(0.02 * (draw - draw.T) / n**0.5)
    basis, solver = torch.eye(n, dtype=torch.float64), solver_of(n, seed=seed)
    values = torch.linspace(-1, 1, n, dtype=torch.float64) ** 3
    values[-3:] = torch.tensor([1.9, 2.0, 2.1])
    for _ in range(40):
        basis = basis @ turn
        values[-1] -= 0.01
        values[-3] += 0.008
        found = evaluate(solver, basis @ torch.diag(values) @ basis.T)
        assert float(found.values[0]) == pytest.approx(float(values.max()), rel=SHARPNESS)


@pytest.mark.parametrize("seed", range(3))
def test_an_eigenvalue_that_grows_little_by_little_is_found(seed):
    """Never shown by products, a hundredth of the top at a time: late by a tenth at most."""
    n, rate = 150, 0.05
    values, solver = np.linspace(0.0, 5.0, n), solver_of(n, seed=seed)
    values[-1] = 10.0
    for i in range(260):
        values[3] = rate * i
        found = float(evaluate(solver, matrix(values)).values[0])
        if not 10.0 < values[3] < 11.0:
            assert found == pytest.approx(values.max(), rel=SHARPNESS)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_many_large_negative_eigenvalues_do_not_push_the_top_out_of_memory(dtype):
    values = np.concatenate([[1.0], np.linspace(0.3, 0, 200), -np.geomspace(100, 1, 99)])
    now = matrix(values)
    for seed in range(3):
        solver = solver_of(len(values), seed=seed, dtype=dtype)
        for _ in range(8):
            found = evaluate(solver, now)
            assert float(found.values[0]) == pytest.approx(1.0, rel=SHARPNESS)


@pytest.mark.parametrize(
    ("values", "k", "dtype"),
    [
        ((1.0 + np.arange(1500)) ** -0.7, 10, torch.float32),
        (np.linspace(0, 1, 1000), 3, torch.float32),
        (np.concatenate([[1.0], -np.geomspace(50, 1, 999)]), 1, torch.float64),
    ],
    ids=["slow decay", "linear", "negative"],
)
def test_the_basis_stays_orthonormal_through_many_products(values, k, dtype):
    diagonal = torch.as_tensor(values, dtype=dtype)
    solver = solver_of(len(values), k, dtype=dtype)
    for _ in range(2):
        solver.solve(lambda rows: rows * diagonal, 0.5 * SHARPNESS, ROUNDOFF, 200)
    rows = solver.model.rows.double()
    assert (rows @ rows.T - torch.eye(len(rows))).abs().max() < ORTHONORMAL


@pytest.mark.parametrize("cut", ["interrupted", "limit"])
def test_what_the_probe_saw_is_not_forgotten_when_an_evaluation_is_cut_short(cut):
    values, solver = np.linspace(0.0, 9.0, 200), solver_of(200)
    values[-1] = 10.0
    for _ in range(3):
        evaluate(solver, matrix(values))
    values[7] = 20.0
    now, calls = matrix(values), []

    def interrupted(rows):
        calls.append(len(rows))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return rows @ now

    if cut == "interrupted":
        with pytest.raises(KeyboardInterrupt):
            solver.solve(interrupted, 0.5 * SHARPNESS, ROUNDOFF, 200)
    else:
        assert not evaluate(solver, now, limit=2).converged.any()
    assert float(evaluate(solver, now).values[0]) == pytest.approx(20.0, rel=SHARPNESS)


def test_the_limit_of_products_holds_when_warm_and_covers_every_wanted_pair():
    solver = solver_of(300, 2)
    evaluate(solver, matrix(np.linspace(0, 6, 300)))
    other = matrix(np.linspace(0, 6, 300), seed=2)
    for limit in (3, 4, 10):
        found = solver.solve(lambda rows: rows @ other, 1e-8, 1e-15, limit)
        assert found.products == limit and found.values.shape == (2,)
    point = nn.Parameter(torch.ones(5))
    with pytest.raises(InvalidInput, match="max_products"):
        SharpnessTracker(lambda: point.square().sum(), [point], k=3, max_products=3)


def test_an_early_state_restored_into_a_used_solver_begins_afresh():
    now, solver = matrix(np.linspace(0, 1, 50)), solver_of(50)
    early = solver.state()
    first = evaluate(solver, now)
    solver.restore(early)
    again = evaluate(solver, now)
    assert torch.equal(first.values, again.values) and first.products == again.products


def test_a_product_that_overflows_is_said_and_does_no_harm():
    point = nn.Parameter(torch.zeros(20, dtype=torch.float64))
    power = torch.linspace(2, 4, 20, dtype=torch.float64)
    loss = {"now": lambda: ((point + 0.1).abs() ** power).sum()}
    tracker = SharpnessTracker(lambda: loss["now"](), [point])
    expected = tracker.evaluate().sharpness
    with torch.no_grad():
        point.fill_(-0.1)
    plain, loss["now"] = loss["now"], lambda: (point + 0.1).abs().pow(1.5).sum()
    with pytest.raises(NotFinite, match="Hessian-vector product"):
        tracker.evaluate()
    with torch.no_grad():
        point.zero_()
    loss["now"] = plain
    assert tracker.evaluate().sharpness == pytest.approx(expected, rel=SHARPNESS)


def test_the_solver_keeps_full_precision_under_autocast():
    weights = nn.Parameter(torch.linspace(-1, 1, 300))
    values = torch.linspace(-2, 1, 300)
    tracker = SharpnessTracker(lambda: 0.5 * (values * weights.square()).sum(), [weights])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for _ in range(3):
            found = tracker.evaluate().sharpness
            assert found == pytest.approx(1.0, rel=SHARPNESS)


def test_lengths_of_ten_million_numbers_are_right():
    ones = torch.ones(10**7)
    ones[::2] = 0.3
    true = float(ones.double().norm())
    assert abs(norm(ones) / true - 1) < SUMMED < abs(float(ones.norm()) / true - 1)
    rows = torch.stack([ones, -ones])
    found = dots(rows, rows.T) / true**2
    assert torch.allclose(found, torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).double(), atol=SUMMED)


@pytest.mark.parametrize("seed", range(3))
def test_top_vectors_that_change_places_are_no_abrupt_change(seed):
    """Turned by 60 degrees in its plane with the second, the top is what the model knows."""
    values, solver = np.linspace(-1.0, 1.0, 150) ** 3 * 5, solver_of(150, seed=seed)
    values[-1] = 10.0
    evaluate(solver, matrix(values))
    evaluate(solver, matrix(values))
    basis = torch.linalg.eigh(matrix(values)).eigenvectors[:, [-1, -2]]
    c, s = np.cos(np.pi / 3), np.sin(np.pi / 3)
    turn = torch.tensor([[c, -s], [s, c]]) - torch.eye(2, dtype=torch.float64)
    turned = torch.eye(150, dtype=torch.float64) + basis @ turn.double() @ basis.T
    found = evaluate(solver, turned @ matrix(values) @ turned.T)
    assert float(found.values[0]) == pytest.approx(10.0, rel=SHARPNESS)
    assert bool(found.converged.all()) and found.products < COLD
    found = evaluate(solver, matrix(values, seed=7))
    assert float(found.values[0]) == pytest.approx(10.0, rel=SHARPNESS)
    assert found.products > COLD


def test_runners_up_that_swing_while_the_top_stands_still_are_found():
    """Eigenvectors stay; the top may turn slowly while the second swings past it by a tenth."""
    n, missed, spent = 200, 0, 0
    for seed in range(8):
        generator = np.random.default_rng(seed)
        values = generator.uniform(-1, 5, n) * generator.uniform(0, 1, n) ** 2
        phase, rate = generator.uniform(0, 6.28, 3), generator.uniform(0.1, 1.2, 3)
        solver = solver_of(n, seed=seed)
        for i in range(25):
            values[:3] = np.array([10, 9.8, 9.5]) * (1 + 0.1 * np.sin(phase + rate * i))
            diagonal = torch.as_tensor(values)
            found = solver.solve(lambda rows, d=diagonal: rows * d, 0.5 * SHARPNESS, ROUNDOFF, 200)
            missed += abs(float(found.values[0]) / values.max() - 1) > SHARPNESS
            spent += found.products
    assert missed <= 5 and spent < 6 * 8 * 25  # 5% were missed before the probe was weighed


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_vector_is_expressed_as_by_dense_projection(dtype):
    """However little of it is outside of the rows; and the rows stay orthonormal."""
    generator = torch.Generator().manual_seed(0)
    model = SecantModel(70_000, 12, dtype, torch.device("cpu"))
    for outside in (1.0, 1.0, 1e-1, 1e-2, 1e-4):
        draw = torch.randn(70_000, generator=generator, dtype=dtype)
        inside = torch.randn(model.rank, generator=generator, dtype=torch.float64)
        vector = (outside / norm(draw)) * draw + model.vector(inside)
        before, length = model.rows.double(), norm(vector)
        found = model.express(vector.clone())
        assert torch.allclose(
            found[: len(before)], before @ vector.double(), atol=EXPRESSED * length
        )
        assert torch.allclose(model.vector(found), vector, atol=EXPRESSED * length)
        rows = model.rows.double()
        assert (rows @ rows.T - torch.eye(len(rows))).abs().max() < ORTHONORMAL


def test_how_loud_a_change_of_the_probe_is_against_a_dense_inverse():
    """sqrt(n) |L^-1 change|, L = level - (T + D) outside of what was measured; large elsewhere."""
    generator = torch.Generator().manual_seed(3)
    n, level = 30, 5.0
    model = SecantModel(n, 10, torch.float64, torch.device("cpu"))
    measured = Measured(model)
    model.low, model.unknown = -1.0, 2.0
    draws = torch.randn(4, n, generator=generator, dtype=torch.float64)
    now = matrix(np.linspace(-1.0, 4.0, n))
    for draw in draws[:3]:
        direction = measured.outside(model.express(draw.clone()))
        measured.add(direction, now @ model.vector(direction))
    rows, change = model.rows, draws[3]
    s = measured.coordinates()[0] @ rows
    hope = rows.T @ (model.small + model.doubt) @ rows + 2.0 * (torch.eye(n) - rows.T @ rows)
    rest = torch.eye(n, dtype=torch.float64) - s.T @ s
    lacking = rest @ (level * torch.eye(n) - hope) @ rest + 1e6 * s.T @ s
    outside = rest @ change
    seen = Change(model, measured, change.clone(), level, 1e-9)
    dense = torch.linalg.solve(lacking, outside)
    known = float((rows @ dense).norm()) * n**0.5
    assert seen.known == pytest.approx(known, rel=DENSE)
    unknown = (float(dense.norm()) ** 2 * n - known**2) ** 0.5
    assert seen.unknown == pytest.approx(unknown, rel=DENSE)
    values, vectors = torch.linalg.eigh(lacking)
    toward = vectors @ ((vectors.T @ outside) / values.sqrt())
    inside = rows.T @ (rows @ toward)
    assert torch.allclose(seen.inside() @ rows, inside, atol=DENSE)
    beyond = model.vector(seen.outside())
    assert torch.allclose(beyond, change - rows.T @ (rows @ change), atol=DENSE)


def test_a_habit_is_broken_by_what_is_louder_and_what_adds_up():
    habit = Habit()
    assert habit.broken(0.1) and not habit.broken(0.01)
    habit.learn(0.1, followed=True)
    assert not habit.broken(0.19) and habit.broken(0.21)
    for _ in range(6):
        habit.learn(0.1, followed=False)
    assert not habit.broken(0.79) and habit.broken(0.81)
