"""Every symmetry of the model. Continuous: M10, the loss's scale, time's origin, rotations.

Discrete: the signs of n, of o, of (c, epsilon) together, and of (epsilon, beta). At alpha = 1 n and
o mix; at n = o = 0 c and epsilon change places; at B = epsilon = n = 0 c and o do. The loss alone
(not the flow) is also unchanged by c -> r c, b -> b / r, b_o -> b_o / r, whose charge is kappa.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linmodel import (
    OpposingSignals,
    State,
    gradient_flow,
    loss,
    sharpness,
    velocity,
)
from linmodel.network.spectra import ModeState, Spectra, spectral_descent
from linmodel.strategies import cases, magnitudes, spectral_cases, states
from tests.tolerances import ALGEBRA, FLOW

STATE = ("c", "epsilon", "n", "o")


def with_(problem, **changes):
    """The problem with some fields changed."""
    return OpposingSignals(**{**problem.as_dict(), **changes})


def speed(problem, state):
    """velocity as an array of 4."""
    return np.array([float(np.asarray(value)) for value in velocity(problem, state)])


def vector(state):
    return np.array([float(np.asarray(value)) for value in state])


def close(a, b, scale=None):
    """|a - b| within rounding of the larger terms (cubes of the state: `scale`)."""
    scale = scale or max(np.abs(a).max(), np.abs(b).max())
    return (np.abs(a - b) <= ALGEBRA * scale).all()


def terms(problem, state):
    """Size of the largest terms of the velocity."""
    size = np.abs(vector(state)).max()
    return (problem.alpha + 1) * size**3 + problem.beta_norm * size


@given(cases(alpha=(0.0, 1e4)), magnitudes(0.01, 100.0))
def test_m10_scaling(case, r):
    problem, state = case
    scaled, moved = with_(problem, beta_norm=r**2 * problem.beta_norm), State(*(r * vector(state)))
    size = terms(problem, state)
    assert close(speed(scaled, moved), r**3 * speed(problem, state), r**3 * size)
    before = sharpness(problem, state)
    assert close(np.array([sharpness(scaled, moved)]), np.array([r**2 * before]))


@given(cases(alpha=(0.0, 100.0)), st.integers(-3, 3))
def test_m10_holds_bit_for_bit_in_descent_for_powers_of_two(case, power):
    problem, state = case
    r = 2.0**power
    eta = 2.0**-20
    scaled, moved = with_(problem, beta_norm=r**2 * problem.beta_norm), r * vector(state)
    plain = vector(state)
    for _ in range(5):
        plain = plain + eta * speed(problem, State(*plain))
        moved = moved + eta / r**2 * speed(scaled, State(*moved))
    np.testing.assert_array_equal(moved, r * plain)


@given(spectral_cases(), st.integers(-3, 3))
def test_scaling_the_loss_scales_time_and_curvature(case, power):
    """(Sigma, Sigma_o) -> g (Sigma, Sigma_o): t -> t/g, Hessian -> g Hessian."""
    g = 2.0**power
    spectra, start = case
    scaled = Spectra(g * spectra.signal, spectra.beta, g * spectra.opposing)
    plain = spectral_descent(spectra, start, 1e-3, 20)
    moved = spectral_descent(scaled, start, 1e-3 / g, 20)
    np.testing.assert_array_equal(moved.c, plain.c)
    np.testing.assert_allclose(moved.sharpness, g * plain.sharpness, rtol=ALGEBRA)


@given(spectral_cases(), st.integers(-3, 3))
def test_rescaling_the_inputs_and_the_target(case, power):
    """All inputs times r, the target's values kept: M10 and the loss's scale together.

    (Sigma, Sigma_o, beta) -> (r^2 Sigma, r^2 Sigma_o, beta / r), s -> s / sqrt(r), t -> t / r.
    """
    root = 2.0**power
    r = root**2
    spectra, start = case
    scaled = Spectra(r**2 * spectra.signal, spectra.beta / r, r**2 * spectra.opposing)
    begun = ModeState(start.c / root, start.b / root, start.b_o / root)
    plain = spectral_descent(spectra, start, 1e-3, 20)
    moved = spectral_descent(scaled, begun, 1e-3 / r, 20)
    np.testing.assert_allclose(moved.c, plain.c / root, rtol=FLOW, atol=FLOW)
    np.testing.assert_allclose(moved.loss, plain.loss, rtol=FLOW)


@pytest.mark.parametrize("signs", [(1, 1, -1, 1), (1, 1, 1, -1), (-1, -1, 1, 1), (-1, -1, -1, -1)])
@given(case=cases(alpha=(0.0, 1e4)))
def test_signs(signs, case):
    problem, state = case
    flipped = State(*(signs * vector(state)))
    np.testing.assert_array_equal(speed(problem, flipped), signs * speed(problem, state))
    assert loss(problem, flipped) == loss(problem, state)
    assert sharpness(problem, flipped) == pytest.approx(sharpness(problem, state), rel=ALGEBRA)


@given(states(), magnitudes(0.1, 10.0), st.floats(0, 2 * np.pi))
def test_at_alpha_1_n_and_o_rotate_into_each_other(state, beta_norm, angle):
    problem = OpposingSignals(1.0, beta_norm)
    turn = np.eye(4)
    turn[2:, 2:] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turned = State(*(turn @ vector(state)))
    size = terms(problem, state)
    assert close(speed(problem, turned), turn @ speed(problem, state), size)


@given(states(), magnitudes(0.1, 10.0), magnitudes(0.1, 1e4))
def test_weights_change_places_where_nothing_else_acts(state, beta_norm, alpha):
    c, epsilon, _, o = state
    problem = OpposingSignals(alpha, beta_norm)
    one, two = speed(problem, State(c, epsilon, 0, 0)), speed(problem, State(epsilon, c, 0, 0))
    assert close(one[[1, 0]], two[:2], terms(problem, state))
    silent = OpposingSignals(alpha, 0.0)
    one, two = speed(silent, State(c, 0, 0, o)), speed(silent, State(o, 0, 0, c))
    assert close(one[[3, 0]], two[[0, 3]], terms(silent, state))


@given(cases(alpha=(0.0, 1e3)))
def test_k_d1_support_and_the_share_of_outliers_do_not_matter(case):
    """Given the state: k enters only through the initialisation, p and g not at all (M2, M3)."""
    problem, state = case
    other = with_(problem, k=7.0, d1=3, support="aligned", outlier_fraction=0.5)
    np.testing.assert_array_equal(speed(problem, state), speed(other, state))
    assert sharpness(problem, state) == sharpness(other, state)


@given(cases(alpha=(0.0, 1e3), beta_norm=(0.1, 10.0)))
def test_time_has_no_origin(case):
    problem, state = case
    whole = gradient_flow(problem, state, [0.1, 0.3])
    middle = State(*(float(whole[name][0]) for name in STATE))
    rest = gradient_flow(problem, middle, [0.2])
    size = np.abs([float(whole[name][1]) for name in STATE]).max()
    for name in STATE:
        # A restart rounds the state to float64; the flow may stretch that by e^(2 B t).
        assert abs(float(rest[name][0] - whole[name][1])) <= FLOW * size


@given(states(), magnitudes(0.1, 10.0), magnitudes(0.1, 1e3), magnitudes(0.1, 10.0))
def test_the_loss_but_not_the_flow_is_invariant_under_balancing(state, beta_norm, alpha, r):
    problem = OpposingSignals(alpha, beta_norm)
    c, epsilon, n, o = state
    moved = State(r * c, epsilon / r, n / r, o / r)
    assert loss(problem, moved) == pytest.approx(loss(problem, state), rel=1e3 * ALGEBRA)


def test_what_is_no_symmetry_is_seen():
    """Planted: beta_norm scaled by r instead of r^2, and a sign of c alone."""
    problem, state = OpposingSignals(3.0, 2.0), State(1.0, 0.5, 0.2, 0.3)
    wrong = with_(problem, beta_norm=4.0)
    doubled = speed(wrong, State(*(2 * vector(state))))
    assert not close(doubled, 8 * speed(problem, state))
    flipped = speed(problem, State(-1.0, 0.5, 0.2, 0.3))
    assert not close(flipped, speed(problem, state) * [-1, 1, 1, 1])
