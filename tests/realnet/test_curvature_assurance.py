"""assurance="sure": what is bound to be found, and how probable a miss is said to be."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from linmodel import InvalidInput
from realnet import SharpnessTracker
from realnet.curvature.assurance import MISSED, Lanczos, ceiling
from tests.realnet.test_curvature_hidden import evaluate, matrix, solver_of
from tests.tolerances import SHARPNESS


def planted(n=120, seed=0):
    """A matrix, and one in which an eigenvector orthogonal to every row kept has risen."""
    values = np.linspace(-1.0, 1.0, n) ** 3
    values[-1] = 2.0
    solver, now = solver_of(n, seed=seed), matrix(values)
    solver.sure = True
    for _ in range(3):
        evaluate(solver, now)
    kept = torch.cat([solver.model.rows, torch.stack(solver.probe)])
    hidden = torch.linalg.svd(kept, full_matrices=True)[2][-1]
    return solver, now, now + 3.0 * torch.outer(hidden, hidden)


@pytest.mark.parametrize("sure", [True, False])
def test_a_riser_orthogonal_to_all_that_is_kept_is_found_by_sure(sure):
    solver, _, risen = planted()
    solver.sure = sure
    found, true = evaluate(solver, risen), float(torch.linalg.eigvalsh(risen)[-1])
    right = float(found.values[0]) == pytest.approx(true, rel=SHARPNESS)
    assert right == sure  # to the probe of "fast" nothing has changed: its known limit
    assert (found.missed <= MISSED) if sure else math.isnan(found.missed)


def test_too_few_products_to_be_sure_are_said():
    solver, now, _ = planted()
    found = evaluate(solver, now, limit=6)
    assert MISSED < found.missed <= 1 and not bool(found.converged.any())


@pytest.mark.parametrize("how", ["other vectors", "risers"])
def test_after_an_abrupt_change_a_miss_is_not_called_converged(how):
    """Near-equal eigenvalues, where 24 products of a cold start settle on a lower one."""
    n, wrong, silent = 150, 0, 0
    for seed in range(6):
        generator = np.random.default_rng(seed)
        values = 16 * generator.random(n) ** 6
        solver = solver_of(n, seed=seed)
        for _ in range(2):
            evaluate(solver, matrix(values, seed))
        if how == "risers":
            values[np.argsort(values)[:3]] = values.max() * np.array([2.0, 1.99, 1.97])
        found = evaluate(solver, matrix(values, seed + (100 if how == "other vectors" else 0)))
        miss = abs(float(found.values[0]) / values.max() - 1) > SHARPNESS
        wrong += miss
        silent += miss and bool(found.converged.all())
    assert silent == 0 and wrong <= 1


def test_the_bound_holds_as_often_as_it_says_and_is_below_the_one_known_beforehand():
    """Naive twin: eigenvalues of the complement by a dense solver; 300 starts."""
    n, m, level = 40, 6, 0.0
    values = torch.cat([torch.linspace(-1, -0.02, n - 2), torch.tensor([0.02, 1.0])]).double()
    found = torch.zeros(1, n, dtype=torch.float64)
    found[0, -1] = 1.0  # the largest is set apart: 0.02 is what may be missed at level 0
    generator, bounds = torch.Generator().manual_seed(0), []
    for _ in range(300):
        start = torch.randn(n, generator=generator, dtype=torch.float64)
        lanczos = Lanczos(found, start)
        for _ in range(m):
            lanczos.step(values * lanczos.current)
        bounds.append(lanczos.missed(level) if lanczos.top() < level else 1.0)
    for probability in (0.3, 0.5, 0.8):
        assert np.mean(np.array(bounds) <= probability) <= probability

    def beforehand(distance):
        return 1.648 * math.sqrt(n - 1) * math.exp(-math.sqrt(distance) * (2 * m - 1))

    low = torch.cat([torch.linspace(-1, -0.5, n - 1), torch.tensor([1.0])]).double()
    lanczos = Lanczos(found, torch.randn(n, generator=generator, dtype=torch.float64))
    for _ in range(m):
        lanczos.step(low * lanczos.current)
    assert lanczos.missed(0.0) <= beforehand(0.5 / 1.0)


@pytest.mark.parametrize("k", [1, 3])
def test_below_the_ceiling_no_complement_lifts_an_eigenvalue_out_of_its_bound(k, n=12):
    draw = torch.Generator().manual_seed(k)
    for _ in range(20):
        values = torch.rand(k, generator=draw, dtype=torch.float64).sort(descending=True).values + 2
        residual = 0.1 * torch.randn(k, n - k, generator=draw, dtype=torch.float64)
        allowed = torch.full((k,), 0.05, dtype=torch.float64)
        level = ceiling(values, residual @ residual.T, values, allowed)
        whole = torch.zeros(n, n, dtype=torch.float64)
        whole[:k, :k], whole[:k, k:], whole[k:, :k] = values.diag(), residual, residual.T
        whole[k:, k:] = level * torch.eye(n - k, dtype=torch.float64)
        top = torch.linalg.eigvalsh(whole).flip(0)[:k]
        assert (top <= values + allowed + 1e-12).all() or level >= float(values[-1])


def test_the_number_is_in_the_result_the_table_and_the_history():
    weights = nn.Parameter(torch.ones(60, dtype=torch.float64))
    values = torch.linspace(-2, 1, 60, dtype=torch.float64)
    values[-1] = 3.0
    tracker = SharpnessTracker(
        lambda: 0.5 * (values * weights.square()).sum(), [weights], assurance="sure"
    )
    found = tracker.evaluate()
    assert found.missed <= MISSED and "missed with a probability of at most" in str(found)
    edges = tracker.evaluate(["sharpness", "negative"])
    assert edges["negative"].missed <= MISSED and "probability" in str(edges)
    assert float(tracker.history.sharpness_missed[-1]) <= MISSED
    with pytest.raises(InvalidInput, match="one of fast, sure"):
        SharpnessTracker(lambda: weights.sum(), [weights], assurance="certain")
