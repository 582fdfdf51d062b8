import numpy as np
import pytest

from linmodel import InvalidInput, OpposingSignals, draw
from tests.tolerances import MOMENTS

PROBLEM = OpposingSignals(alpha=4.0, beta_norm=2.0, k=1.5, d1=4, outlier_fraction=0.2)
SIZE = 60_000


def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("sampler", ["aligned", "isotropic", "gaussian", "covariance"])
def test_second_moments_are_the_promised_ones(sampler):
    own = np.diag(np.arange(6.0)) if sampler == "covariance" else None
    expected = {
        "aligned": PROBLEM.alpha / PROBLEM.d2 * np.ones((6, 6)),
        "covariance": own,
    }.get(sampler, PROBLEM.alpha * np.eye(6))
    samples = draw(PROBLEM, SIZE, rng(), sampler=sampler, covariance=own)
    assert samples.x.shape == (SIZE, 4) and samples.x_o.shape == (SIZE, 6)
    np.testing.assert_allclose(samples.x_o.T @ samples.x_o / SIZE, expected, atol=MOMENTS)
    np.testing.assert_allclose(samples.x.T @ samples.x / SIZE, np.eye(4), atol=MOMENTS)
    np.testing.assert_allclose(samples.x_o.mean(axis=0), 0, atol=MOMENTS)


def test_targets_follow_the_teacher():
    beta = np.array([0.0, 2.0, 0.0, 0.0])
    samples = draw(PROBLEM, 50, rng(), sampler="gaussian", beta=beta)
    teacher = samples.x @ beta + abs(samples.x_o.sum(axis=1)) / np.sqrt(6)
    np.testing.assert_allclose(samples.y, teacher)


def test_groups_of_the_aligned_sampler():
    samples = draw(PROBLEM, SIZE, rng(), sampler="aligned")
    assert set(samples.sign) == {-1, 0, 1}
    assert np.mean(samples.sign != 0) == pytest.approx(0.2, abs=0.01)
    size = np.linalg.norm(samples.x_o[samples.sign == 1], axis=1)
    np.testing.assert_allclose(size, PROBLEM.outlier_size)


def test_same_generator_state_same_samples():
    np.testing.assert_array_equal(draw(PROBLEM, 9, rng()).x_o, draw(PROBLEM, 9, rng()).x_o)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"sampler": "cauchy"}, "sampler"),
        ({"sampler": "covariance"}, "covariance"),
        ({"covariance": np.eye(6)}, "covariance"),
        ({"sampler": "covariance", "covariance": np.eye(5)}, "covariance"),
        ({"sampler": "covariance", "covariance": -np.eye(6)}, "eigenvalue"),
        ({"sampler": "covariance", "covariance": np.triu(np.ones((6, 6)))}, "symmetric"),
        ({"beta": np.ones(3)}, "beta"),
        ({"size": 0}, "size"),
    ],
)
def test_refuses_bad_arguments(changes, what):
    arguments = {"size": 5, **changes}
    with pytest.raises(InvalidInput, match=what):
        draw(PROBLEM, arguments.pop("size"), rng(), **arguments)
