import mpmath
import numpy as np
import pytest

from linmodel import (
    InvalidInput,
    OpposingSignals,
    State,
    expand,
    gradient,
    group_losses,
    hessian_spectrum,
    loss,
    reduce,
    sharpness,
    standard_parameters,
)
from linmodel.landscape import core_block
from tests import naive
from tests.tolerances import ALGEBRA, DIFFERENCES

SUPPORTS = ("isotropic", "aligned")


def network(support, seed, **changes):
    problem = OpposingSignals(7.0, 3.0, k=1.5, d1=4, support=support, **changes)
    rng = np.random.default_rng(seed)
    beta = rng.standard_normal(problem.d1)
    beta *= problem.beta_norm / np.linalg.norm(beta)
    return problem, beta, standard_parameters(problem, rng)


def flat(parameters):
    return np.concatenate([[parameters.c], parameters.b, parameters.b_o])


@pytest.mark.parametrize("support", SUPPORTS)
def test_loss_and_gradient_are_those_of_the_full_network(support):
    problem, beta, parameters = network(support, seed=1)
    state, frame = reduce(problem, parameters, beta)
    theta = flat(parameters)
    assert loss(problem, state) == pytest.approx(naive.full_loss(problem, beta, theta), rel=ALGEBRA)
    slope = gradient(problem, state)
    still = expand(slope, frame)
    still = np.concatenate([[still.c], still.b, still.b_o - frame.unmoved])
    np.testing.assert_allclose(still, naive.full_gradient(problem, beta, theta), atol=1e2 * ALGEBRA)


@pytest.mark.parametrize("support", SUPPORTS)
@pytest.mark.parametrize("seed", range(5))
def test_spectrum_is_that_of_the_dense_hessian(support, seed):
    problem, beta, parameters = network(support, seed)
    state, _ = reduce(problem, parameters, beta)
    dense = np.linalg.eigvalsh(naive.full_hessian(problem, beta, flat(parameters)))
    values, multiplicity = hessian_spectrum(problem, state)
    assert sum(multiplicity) == 1 + problem.d1 + problem.d2
    ours = np.sort(np.repeat(values, multiplicity))
    np.testing.assert_allclose(ours, dense, atol=DIFFERENCES)
    assert sharpness(problem, state) == values[0]


def test_sharpness_is_batched():
    problem = OpposingSignals(50.0, 10.0)
    rng = np.random.default_rng(0)
    batch = State(*rng.standard_normal((4, 3, 5)))
    together = sharpness(problem, batch)
    assert together.shape == (3, 5)
    one = State(*(np.asarray(value)[2, 1] for value in batch))
    assert together[2, 1] == pytest.approx(sharpness(problem, one), rel=ALGEBRA)


NEARLY_EQUAL_ROOTS = [
    # alpha c^2 = c^2 + epsilon^2 at a minimum: the two largest roots coincide, then nearly.
    (2.0, 9.0, (3.0, 3.0, 0.0, 0.0)),
    (2.0, 9.0, (3.0, 3.0, 1e-9, 1e-9)),
    (2.0, 9.0 + 1e-8, (3.0, 3.0, 0.0, 1e-7)),
    (1.0, 2.0, (1.0, 1.0, 0.0, 0.0)),
    (1.0, 0.0, (1.0, 0.0, 0.0, 0.0)),
    (1e6, 1e3, (1e-3, 1e-3, 1.0, 1.0)),
    (1e6, 10.0, (1e-8, 0.1, 0.5, 1e-7)),
]


@pytest.mark.parametrize(("alpha", "beta_norm", "values"), NEARLY_EQUAL_ROOTS)
def test_sharpness_is_exact_where_roots_nearly_coincide(alpha, beta_norm, values):
    problem, state = OpposingSignals(alpha, beta_norm), State(*values)
    with mpmath.workdps(40):
        c, epsilon, n, o = (mpmath.mpf(value) for value in values)
        a, b = mpmath.mpf(alpha), mpmath.mpf(beta_norm)
        across = mpmath.hypot(2 * c * epsilon - b, 2 * c * n)
        corner = epsilon**2 + n**2 + a * o**2
        block = [[corner, across, 2 * a * c * o], [across, c**2, 0], [2 * a * c * o, 0, a * c**2]]
        exact = float(max(mpmath.eigsy(mpmath.matrix(block), eigvals_only=True)))
    assert sharpness(problem, state) == pytest.approx(exact, rel=ALGEBRA)


def test_core_block_at_zero_state_is_the_signal_saddle():
    problem = OpposingSignals(5.0, 2.0)
    zero = State(0.0, 0.0, 0.0, 0.0)
    np.testing.assert_allclose(np.linalg.eigvalsh(core_block(problem, zero)), [-2, 0, 2])


def test_group_losses_average_to_the_outliers_loss_and_oppose():
    problem = OpposingSignals(20.0, 3.0, support="aligned", outlier_fraction=0.1)
    plus, minus = group_losses(problem, State(1.0, 0.5, 0.2, 0.3))
    flipped = group_losses(problem, State(1.0, 0.5, 0.2, -0.3))
    assert (plus, minus) == (flipped[1], flipped[0])
    assert plus < minus


def test_refuses_a_hessian_beyond_float64_and_a_batch_where_one_state_is_due():
    problem = OpposingSignals(5.0, 2.0)
    with pytest.raises(InvalidInput, match="Hessian is finite"):
        sharpness(problem, State(1e200, 0.1, 0.1, 0.1))
    with pytest.raises(InvalidInput, match="one state"):
        hessian_spectrum(problem, State([1.0, 2.0], 0.1, 0.1, 0.1))
