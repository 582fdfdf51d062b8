"""General spectra: the reduction is the special case, modes act one by one, H1 is an arrowhead."""

import numpy as np
import pytest

from linmodel import (
    InvalidInput,
    OpposingSignals,
    State,
    gradient_descent,
    gradient_flow,
    sharpness,
)
from linmodel.network.arrowhead import top_eigenvalue
from linmodel.network.spectra import (
    ModeState,
    Spectra,
    eigenbasis,
    spectral_descent,
    spectral_flow,
    spectral_sharpness,
)
from tests.tolerances import ALGEBRA, FLOW

SPECTRA = Spectra([1.0, 0.3, 0.0], [2.0, 1.0, 0.0], [30.0, 5.0, 5.0, 0.0])
START = ModeState(1.0, [0.1, -0.2, 0.3], [0.5, 0.2, -0.1, 0.4])
NAMES = ("c", "epsilon", "n", "o", "loss", "opposing_curvature", "sharpness")


def test_top_eigenvalue_is_numpys():
    rng = np.random.default_rng(0)
    for size in (1, 2, 5):
        corner, border, diagonal = rng.normal(), rng.normal(size=size), rng.normal(size=size)
        border[0] *= rng.random() < 0.5
        matrix = np.diag(np.concatenate([[corner], diagonal]))
        matrix[0, 1:] = matrix[1:, 0] = border
        top = float(top_eigenvalue(corner, border, diagonal))
        assert top == pytest.approx(np.linalg.eigvalsh(matrix)[-1], rel=ALGEBRA, abs=ALGEBRA)


def test_the_reduced_model_is_the_special_case():
    problem, state = OpposingSignals(50.0, 10.0), State(1.0, 0.1, 0.4, 0.9)
    spectra, start = Spectra.of_problem(problem), ModeState.of_state(state)
    times = np.linspace(0, 1, 30)
    general, reduced = spectral_flow(spectra, start, times), gradient_flow(problem, state, times)
    for name in NAMES:
        np.testing.assert_allclose(general[name], reduced[name], rtol=FLOW, atol=FLOW)
    steps = spectral_descent(spectra, start, 0.003, 300)
    plain = gradient_descent(problem, state, 0.003, 300)
    np.testing.assert_allclose(steps.b_o[:, 0], plain.o, rtol=FLOW)
    np.testing.assert_allclose(steps.sharpness, plain.sharpness, rtol=FLOW)
    top = spectral_sharpness(spectra, start.c, start.b, start.b_o)
    assert float(top) == pytest.approx(sharpness(problem, state), rel=ALGEBRA)


def test_modes_decay_by_their_own_eigenvalue_and_the_invariant_is_conserved():
    flow = spectral_flow(SPECTRA, START, np.linspace(0, 2, 40))
    tau = np.log(flow.b_o[0, 1] / flow.b_o[:, 1]) / 5.0
    np.testing.assert_allclose(flow.b_o[:, 0], 0.5 * np.exp(-30.0 * tau), rtol=FLOW, atol=FLOW)
    np.testing.assert_allclose(flow.b_o[:, 3], 0.4, rtol=0)
    kappa = flow.c**2 - (flow.b**2).sum("signal_mode") - (flow.b_o**2).sum("opposing_mode")
    np.testing.assert_allclose(kappa, kappa[0], rtol=FLOW)
    # A direction in which the signal has no variance never moves.
    np.testing.assert_allclose(flow.b[:, 2], 0.3, rtol=0)


def test_rotated_covariances_are_the_same_problem():
    """The flow in matrices, by small Euler steps written plainly, against the modes' descent."""
    rng = np.random.default_rng(1)
    turn, turn_o = (np.linalg.qr(rng.normal(size=(size, size)))[0] for size in (3, 4))
    sigma = turn @ np.diag(SPECTRA.signal) @ turn.T
    sigma_o = turn_o @ np.diag(SPECTRA.opposing) @ turn_o.T
    spectra, basis, basis_o = eigenbasis(sigma, sigma_o, turn @ SPECTRA.beta)
    c, b, b_o, beta = 1.0, turn @ START.b, turn_o @ START.b_o, turn @ SPECTRA.beta
    modes = spectral_descent(spectra, ModeState(c, basis.T @ b, basis_o.T @ b_o), 0.02, 50)
    for _ in range(50):
        error = sigma @ (c * b - beta)
        slope = b @ error + c * b_o @ sigma_o @ b_o
        c, b, b_o = c - 0.02 * slope, b - 0.02 * c * error, b_o - 0.02 * c * c * sigma_o @ b_o
    assert float(modes.c[-1]) == pytest.approx(c, rel=FLOW)
    np.testing.assert_allclose(basis_o @ modes.b_o[-1].values, b_o, atol=FLOW)


def test_sharpness_is_the_dense_hessians():
    spectra, s = SPECTRA, START
    hessian = np.diag(np.concatenate([[0.0], spectra.signal, spectra.opposing]) * s.c**2)
    hessian[0, 0] = spectra.signal @ s.b**2 + spectra.opposing @ s.b_o**2
    border = np.concatenate(
        [spectra.signal * (2 * s.c * s.b - spectra.beta), 2 * spectra.opposing * s.c * s.b_o]
    )
    hessian[0, 1:] = hessian[1:, 0] = border
    top = float(spectral_sharpness(spectra, s.c, s.b, s.b_o))
    assert top == pytest.approx(np.linalg.eigvalsh(hessian)[-1], rel=ALGEBRA)


def test_the_top_mode_oscillates_first():
    spectra = Spectra([1.0, 1.0], [10.0, 0.0], [50.0, 40.0])
    run = spectral_descent(spectra, ModeState(1.0, [0.1, 0.2], [0.4, 0.4]), 0.0041, 2000)
    assert run.attrs["status"] == "completed"
    growing = np.diff(run.log_abs_b_o.values, axis=0) > 0
    assert growing[:, 0].any() and growing[:, 0].argmax() > 0
    assert not growing[:, 1].any() or growing[:, 1].argmax() > growing[:, 0].argmax()


def test_divergence_is_a_status():
    run = spectral_descent(SPECTRA, START, 10.0, 100)
    assert run.attrs["status"] == "diverged"
    assert run.sizes["time"] == run.attrs["diverged_at_step"]
    assert np.isfinite(run.c).all()


def test_bad_input_is_refused():
    for arguments in (
        ([1.0], [1.0, 2.0], [1.0]),
        ([-1.0], [1.0], [1.0]),
        ([1.0], [1.0], []),
        ([1.0], [float("nan")], [1.0]),
    ):
        with pytest.raises(InvalidInput):
            Spectra(*arguments)
    with pytest.raises(InvalidInput):
        spectral_flow(SPECTRA, ModeState(1.0, [1.0], [1.0]), [1.0])
    with pytest.raises(InvalidInput):
        eigenbasis([[1.0, 2.0], [0.0, 1.0]], [[1.0]], [1.0, 0.0])
    with pytest.raises(InvalidInput):
        eigenbasis([[1.0]], [[-1.0]], [1.0])
